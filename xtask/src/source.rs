//! A small Rust tokenizer: masks strings and comments, finds tests and functions by line.

/// One Rust file, taken apart just far enough to count and to search it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The text with comments and the insides of literals blanked; lines stay where they are.
    pub code: String,
    /// Every comment, in order.
    pub comments: Vec<Comment>,
    /// For each line (0-based): whether it belongs to a `#[cfg(test)]` item.
    pub test_lines: Vec<bool>,
}

/// One comment; a block comment is one entry per line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// 0-based line.
    pub line: usize,
    /// The text with its opening marks (`//`, `///`, `//!`, `/*`).
    pub text: String,
}

/// One `fn` with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// The name after `fn`.
    pub name: String,
    /// 0-based line of the word `fn`.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both counted.
    pub length: usize,
}

impl Source {
    /// Reads one file. Text that is not valid Rust gives a guess, never a failure.
    pub(crate) fn parse(text: &str) -> Self {
        let mut masker = Masker::new(text);
        while masker.step() {}
        let code: String = masker.out.into_iter().collect();
        let test_lines = test_lines(&code);
        Self { code, comments: masker.comments, test_lines }
    }

    /// The masked lines with their 0-based numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate()
    }

    /// Whether this 0-based line belongs to a `#[cfg(test)]` item.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line).copied().unwrap_or(false)
    }

    /// Every function that has a body, nested ones included.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let chars: Vec<char> = self.code.chars().collect();
        let line_of = line_numbers(&chars);
        let mut found = Vec::new();
        for start in 0..chars.len() {
            let Some(name_at) = keyword_fn(&chars, start) else { continue };
            let name: String = chars[name_at..].iter().take_while(|c| is_word(**c)).collect();
            let Some(open) = item_end(&chars, name_at).filter(|at| chars[*at] == '{') else {
                continue;
            };
            let close = matching_brace(&chars, open);
            let length = line_of[close] - line_of[start] + 1;
            found.push(Function { name, line: line_of[start], length });
        }
        found
    }
}

/// The part that walks the characters once.
struct Masker {
    chars: Vec<char>,
    at: usize,
    line: usize,
    out: Vec<char>,
    comments: Vec<Comment>,
}

impl Masker {
    fn new(text: &str) -> Self {
        let chars = text.chars().collect();
        Self { chars, at: 0, line: 0, out: Vec::new(), comments: Vec::new() }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Copies one character to the output.
    fn keep(&mut self) {
        if let Some(c) = self.peek(0) {
            self.out.push(c);
            self.line += usize::from(c == '\n');
            self.at += 1;
        }
    }

    /// Blanks one character; line ends stay.
    fn blank(&mut self) {
        if let Some(c) = self.peek(0) {
            self.out.push(if c == '\n' { '\n' } else { ' ' });
            self.line += usize::from(c == '\n');
            self.at += 1;
        }
    }

    fn step(&mut self) -> bool {
        let Some(c) = self.peek(0) else { return false };
        match (c, self.peek(1)) {
            ('/', Some('/')) => self.line_comment(),
            ('/', Some('*')) => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (c, _) if is_word(c) => self.word(),
            _ => self.keep(),
        }
        true
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|c| *c != '\n') {
            text.push(c);
            self.blank();
        }
        self.comments.push(Comment { line, text });
    }

    fn block_comment(&mut self) {
        let mut depth = 0usize;
        let mut text = String::new();
        while let Some(c) = self.peek(0) {
            let pair = (c, self.peek(1));
            if c == '\n' {
                self.comments.push(Comment { line: self.line, text: std::mem::take(&mut text) });
            } else {
                text.push(c);
            }
            self.blank();
            if pair == ('/', Some('*')) {
                depth += 1;
                text.push('*');
                self.blank();
            } else if pair == ('*', Some('/')) {
                depth -= 1;
                text.push('/');
                self.blank();
                if depth == 0 {
                    break;
                }
            }
        }
        self.comments.push(Comment { line: self.line, text });
    }

    fn string(&mut self) {
        self.keep();
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => {
                    self.blank();
                    self.blank();
                }
                '"' => return self.keep(),
                _ => self.blank(),
            }
        }
    }

    /// A raw string; `self.at` stands on the first `#` or on the quote.
    fn raw_string(&mut self) {
        let mut hashes = 0;
        while self.peek(0) == Some('#') {
            hashes += 1;
            self.keep();
        }
        self.keep();
        while let Some(c) = self.peek(0) {
            if c == '"' && (1..=hashes).all(|n| self.peek(n) == Some('#')) {
                for _ in 0..=hashes {
                    self.keep();
                }
                return;
            }
            self.blank();
        }
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        let escaped = self.peek(1) == Some('\\');
        if !escaped && self.peek(2) != Some('\'') {
            return self.keep();
        }
        self.keep();
        while let Some(c) = self.peek(0).filter(|c| *c != '\'') {
            self.blank();
            if c == '\\' {
                self.blank();
            }
        }
        self.keep();
    }

    /// A word; `r"`, `br#"` and `cr"` start a raw string.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.keep();
        }
        let word: String = self.chars[start..self.at].iter().collect();
        if !matches!(word.as_str(), "r" | "br" | "cr") {
            return;
        }
        let hashes = (0..).take_while(|n| self.peek(*n) == Some('#')).count();
        if self.peek(hashes) == Some('"') {
            self.raw_string();
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The place of the name if the word `fn` and a name start here.
fn keyword_fn(chars: &[char], start: usize) -> Option<usize> {
    let before = start.checked_sub(1).and_then(|at| chars.get(at));
    if before.is_some_and(|c| is_word(*c)) || !chars[start..].starts_with(&['f', 'n', ' ']) {
        return None;
    }
    let name_at = start + 3;
    chars.get(name_at).filter(|c| is_word(**c)).map(|_| name_at)
}

/// The first `{` or `;` that is not inside round or square brackets.
fn item_end(chars: &[char], from: usize) -> Option<usize> {
    let mut depth = 0i32;
    for (at, c) in chars.iter().enumerate().skip(from) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' | ';' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// The place of the brace that closes the one at `open`, or the last character.
fn matching_brace(chars: &[char], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, c) in chars.iter().enumerate().skip(open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len() - 1
}

fn line_numbers(chars: &[char]) -> Vec<usize> {
    let mut line = 0;
    let mut lines = Vec::with_capacity(chars.len());
    for c in chars {
        lines.push(line);
        line += usize::from(*c == '\n');
    }
    lines
}

/// Marks the lines of every item under `#[cfg(test)]`; `#![cfg(test)]` marks the whole file.
fn test_lines(code: &str) -> Vec<bool> {
    let count = code.lines().count();
    if code.contains("#![cfg(test)]") {
        return vec![true; count];
    }
    let mut marked = vec![false; count];
    let chars: Vec<char> = code.chars().collect();
    let line_of = line_numbers(&chars);
    let attribute: Vec<char> = "#[cfg(test)]".chars().collect();
    for at in 0..chars.len() {
        if !chars[at..].starts_with(&attribute) {
            continue;
        }
        let Some(end) = item_end(&chars, at + attribute.len()) else { continue };
        let last = if chars[end] == '{' { matching_brace(&chars, end) } else { end };
        marked[line_of[at]..=line_of[last]].fill(true);
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text = "let a = \"// not a comment\"; // why\nlet b = '\"'; /* x\ny */ let c = 'l';";
        let source = Source::parse(text);
        assert_eq!(source.code.lines().count(), 3);
        assert!(!source.code.contains("not a comment"));
        assert!(source.code.contains("let c"));
        let texts: Vec<&str> = source.comments.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(texts, ["// why", "/* x", "y */"]);
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let source = Source::parse("let a = r#\"panic!(\"\" // \"#; let b = br\"todo!\"; call();");
        assert!(!source.code.contains("panic!"));
        assert!(!source.code.contains("todo!"));
        assert!(source.code.contains("call();"));
        assert!(source.comments.is_empty());
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let source = Source::parse("fn f<'a>(x: &'a str) -> &'a str { x } // end");
        assert!(source.code.contains("&'a str { x }"));
        assert_eq!(source.comments.len(), 1);
    }

    #[test]
    fn escaped_quotes_do_not_end_a_literal() {
        let source = Source::parse(r#"let a = "\"//"; let b = '\''; let c = '\\'; // end"#);
        assert_eq!(source.comments.len(), 1);
        assert!(source.code.contains("let c"));
    }

    #[test]
    fn nested_block_comments_close_together() {
        let source = Source::parse("/* a /* b */ c */ code();");
        assert_eq!(source.code.trim(), "code();");
    }

    #[test]
    fn test_modules_are_marked_to_their_brace() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(Source::parse(text).test_lines, [false, true, true, true, true, false]);
        assert_eq!(Source::parse("#![cfg(test)]\nfn a() {}").test_lines, [true, true]);
        assert!(!Source::parse("#[cfg(test)]\nmod a;\nfn b() {}").test_lines[2]);
    }

    #[test]
    fn functions_have_a_name_a_line_and_a_length() {
        let text =
            "trait T { fn none(&self); }\n\nfn long(\n    a: [u8; 2],\n) -> u8 {\n    a[0]\n}\n";
        let functions = Source::parse(text).functions();
        assert_eq!(functions, [Function { name: "long".into(), line: 2, length: 5 }]);
    }

    #[test]
    fn text_that_is_not_rust_does_not_stop_the_reader() {
        for text in ["", "\"", "r#\"", "/*", "'", "'\\", "fn x(", "fn x {", "#[cfg(test)] {"] {
            let source = Source::parse(text);
            assert_eq!(source.code.chars().count(), text.chars().count());
            source.functions();
        }
    }
}
