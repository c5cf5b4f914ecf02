//! Class files of one's own, for look-alikes.

/// The bytes of a class that has one static field, a string, and no method.
pub(super) fn file(name: &str, literal: &str) -> Vec<u8> {
    let mut out = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52];
    // One more than the number of constants.
    out.extend(10_u16.to_be_bytes());
    utf8(&mut out, name);
    out.extend([7, 0, 1]);
    utf8(&mut out, "java/lang/Object");
    out.extend([7, 0, 3]);
    for text in ["VALUE", "Ljava/lang/String;", "ConstantValue", literal] {
        utf8(&mut out, text);
    }
    out.extend([8, 0, 8]);
    // Public; this class, its parent, no interface, one field.
    out.extend([0, 0x21, 0, 2, 0, 4, 0, 0, 0, 1]);
    // The field: static and final, its name and type, one attribute with its value.
    out.extend([0, 0x19, 0, 5, 0, 6, 0, 1, 0, 7, 0, 0, 0, 2, 0, 9]);
    // No method and no attribute.
    out.extend([0, 0, 0, 0]);
    out
}

fn utf8(out: &mut Vec<u8>, text: &str) {
    out.push(1);
    out.extend(u16::try_from(text.len()).unwrap_or_default().to_be_bytes());
    out.extend(text.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn the_java_tools_read_it() {
        let folder = std::env::temp_dir().join(format!("corpus-class-{}", std::process::id()));
        let file = file("a/JndiLookup", "not a lookup");
        super::super::builder::write(&folder.join("a/JndiLookup.class"), &file).unwrap();
        let shown = process::quiet(&folder, "javap", &["-constants", "-cp", ".", "a.JndiLookup"]);
        std::fs::remove_dir_all(&folder).unwrap();
        // Where there is no Java, only the head can be compared.
        assert_eq!(file[..4], [0xca, 0xfe, 0xba, 0xbe]);
        if let Ok(shown) = shown {
            assert!(shown.stdout.contains("VALUE = \"not a lookup\""), "{shown:?}");
        }
    }
}
