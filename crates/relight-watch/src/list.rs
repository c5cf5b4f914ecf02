//! Lists that an operator keeps: an entry a line, remarks behind `#`, and what is none is told.

/// Lines that are none: their numbers, and what is wrong, by code.
pub(crate) type Faults = Vec<(usize, &'static str)>;

/// Reads at most so many lines, each without the blanks around it; empty ones and remarks say
/// nothing. What is none costs no other, and the first line beyond is told by the code given.
pub(crate) fn read<T>(
    text: &str,
    (lines_max, beyond): (usize, &'static str),
    entry: impl Fn(&str) -> Result<T, &'static str>,
) -> (Vec<T>, Faults) {
    let (mut entries, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines().take(lines_max)) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Ok(entry) => entries.push(entry),
            Err(code) => faults.push((number, code)),
        }
    }
    if text.lines().nth(lines_max).is_some() {
        faults.push((lines_max + 1, beyond));
    }
    (entries, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_and_the_first_beyond_is_told() {
        let read = |text| read(text, (4, "beyond"), |line| line.parse::<u8>().map_err(|_| "none"));
        for (text, entries, faults) in [
            ("", vec![], vec![]),
            ("1\n 2\t\r\n3", vec![1, 2, 3], vec![]),
            ("# 1\n\n  # 2\n3\n", vec![3], vec![]),
            ("a\n1\n1 # one\n2", vec![1, 2], vec![(1, "none"), (3, "none")]),
            ("\n\n\n\n", vec![], vec![]),
            ("1\n\n#\nb\nc\nd", vec![1], vec![(4, "none"), (5, "beyond")]),
        ] {
            assert_eq!(read(text), (entries, faults), "{text:?}");
        }
    }
}
