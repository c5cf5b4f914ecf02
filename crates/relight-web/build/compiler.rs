//! Turns Fluent files of both languages into Rust: one typed function per message.
//!
//! The subset: text, `{ $argument }` (text), `{ NUMBER($argument) }` (a number, grouped as the
//! language does), string literals, and plural choice. Everything else is refused with a sentence
//! that names file and message, and so is a message or an argument that one language lacks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Pattern, PatternElement, Variant, VariantKey,
};
use fluent_syntax::unicode::unescape_unicode_to_string;

/// A file of messages: its name and its text.
pub(crate) type File = (String, String);

/// The messages of one language, by key.
type Messages = BTreeMap<String, Message>;

struct Message {
    file: String,
    pieces: Vec<Piece>,
    arguments: BTreeMap<String, Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
}

enum Piece {
    Text(String),
    Argument(String),
    /// The argument, then (pattern of `match`, pieces); the default comes last.
    Plural(String, Vec<(&'static str, Vec<Piece>)>),
}

/// Compiles the catalogue.
///
/// # Errors
/// One sentence per problem, sorted by file.
pub(crate) fn compile(french: &[File], english: &[File]) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    let fr = read(french, french_typography, &mut problems);
    let en = read(english, str::to_owned, &mut problems);
    compare(&fr, &en, "English", &mut problems);
    compare(&en, &fr, "French", &mut problems);
    if !problems.is_empty() {
        problems.sort();
        problems.dedup();
        return Err(problems);
    }
    Ok(write(&fr, &en))
}

/// Units after a number that French keeps on the line of the number.
const UNITS: [&str; 4] = ["ms", "s", "min", "h"];

/// French typography that authors need not type: U+00A0 inside guillemets, before `:` and `%`,
/// and before the units that we use.
fn french_typography(text: &str) -> String {
    let mut text = text.to_owned();
    for (plain, proper) in
        [("« ", "«\u{a0}"), (" »", "\u{a0}»"), (" :", "\u{a0}:"), (" %", "\u{a0}%")]
    {
        text = text.replace(plain, proper);
    }
    if let Some(rest) = text.strip_prefix(' ')
        && UNITS.contains(&rest.split([' ', ',', '.']).next().unwrap_or_default())
    {
        text = format!("\u{a0}{rest}");
    }
    text.replace('\'', "’")
}

fn read(files: &[File], polish: fn(&str) -> String, problems: &mut Vec<String>) -> Messages {
    let mut messages = Messages::new();
    for (file, text) in files {
        let resource = match fluent_syntax::parser::parse(text.as_str()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                for error in errors {
                    let line = text.get(..error.pos.start).unwrap_or_default().lines().count();
                    problems.push(format!("{file}:{line}: {}", error.kind));
                }
                resource
            }
        };
        for entry in resource.body {
            let (key, message) = match entry {
                Entry::Message(message) => (message.id.name, read_message(&message, polish)),
                Entry::Term(term) => (term.id.name, Err("is a term; we have messages only".into())),
                // Junk is what the parser has reported above.
                _ => continue,
            };
            match message {
                Err(what) => problems.push(format!("{file}: `{key}` {what}")),
                Ok(_) if messages.contains_key(key) => {
                    problems.push(format!("{file}: `{key}` is defined twice"));
                }
                Ok((pieces, arguments)) => {
                    let message = Message { file: file.clone(), pieces, arguments };
                    messages.insert(key.to_owned(), message);
                }
            }
        }
    }
    messages
}

fn read_message(
    message: &fluent_syntax::ast::Message<&str>,
    polish: fn(&str) -> String,
) -> Result<(Vec<Piece>, BTreeMap<String, Kind>), String> {
    if !message.attributes.is_empty() {
        return Err("has attributes; use two messages".to_owned());
    }
    let pattern = message.value.as_ref().ok_or("has no text")?;
    let mut reader = Reader { polish, arguments: BTreeMap::new() };
    let pieces = reader.pieces(pattern)?;
    Ok((pieces, reader.arguments))
}

/// Reads one message and gathers its arguments.
struct Reader {
    polish: fn(&str) -> String,
    arguments: BTreeMap<String, Kind>,
}

impl Reader {
    fn pieces(&mut self, pattern: &Pattern<&str>) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => {
                    // Adjacent lines arrive as separate elements; one piece reads better.
                    if let Some(Piece::Text(text)) = pieces.last_mut() {
                        text.push_str(value);
                    } else {
                        pieces.push(Piece::Text((*value).to_owned()));
                    }
                }
                PatternElement::Placeable { expression } => {
                    pieces.push(self.expression(expression)?);
                }
            }
        }
        for piece in &mut pieces {
            if let Piece::Text(text) = piece {
                *text = (self.polish)(text);
            }
        }
        Ok(pieces)
    }

    fn expression(&mut self, expression: &Expression<&str>) -> Result<Piece, String> {
        match expression {
            Expression::Inline(InlineExpression::StringLiteral { value }) => {
                Ok(Piece::Text(unescape_unicode_to_string(value).into_owned()))
            }
            Expression::Inline(InlineExpression::VariableReference { id }) => {
                self.argument(id.name, Kind::Text).map(Piece::Argument)
            }
            Expression::Inline(InlineExpression::FunctionReference { id, arguments })
                if id.name == "NUMBER" && arguments.named.is_empty() =>
            {
                match arguments.positional.as_slice() {
                    [InlineExpression::VariableReference { id }] => {
                        self.argument(id.name, Kind::Number).map(Piece::Argument)
                    }
                    _ => Err("calls NUMBER with something else than one argument".to_owned()),
                }
            }
            Expression::Select {
                selector: InlineExpression::VariableReference { id },
                variants,
            } => {
                let name = self.argument(id.name, Kind::Number)?;
                Ok(Piece::Plural(name, self.variants(variants)?))
            }
            _ => Err("uses Fluent syntax outside our subset".to_owned()),
        }
    }

    fn argument(&mut self, name: &str, kind: Kind) -> Result<String, String> {
        let name = name.replace('-', "_");
        match self.arguments.insert(name.clone(), kind) {
            Some(before) if before != kind => {
                Err(format!("uses `${name}` both as a number and as text"))
            }
            _ => Ok(name),
        }
    }

    fn variants(
        &mut self,
        variants: &[Variant<&str>],
    ) -> Result<Vec<(&'static str, Vec<Piece>)>, String> {
        let mut arms = Vec::new();
        let mut default = None;
        for variant in variants {
            let pieces = self.pieces(&variant.value)?;
            let arm = match variant.key {
                _ if variant.default => {
                    default = Some(("_", pieces));
                    continue;
                }
                VariantKey::NumberLiteral { value: "0" } => "(0, _)",
                VariantKey::NumberLiteral { value: "1" } => "(1, _)",
                VariantKey::Identifier { name: "one" } => "(_, Plural::One)",
                VariantKey::NumberLiteral { value: name } | VariantKey::Identifier { name } => {
                    return Err(format!("has the variant [{name}]; we know [0], [1], [one]"));
                }
            };
            arms.push((arm, pieces));
        }
        arms.extend(default);
        Ok(arms)
    }
}

fn compare(one: &Messages, other: &Messages, language: &str, problems: &mut Vec<String>) {
    for (key, message) in one {
        let file = &message.file;
        let Some(twin) = other.get(key) else {
            problems.push(format!("{file}: `{key}` has no {language} text"));
            continue;
        };
        for (name, kind) in &message.arguments {
            match twin.arguments.get(name) {
                Some(same) if same == kind => {}
                Some(_) => problems.push(format!(
                    "{file}: `${name}` of `{key}` is a number in one language and text in the other"
                )),
                None => problems.push(format!(
                    "{file}: `{key}` uses `${name}`, which its {language} text does not"
                )),
            }
        }
    }
}

fn write(fr: &Messages, en: &Messages) -> String {
    let mut out = String::new();
    let mut plain = String::new();
    let mut lines = String::new();
    for (key, french) in fr {
        let english = &en[key];
        let name = key.replace('-', "_").to_lowercase();
        if let (Some(fr), Some(en)) = (constant(&french.pieces), constant(&english.pieces)) {
            let _ = write!(
                out,
                "/// `{key}`: {en:?}.\n#[must_use]\npub const fn {name}(lang: Lang) \
                 -> &'static str {{\n    match lang {{\n        Lang::Fr => {fr:?},\n        \
                 Lang::En => {en:?},\n    }}\n}}\n\n"
            );
            let _ = writeln!(plain, "    ({key:?}, {fr:?}, {en:?}),");
        } else {
            function(&mut out, key, &name, french, english);
            if key.starts_with("log-") {
                line(&mut lines, key, &name, french);
            }
        }
    }
    let _ = write!(
        out,
        "/// Messages without arguments: (key, French, English), sorted by key.\n\
         static PLAIN: &[(&str, &str, &str)] = &[\n{plain}];\n\n\
         /// Messages of the log: (key, rendering from positional arguments), sorted by key.\n\
         static LINES: &[(&str, Line)] = &[\n{lines}];\n"
    );
    out
}

/// The text, when it has neither arguments nor choices.
fn constant(pieces: &[Piece]) -> Option<String> {
    pieces.iter().map(|p| if let Piece::Text(t) = p { Some(t.as_str()) } else { None }).collect()
}

fn function(out: &mut String, key: &str, name: &str, french: &Message, english: &Message) {
    let _ = write!(out, "/// `{key}`.\n#[must_use]\npub fn {name}(lang: Lang");
    for (argument, kind) in &french.arguments {
        let kind = match kind {
            Kind::Text => "&str",
            Kind::Number => "impl Into<Number>",
        };
        // Raw, because an author may name an argument with a word of Rust.
        let _ = write!(out, ", r#{argument}: {kind}");
    }
    out.push_str(") -> String {\n");
    for (argument, kind) in &french.arguments {
        if *kind == Kind::Number {
            let _ = writeln!(out, "    let r#{argument}: Number = r#{argument}.into();");
        }
    }
    out.push_str("    let mut out = String::new();\n    match lang {\n");
    for (lang, message) in [("Fr", french), ("En", english)] {
        let _ = writeln!(out, "        Lang::{lang} => {{");
        statements(out, &message.pieces, &message.arguments, 12);
        out.push_str("        }\n");
    }
    out.push_str("    }\n    out\n}\n\n");
}

fn statements(
    out: &mut String,
    pieces: &[Piece],
    arguments: &BTreeMap<String, Kind>,
    indent: usize,
) {
    let pad = " ".repeat(indent);
    for piece in pieces {
        let _ = match piece {
            Piece::Text(text) => writeln!(out, "{pad}{};", push(text)),
            Piece::Argument(name) => match arguments.get(name) {
                Some(Kind::Number) => writeln!(out, "{pad}out.push_str(&r#{name}.text(lang));"),
                _ => writeln!(out, "{pad}out.push_str(r#{name});"),
            },
            Piece::Plural(name, arms) => {
                let _ = writeln!(out, "{pad}match (r#{name}.0, r#{name}.plural(lang)) {{");
                for (arm, pieces) in arms {
                    if let [Piece::Text(text)] = pieces.as_slice() {
                        let _ = writeln!(out, "{pad}    {arm} => {},", push(text));
                        continue;
                    }
                    let _ = writeln!(out, "{pad}    {arm} => {{");
                    statements(out, pieces, arguments, indent + 8);
                    let _ = writeln!(out, "{pad}    }}");
                }
                writeln!(out, "{pad}}}")
            }
        };
    }
}

fn push(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => format!("out.push({character:?})"),
        _ => format!("out.push_str({text:?})"),
    }
}

/// A row of `LINES`: arguments by position, in alphabetical order of their names.
fn line(lines: &mut String, key: &str, name: &str, message: &Message) {
    let mut call = String::new();
    for (at, (name, kind)) in message.arguments.iter().enumerate() {
        let _ = match kind {
            // A reason is emitted as a code; people read its words.
            Kind::Text if name == "reason" => write!(call, ", coded(lang, text_at(args, {at})?)"),
            Kind::Text => write!(call, ", text_at(args, {at})?"),
            Kind::Number => write!(call, ", number_at(args, {at})?"),
        };
    }
    let _ = writeln!(lines, "    ({key:?}, |lang, args| Some({name}(lang{call}))),");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> Vec<File> {
        vec![(name.to_owned(), text.to_owned())]
    }

    fn problems(fr: &str, en: &str) -> Vec<String> {
        compile(&file("fr.ftl", fr), &file("en.ftl", en)).err().unwrap_or_default()
    }

    #[test]
    fn a_missing_message_is_a_sentence() {
        assert_eq!(problems("a = A\nb = B\n", "a = A\n"), ["fr.ftl: `b` has no English text"]);
        assert_eq!(problems("a = A\n", "a = A\nb = B\n"), ["en.ftl: `b` has no French text"]);
    }

    #[test]
    fn a_missing_argument_is_a_sentence() {
        assert_eq!(
            problems("a = { $n } { $m }\n", "a = { $n }\n"),
            ["fr.ftl: `a` uses `$m`, which its English text does not"]
        );
        assert_eq!(
            problems("a = { NUMBER($n) }\n", "a = { $n }\n"),
            [
                "en.ftl: `$n` of `a` is a number in one language and text in the other",
                "fr.ftl: `$n` of `a` is a number in one language and text in the other",
            ]
        );
    }

    #[test]
    fn an_escaped_character_is_that_character() {
        let text = "a = A{\"\\u00A0\"}\n";
        let code = compile(&file("fr.ftl", text), &file("en.ftl", text)).unwrap();
        assert!(code.contains("A\\u{a0}") && !code.contains("u00A0"), "{code}");
    }

    #[test]
    fn what_is_outside_the_subset_is_refused() {
        for (text, expected) in [
            ("-t = x\n", "fr.ftl: `t` is a term; we have messages only"),
            ("a = { b }\n", "fr.ftl: `a` uses Fluent syntax outside our subset"),
            ("a = x\n    .b = y\n", "fr.ftl: `a` has attributes; use two messages"),
            ("a = x\na = y\n", "fr.ftl: `a` is defined twice"),
            ("a = { $n } { NUMBER($n) }\n", "fr.ftl: `a` uses `$n` both as a number and as text"),
            (
                "a = { $n ->\n    [few] x\n   *[other] y\n }\n",
                "fr.ftl: `a` has the variant [few]; we know [0], [1], [one]",
            ),
        ] {
            assert!(problems(text, text).iter().any(|p| p == expected), "{text}");
        }
        assert!(problems("a = { $n\n", "")[0].starts_with("fr.ftl:"));
    }

    #[test]
    fn numbers_choose_and_text_does_not() {
        let text = "a = { NUMBER($n) } { $n ->\n    [one] site\n   *[other] sites\n } { $x }\n";
        let rust = compile(&file("fr.ftl", text), &file("en.ftl", text)).unwrap();
        assert!(rust.contains("pub fn a(lang: Lang, r#n: impl Into<Number>, r#x: &str) -> String"));
        assert!(rust.contains("(_, Plural::One) => out.push_str(\"site\"),"));
    }

    #[test]
    fn french_gets_its_spaces() {
        let fr = "a = « mot » : { $n } %, l'avis\n";
        let rust = compile(&file("fr.ftl", fr), &file("en.ftl", "a = { $n }\n")).unwrap();
        assert!(rust.contains(r#""«\u{a0}mot\u{a0}»\u{a0}: ""#), "{rust}");
        assert!(rust.contains(r#""\u{a0}%, l’avis""#), "{rust}");
    }
}
