//! Directives in blocks, as nginx and Caddy write them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::read::Files;
use super::{ERROR, Found};

/// Deepest nesting of blocks.
const BLOCK_DEPTH_MAX: usize = 64;

/// One directive, with its block if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) block: Option<Vec<Directive>>,
    pub(super) file: Rc<PathBuf>,
    pub(super) line: usize,
}

impl Directive {
    pub(super) fn place(&self) -> (&Path, usize) {
        (&self.file, self.line)
    }

    /// Its block; none is an empty one.
    pub(super) fn inner(&self) -> &[Self] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The directives of its block with this name.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.inner().iter().filter(move |it| it.name == name)
    }

    pub(super) fn first(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }

    pub(super) fn words(&self) -> String {
        self.args.join(" ")
    }

    /// Itself and everything below it.
    pub(super) fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        for inner in self.inner() {
            found.extend(inner.all());
        }
        found
    }
}

/// What separates directives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// `;`, as in nginx.
    Semicolon,
    /// The end of the line, as in a Caddyfile.
    Line,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// The directives of a text. What does not fit together is told, and the rest is read on.
pub(super) fn parse(files: &mut Files, file: &Path, text: &str, ends: Ends) -> Vec<Directive> {
    let mut parser =
        Parser { tokens: tokens(text, ends), at: 0, file: Rc::new(file.to_owned()), fault: None };
    let parsed = parser.block(0);
    if parser.at < parser.tokens.len() {
        parser.fault.get_or_insert(parser.tokens[parser.at].1);
    }
    if let Some(line) = parser.fault {
        let (file, what) = (file.to_owned(), "{ }".to_owned());
        files.found.push(Found { file, line, code: "config-torn", severity: ERROR, what });
    }
    parsed
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    file: Rc<PathBuf>,
    fault: Option<usize>,
}

impl Parser {
    fn block(&mut self, depth: usize) -> Vec<Directive> {
        let mut found = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut first = 0;
        while let Some((token, line)) = self.tokens.get(self.at).cloned() {
            if token == Token::Close && depth > 0 {
                break;
            }
            self.at += 1;
            match token {
                Token::Word(word) => {
                    first = if words.is_empty() { line } else { first };
                    words.push(word);
                }
                Token::End if words.is_empty() => {}
                Token::End => found.push(self.directive(std::mem::take(&mut words), None, first)),
                Token::Open => {
                    first = if words.is_empty() { line } else { first };
                    let inner = self.inner(depth, line);
                    let words = std::mem::take(&mut words);
                    found.push(self.directive(words, Some(inner), first));
                }
                Token::Close => drop(self.fault.get_or_insert(line)),
            }
        }
        if !words.is_empty() {
            self.fault.get_or_insert(first);
            found.push(self.directive(words, None, first));
        }
        found
    }

    fn inner(&mut self, depth: usize, line: usize) -> Vec<Directive> {
        if depth >= BLOCK_DEPTH_MAX {
            self.fault.get_or_insert(line);
            return Vec::new();
        }
        let inner = self.block(depth + 1);
        match self.tokens.get(self.at) {
            Some((Token::Close, _)) => self.at += 1,
            _ => drop(self.fault.get_or_insert(line)),
        }
        inner
    }

    fn directive(
        &self,
        mut words: Vec<String>,
        block: Option<Vec<Directive>>,
        line: usize,
    ) -> Directive {
        let name = if words.is_empty() { String::new() } else { words.remove(0) };
        Directive { name, args: words, block, file: Rc::clone(&self.file), line }
    }
}

/// Words, braces and ends, each with its line. A brace counts where a word could begin, so that
/// `${name}` and `{path}` inside a word stay in it.
fn tokens(text: &str, ends: Ends) -> Vec<(Token, usize)> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    let mut line = 1;
    while let Some(char) = rest.next() {
        match char {
            '\n' => {
                if ends == Ends::Line {
                    found.push((Token::End, line));
                }
                line += 1;
            }
            '#' => while rest.next_if(|next| *next != '\n').is_some() {},
            ';' if ends == Ends::Semicolon => found.push((Token::End, line)),
            '{' if is_block(rest.peek(), ends) => found.push((Token::Open, line)),
            '}' => found.push((Token::Close, line)),
            '\\' if rest.peek() == Some(&'\n') => {
                rest.next();
                line += 1;
            }
            char if char.is_whitespace() => {}
            char => {
                let begun = line;
                let word = word(char, &mut rest, ends, &mut line);
                found.push((Token::Word(word), begun));
            }
        }
    }
    if ends == Ends::Line {
        found.push((Token::End, line));
    }
    found
}

/// In a Caddyfile a brace that opens a block is followed by a blank; `{host}` is a word.
fn is_block(next: Option<&char>, ends: Ends) -> bool {
    ends == Ends::Semicolon || next.is_none_or(|next| next.is_whitespace())
}

fn word(
    first: char,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    ends: Ends,
    line: &mut usize,
) -> String {
    let mut word = String::new();
    if matches!(first, '"' | '\'' | '`') {
        while let Some(char) = rest.next() {
            match char {
                _ if char == first => break,
                '\\' if first != '`' => word.extend(rest.next()),
                _ => word.push(char),
            }
            *line += usize::from(char == '\n');
        }
        return word;
    }
    word.push(first);
    let mut open = usize::from(first == '{');
    while let Some(next) = rest.peek().copied() {
        let is_variable = next == '{' && (ends == Ends::Line || word.ends_with('$'));
        open += usize::from(is_variable);
        let ends_here = match next {
            '{' => !is_variable,
            '}' if open > 0 => {
                open -= 1;
                false
            }
            '}' => true,
            ';' => ends == Ends::Semicolon,
            _ => next.is_whitespace(),
        };
        if ends_here {
            break;
        }
        rest.next();
        if next == '\\' && ends == Ends::Semicolon {
            // nginx keeps the backslash of a regular expression.
            word.push(next);
            word.extend(rest.next_if(|char| *char != '\n'));
            continue;
        }
        word.push(next);
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(directives: &[Directive]) -> String {
        let one = |it: &Directive| {
            let inner = it.block.as_ref().map(|inner| format!(" [{}]", shape(inner)));
            format!("{}({}){}", it.name, it.args.join(","), inner.unwrap_or_default())
        };
        directives.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn check(text: &str, ends: Ends, expected: &str, fault: Option<usize>) {
        let mut files = Files::new(Path::new("x"));
        assert_eq!(shape(&parse(&mut files, Path::new("x"), text, ends)), expected, "{text}");
        assert_eq!(files.found.first().map(|found| found.line), fault, "{text}");
    }

    #[test]
    fn nginx() {
        check("a b;c{d;e {}}", Ends::Semicolon, "a(b) c() [d() e() []]", None);
        check(
            "if (-f /g/${x}) { return 503; }",
            Ends::Semicolon,
            "if((-f,/g/${x})) [return(503)]",
            None,
        );
        check("a \"b; {c}\" 'd'; # x { \n e;", Ends::Semicolon, "a(b; {c},d) e()", None);
        check("location ~ \\.php$ {}", Ends::Semicolon, "location(~,\\.php$) []", None);
    }

    #[test]
    fn caddy() {
        let text = "a.example, b.example {\n respond \"{host}\" 200\n @x file {\n root /g\n }\n}\n";
        let shape = "a.example,(b.example) [respond({host},200) @x(file) [root(/g)]]";
        check(text, Ends::Line, shape, None);
        check("x {http.request.host} {\n}\n", Ends::Line, "x({http.request.host}) []", None);
    }

    #[test]
    fn torn_texts_are_told_and_read_as_far_as_they_go() {
        for (text, expected, line) in
            [("a {\n b;", "a() [b()]", 1), ("a;\n}\nb;", "a() b()", 2), ("a;\nb", "a() b()", 2)]
        {
            check(text, Ends::Semicolon, expected, Some(line));
        }
        let deep = "a {".repeat(BLOCK_DEPTH_MAX + 10);
        let mut files = Files::new(Path::new("x"));
        parse(&mut files, Path::new("x"), &deep, Ends::Semicolon);
        assert_eq!(files.found[0].code, "config-torn");
    }
}
