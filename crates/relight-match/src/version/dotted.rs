//! Lists of numbers and nothing else: CRAN (`1.0-2`), Hackage and GHC (`1.0.2`).

use crate::key::Writer;

/// A list that goes on is greater than one that ends: `1.0 < 1.0.0`.
const END: u8 = 0;
const NUMBER: u8 = 1;

/// R packages: numbers split at `.` and `-`.
pub(super) fn write_cran(text: &str, out: &mut Writer) -> Option<()> {
    write(text.split(['.', '-']), out)
}

/// Haskell: numbers split at `.`.
pub(super) fn write_int_dot(text: &str, out: &mut Writer) -> Option<()> {
    write(text.split('.'), out)
}

fn write<'a>(parts: impl Iterator<Item = &'a str>, out: &mut Writer) -> Option<()> {
    for part in parts {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        out.tag(NUMBER);
        out.number(part);
    }
    out.tag(END);
    Some(())
}
