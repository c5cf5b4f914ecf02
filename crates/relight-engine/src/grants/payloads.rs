//! Payloads that a control must stop, exactly as somebody gave them.
//!
//! Two people answer for a site because each payload was stopped, so that one rule reads them for
//! every way in, and what cannot be sent as it stands is refused: nothing is cut, trimmed or split.

/// Most payloads in one replay.
pub const PAYLOADS_MAX: usize = 1_000;

/// Longest payload, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 4_096;

/// Payloads that can be sent as they are: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payloads(Vec<String>);

/// Which payload cannot be sent, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsendable {
    /// The line of a text, or the place in a list, from 1; 0 where there is no payload at all.
    pub line: usize,
    /// What is wrong with it.
    pub why: Unfit,
}

/// Why a payload cannot be sent. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is none.
    None,
    /// There are more than [`PAYLOADS_MAX`].
    TooMany,
    /// It is longer than [`PAYLOAD_BYTES_MAX`].
    TooLong,
    /// It holds a control character, which a header would end at.
    Control,
    /// It is nothing but blanks.
    Blank,
    /// It is no UTF-8.
    NotText,
}

impl Unfit {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::None, Self::TooMany, Self::TooLong, Self::Control, Self::Blank, Self::NotText];

    /// The stable name used in catalogues of texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TooMany => "too-many",
            Self::TooLong => "too-long",
            Self::Control => "control",
            Self::Blank => "blank",
            Self::NotText => "not-text",
        }
    }
}

impl Payloads {
    /// Payloads of a list, as they are.
    ///
    /// # Errors
    /// The first one that cannot be sent.
    pub fn new(list: Vec<String>) -> Result<Self, Unsendable> {
        for (at, payload) in list.iter().enumerate() {
            fit(at, payload).map_err(|why| Unsendable { line: at + 1, why })?;
        }
        Self::some(list)
    }

    /// One payload a line, as it stands there; lines without any sign are between payloads. A line
    /// ends as in files and as in forms of browsers.
    ///
    /// # Errors
    /// The first one that cannot be sent.
    pub fn of_lines(text: &[u8]) -> Result<Self, Unsendable> {
        let mut list = Vec::new();
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let unfit = |why| Unsendable { line: at + 1, why };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let payload = str::from_utf8(line).map_err(|_| unfit(Unfit::NotText))?;
            if !payload.trim().is_empty() {
                fit(list.len(), payload).map_err(unfit)?;
                list.push(payload.to_owned());
            }
        }
        Self::some(list)
    }

    fn some(list: Vec<String>) -> Result<Self, Unsendable> {
        if list.is_empty() {
            return Err(Unsendable { line: 0, why: Unfit::None });
        }
        Ok(Self(list))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether a payload can be sent after so many others.
fn fit(before: usize, payload: &str) -> Result<(), Unfit> {
    if before >= PAYLOADS_MAX {
        Err(Unfit::TooMany)
    } else if payload.len() > PAYLOAD_BYTES_MAX {
        Err(Unfit::TooLong)
    } else if payload.contains(char::is_control) {
        Err(Unfit::Control)
    } else if payload.trim().is_empty() {
        Err(Unfit::Blank)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(read: Result<Payloads, Unsendable>) -> Result<Vec<String>, (usize, &'static str)> {
        read.map(|it| it.0).map_err(|it| (it.line, it.why.as_str()))
    }

    #[test]
    fn a_text_is_read_line_by_line_and_nothing_of_a_line_is_changed() {
        let long = "x".repeat(PAYLOAD_BYTES_MAX);
        type Case<'a> = (&'a [u8], Result<&'a [&'a str], (usize, &'a str)>);
        let cases: [Case<'_>; 14] = [
            (b"a\nb", Ok(&["a", "b"])),
            (b"a\r\n\r\n \t\nb\r\n", Ok(&["a", "b"])),
            (b" a \n", Ok(&[" a "])),
            ("\u{e9}\u{3b1}".as_bytes(), Ok(&["\u{e9}\u{3b1}"])),
            (long.as_bytes(), Ok(&[&long])),
            (b"", Err((0, "none"))),
            (b"\r\n \n", Err((0, "none"))),
            (b"a\n\nb\tc", Err((3, "control"))),
            (b"a\rb", Err((1, "control"))),
            (b"a\r\r\n", Err((1, "control"))),
            (b"a\0", Err((1, "control"))),
            ("a\u{85}b".as_bytes(), Err((1, "control"))),
            (b"a\n\xff", Err((2, "not-text"))),
            (&[b"a\n", long.as_bytes(), b"x"].concat(), Err((2, "too-long"))),
        ];
        for (text, wanted) in cases {
            let wanted = wanted.map(|list| list.iter().map(|it| (*it).to_owned()).collect());
            assert_eq!(told(Payloads::of_lines(text)), wanted, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_list_is_taken_as_it_is_or_not_at_all() {
        for (list, wanted) in [
            (vec![], Err((0, "none"))),
            (vec!["a", " b "], Ok(())),
            (vec!["a", ""], Err((2, "blank"))),
            (vec![" "], Err((1, "blank"))),
            (vec!["a", "GET /\r\nX: y"], Err((2, "control"))),
            (vec!["a\n"], Err((1, "control"))),
        ] {
            let list: Vec<String> = list.into_iter().map(str::to_owned).collect();
            let read = told(Payloads::new(list.clone()));
            assert_eq!(read, wanted.map(|()| list.clone()), "{list:?}");
        }
    }

    #[test]
    fn so_many_and_no_more() {
        let all = vec!["x".to_owned(); PAYLOADS_MAX];
        let more = vec!["x".to_owned(); PAYLOADS_MAX + 1];
        let past = Err((PAYLOADS_MAX + 1, "too-many"));
        for read in [Payloads::new(all.clone()), Payloads::of_lines(all.join("\n").as_bytes())] {
            assert_eq!(told(read), Ok(all.clone()));
        }
        for read in [Payloads::new(more.clone()), Payloads::of_lines(more.join("\n").as_bytes())] {
            assert_eq!(told(read), past);
        }
    }
}
