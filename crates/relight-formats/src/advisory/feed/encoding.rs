//! Documents in UTF-16, which some tools write, to UTF-8.

/// The document in UTF-8, if it is UTF-16 by its byte-order mark or by the zeros of its first
/// characters; else as it is.
pub(super) fn to_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let unit: fn([u8; 2]) -> u16 = match bytes[..] {
        [0xff, 0xfe, ..] | [b'{' | b'[', 0, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] => u16::from_be_bytes,
        _ => return bytes,
    };
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_with_and_without_mark() {
        let text = "{\"a\":\"é😀\"}";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|it| it.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|it| it.to_be_bytes()).collect();
        let marked = [&[0xff, 0xfe][..], &little].concat();
        for bytes in [little, big] {
            assert_eq!(to_utf8(bytes), text.as_bytes());
        }
        assert_eq!(to_utf8(marked), format!("\u{feff}{text}").as_bytes());
        assert_eq!(to_utf8(text.as_bytes().to_vec()), text.as_bytes());
        assert_eq!(to_utf8(Vec::new()), b"");
    }
}
