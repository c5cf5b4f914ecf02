import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.core.lookup.Interpolator;
import org.apache.logging.log4j.core.lookup.StrLookup;
import org.apache.logging.log4j.core.lookup.StrSubstitutor;

/**
 * What log4j-core 2.14.1 does with a message: one line in; fires, exception and first key out.
 * The JNDI lookup is a recorder that resolves nothing, and no socket is ever opened.
 */
public final class Oracle {
    private static final List<String> KEYS = new ArrayList<>();

    private static final class Recorder implements StrLookup {
        @Override
        public String lookup(String key) {
            KEYS.add(key);
            return null;
        }

        @Override
        public String lookup(LogEvent event, String key) {
            return lookup(key);
        }
    }

    private static final class Nothing implements StrLookup {
        @Override
        public String lookup(String key) {
            return null;
        }

        @Override
        public String lookup(LogEvent event, String key) {
            return null;
        }
    }

    @SuppressWarnings("unchecked")
    private static StrSubstitutor substitutor() throws ReflectiveOperationException {
        // The constructor of a configured application: it collects every lookup there is.
        Interpolator interpolator = new Interpolator(new Nothing(), new ArrayList<>());
        Field field = Interpolator.class.getDeclaredField("strLookupMap");
        field.setAccessible(true);
        Map<String, StrLookup> lookups = (Map<String, StrLookup>) field.get(interpolator);
        for (Map.Entry<String, StrLookup> entry : lookups.entrySet()) {
            String name = entry.getKey();
            if (!name.equals("lower") && !name.equals("upper") && !name.equals("date")) {
                entry.setValue(new Nothing());
            }
        }
        lookups.put("jndi", new Recorder());
        if (!(lookups.get("jndi") instanceof Recorder)) {
            throw new IllegalStateException("the recorder is not in place");
        }
        return new StrSubstitutor(interpolator);
    }

    /** The loop of MessagePatternConverter. */
    private static void format(StrSubstitutor substitutor, LogEvent event, String message) {
        StringBuilder buffer = new StringBuilder(message);
        for (int i = 0; i < buffer.length() - 1; i++) {
            if (buffer.charAt(i) == '$' && buffer.charAt(i + 1) == '{') {
                String value = buffer.toString();
                buffer.setLength(0);
                buffer.append(substitutor.replace(event, value));
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintWriter out = new PrintWriter(new BufferedWriter(
                new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
        StrSubstitutor substitutor = substitutor();
        LogEvent event = Log4jLogEvent.newBuilder().setTimeMillis(1L).build();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            KEYS.clear();
            String raised = "";
            try {
                format(substitutor, event, line);
            } catch (RuntimeException | StackOverflowError error) {
                raised = error.getClass().getSimpleName();
            }
            String key = KEYS.isEmpty() ? "" : KEYS.get(0);
            out.print((KEYS.isEmpty() ? "inert" : "fires") + "\t" + raised + "\t" + key + "\n");
        }
        out.flush();
    }
}
