//! The envelope of syslog, RFC 3164 and RFC 5424: priority, time, host and program in front of a
//! message.

use relight_model::Timestamp;

use super::{Feed, time};

/// The time of the envelope and the message in it; a line without envelope is all message.
pub(super) fn open<'a>(line: &'a str, feed: &Feed) -> (Option<Timestamp>, &'a str) {
    let line = without_priority(line);
    if let Some(found) = structured(line, feed) {
        return found;
    }
    match split_time(line, feed) {
        Some((at, rest)) => (Some(at), without_program(rest)),
        None => (None, line),
    }
}

/// `<134>` in front.
fn without_priority(line: &str) -> &str {
    let Some((number, rest)) = line.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
        return line;
    };
    let valid = number.len() <= 3 && time::digits(number.as_bytes()).is_some_and(|it| it <= 191);
    if valid { rest } else { line }
}

/// `1 TIME HOST APP PROCID MSGID [SD] MSG`.
fn structured<'a>(line: &'a str, feed: &Feed) -> Option<(Option<Timestamp>, &'a str)> {
    let rest = line.strip_prefix("1 ")?;
    let (stamp, rest) = rest.split_once(' ')?;
    let at = if stamp == "-" { None } else { Some(time::any(stamp, feed)?) };
    let mut rest = rest;
    for _ in 0..4 {
        rest = rest.split_once(' ')?.1;
    }
    let message = after_structured_data(rest)?;
    Some((at, message.strip_prefix('\u{feff}').unwrap_or(message)))
}

/// What follows `-` or the elements in brackets, in which a bracket may be escaped.
fn after_structured_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest.trim_start_matches(' '));
    }
    let bytes = text.as_bytes();
    let (mut at, mut inside) = (0, false);
    loop {
        match bytes.get(at) {
            Some(b'[') if !inside => inside = true,
            Some(b']') => inside = false,
            Some(b'\\') => at += 1,
            Some(b' ') | None if !inside => {
                return Some(text.get(at..).unwrap_or_default().trim_start_matches(' '));
            }
            Some(_) => {}
            None => return None,
        }
        at += 1;
    }
}

/// A time of any usual form in front, and what follows it.
fn split_time<'a>(line: &'a str, feed: &Feed) -> Option<(Timestamp, &'a str)> {
    // `Dec 10 02:05:58`, `Dec 10 2021 02:05:58`: of fixed width.
    for width in [15, 20] {
        if let Some((stamp, rest)) = line.split_at_checked(width)
            && let Some(at) = time::named_month(stamp, feed)
        {
            return Some((at, rest.trim_start_matches([':', ' '])));
        }
    }
    let (stamp, rest) = line.split_once(' ')?;
    let has_clock = stamp.len() > 18 && stamp.as_bytes().get(10) == Some(&b'T');
    let at = has_clock.then(|| time::rfc3339(stamp, &feed.zone)).flatten()?;
    Some((at, rest))
}

/// `host program[123]: message` without host and program. What does not look like that is left.
fn without_program(rest: &str) -> &str {
    if rest.starts_with('%') {
        return rest;
    }
    let (_host, after) = rest.split_once(' ').unwrap_or(("", rest));
    let after = after.trim_start_matches(' ');
    match after.split_once(": ") {
        Some((program, message)) if !program.contains([' ', '=', '"']) => {
            message.trim_start_matches(' ')
        }
        _ => after.strip_prefix(": ").unwrap_or(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2021-12-10T03:00:00Z.
    const RECEIVED: Timestamp = 1_639_105_200;

    fn feed() -> Feed {
        Feed { received: RECEIVED, ..Feed::default() }
    }

    #[test]
    fn envelopes() {
        for (line, message) in [
            ("<134>Dec 10 02:05:58 host haproxy[12]: hello: you", "hello: you"),
            ("Dec 10 02:05:58 host kernel: [12.3] IN=eth0", "[12.3] IN=eth0"),
            ("Dec 10 2021 02:05:58 fw1 : %ASA-4-106023: Deny", "%ASA-4-106023: Deny"),
            ("<166>Dec 10 2021 02:05:58: %ASA-6-302013: Built", "%ASA-6-302013: Built"),
            ("2021-12-10T02:05:58.1+00:00 host app: hello", "hello"),
            ("<165>1 2021-12-10T02:05:58Z host app 1 id - hello", "hello"),
            ("<165>1 2021-12-10T02:05:58Z host app - - [a b=\"]\\]\"][c] \u{feff}hello", "hello"),
            ("Dec 10 02:05:58 host date=2021-12-10 time=02:05:58", "date=2021-12-10 time=02:05:58"),
        ] {
            assert_eq!(open(line, &feed()), (Some(1_639_101_958), message), "{line}");
        }
    }

    #[test]
    fn lines_without_envelope_are_all_message() {
        for line in ["hello", "", "<999>x", "<1 x", "1 2 3", "1 - host", "Dec 40 02:05:58 h p: x"] {
            assert_eq!(open(line, &feed()), (None, line), "{line}");
        }
        assert_eq!(open("<13>hello", &feed()), (None, "hello"));
        assert_eq!(open("<165>1 - host app - - - x", &feed()), (None, "x"));
    }
}
