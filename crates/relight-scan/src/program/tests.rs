//! Small programs of each format, and damaged ones.

use testkit::Rng;

use super::*;
use crate::window::Window;

/// An ELF file with one section `.rodata`, in either width and order.
fn elf(wide: bool, little: bool, content: &[u8]) -> Vec<u8> {
    let number = |value: u64, len: usize| -> Vec<u8> {
        match little {
            true => value.to_le_bytes()[..len].to_vec(),
            false => value.to_be_bytes()[8 - len..].to_vec(),
        }
    };
    let word = if wide { 8 } else { 4 };
    let (entry, names) = (if wide { 64 } else { 40 }, b"\0.rodata\0.shstrtab\0");
    let mut file = vec![0; 64];
    file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 1 + u8::from(wide), 2 - u8::from(little)]);
    file.extend(content);
    let names_at = file.len() as u64;
    file.extend(names);
    let headers_at = file.len() as u64;
    for (name, kind, address, start, size) in [
        (0, 0, 0, 0, 0),
        (1, 1, 0x1000, 64, content.len() as u64),
        (9, 3, 0, names_at, names.len() as u64),
    ] {
        let mut header = [number(name, 4), number(kind, 4), number(0, word)].concat();
        for value in [address, start, size] {
            header.extend(number(value, word));
        }
        header.resize(entry, 0);
        file.extend(header);
    }
    let at = if wide { [0x28, 0x3a, 0x3c, 0x3e] } else { [0x20, 0x2e, 0x30, 0x32] };
    for (at, value, len) in
        [(at[0], headers_at, word), (at[1], entry as u64, 2), (at[2], 3, 2), (at[3], 2, 2)]
    {
        file[at..at + len].copy_from_slice(&number(value, len));
    }
    file
}

fn sections(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let window = Window::of_memory(bytes.to_vec());
    let program = Program::open(&window).unwrap().unwrap();
    let named = program.sections.iter().filter(|it| !it.name.is_empty());
    named.map(|it| (it.name.clone(), program.read(it).unwrap())).collect()
}

#[test]
fn elf_of_both_widths_and_orders() {
    for (wide, little) in [(true, true), (true, false), (false, true), (false, false)] {
        let bytes = elf(wide, little, b"constants");
        let found = sections(&bytes);
        assert_eq!(found[0], (".rodata".to_owned(), b"constants".to_vec()), "{wide} {little}");
        let window = Window::of_memory(bytes);
        let program = Program::open(&window).unwrap().unwrap();
        assert_eq!(program.loaded(0x1004, 5).unwrap().unwrap(), b"tants");
        assert_eq!(program.loaded(0x1009, 5).unwrap(), None);
        assert_eq!(program.section(&[".text"]), None);
    }
}

#[test]
fn a_program_without_section_headers_has_segments() {
    let mut bytes = elf(true, true, b"segment");
    bytes[0x28..0x30].fill(0);
    let end = bytes.len() as u64;
    bytes[0x20..0x28].copy_from_slice(&end.to_le_bytes());
    bytes[0x36..0x3a].copy_from_slice(&[56, 0, 1, 0]);
    let mut segment = vec![0; 56];
    segment[0] = 1;
    segment[8] = 64;
    segment[32] = 7;
    bytes.extend(segment);
    assert_eq!(sections(&bytes), [(".rodata".to_owned(), b"segment".to_vec())]);
}

#[test]
fn pe_and_mach() {
    let mut pe = vec![0; 0x40 + 24 + 40];
    pe[..2].copy_from_slice(b"MZ");
    pe[0x3c] = 0x40;
    pe[0x40..0x44].copy_from_slice(b"PE\0\0");
    pe[0x46] = 1;
    pe[0x58..0x5e].copy_from_slice(b".rdata");
    pe[0x58 + 16] = 4;
    pe[0x58 + 20] = 0x80;
    pe.extend(b"data");
    assert_eq!(sections(&pe), [(".rdata".to_owned(), b"data".to_vec())]);

    let mut mach = vec![0; 32 + 72 + 80];
    mach[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
    mach[20] = 72 + 80;
    mach[32] = 0x19;
    mach[36] = 72 + 80;
    mach[104..113].copy_from_slice(b"__cstring");
    mach[144] = 4;
    mach[152] = 184;
    mach.extend(b"text");
    assert_eq!(sections(&mach), [("__cstring".to_owned(), b"text".to_vec())]);

    let mut fat = vec![0; 28];
    fat[..8].copy_from_slice(&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 1]);
    fat[19] = 28;
    fat.extend(&mach);
    assert_eq!(sections(&fat), [("__cstring".to_owned(), b"text".to_vec())]);

    // The form with offsets of 64 bits.
    let mut fat = vec![0; 40];
    fat[..8].copy_from_slice(&[0xca, 0xfe, 0xba, 0xbf, 0, 0, 0, 1]);
    (fat[23], fat[31]) = (40, mach.len() as u8);
    fat.extend(&mach);
    assert_eq!(sections(&fat), [("__cstring".to_owned(), b"text".to_vec())]);
    let behind = Window::of_memory([&fat[..], b"behind"].concat());
    assert_eq!(ends_of_mach(&behind).unwrap().0, [fat.len() as u64]);
}

/// Goal: where a table goes on behind what is read of it, that is known. Method: each format with
/// more parts than are looked at, and with a file that ends in its table.
#[test]
fn a_table_that_is_not_all_there_is_known() {
    let cut = |bytes: Vec<u8>| {
        let window = Window::of_memory(bytes);
        Program::open(&window).unwrap().unwrap().cut.map(FlawCode::as_str)
    };
    let mut mach = vec![0; 32];
    mach[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
    assert_eq!(cut(mach.clone()), None);
    mach[20] = 8;
    assert_eq!(cut(mach.clone()), Some("truncated"), "commands behind the end");
    mach[20..24].copy_from_slice(&(2_u32 << 20).to_le_bytes());
    mach.resize(32 + (2 << 20), 0);
    assert_eq!(cut(mach), Some("limit-entries"), "more commands than are read");
    let fat = |machines: u8| {
        let mut fat = vec![0; 8 + 20 * usize::from(machines)];
        fat[..8].copy_from_slice(&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, machines]);
        let at = fat.len() as u8;
        fat.iter_mut().skip(19).step_by(20).for_each(|offset| *offset = at);
        let mut mach = vec![0; 32];
        mach[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
        [fat, mach].concat()
    };
    assert_eq!(cut(fat(11)), None);
    let mut many = fat(11);
    many[7] = 44;
    many.resize(1_000, 0);
    assert_eq!(cut(many), Some("limit-entries"), "more machines than are looked at");
    let mut elf = elf(true, true, b"");
    elf[0x28..0x30].fill(0);
    elf[0x20..0x28].copy_from_slice(&64_u64.to_le_bytes());
    (elf[0x36], elf[0x38]) = (56, 1);
    assert_eq!(cut(elf.clone()), None);
    elf[0x38] = 250;
    assert_eq!(cut(elf), Some("truncated"), "segments behind the end");
}

#[test]
fn pieces_cover_a_section_and_share_their_borders() {
    let mut content = vec![b'.'; 3 * PIECE_BYTES as usize];
    let marks = [0, PIECE_BYTES - 3, PIECE_BYTES, 2 * PIECE_BYTES - 600, 3 * PIECE_BYTES - 6];
    for at in marks {
        content[at as usize..at as usize + 6].copy_from_slice(b"marked");
    }
    content[PIECE_BYTES as usize - 3..PIECE_BYTES as usize + 6].copy_from_slice(b"marmarked");
    let window = Window::of_memory(elf(true, true, &content));
    let program = Program::open(&window).unwrap().unwrap();
    let mut pieces = 0;
    let mut seen = 0;
    program
        .constants(|piece| {
            assert!(piece.len() as u64 <= PIECE_BYTES);
            pieces += 1;
            seen += memchr::memmem::find_iter(piece, b"marked").count();
        })
        .unwrap();
    assert_eq!(pieces, 4);
    assert!(seen >= 4, "{seen}");
}

#[test]
fn damaged_headers_never_panic_and_never_read_much() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let mut bytes = elf(rng.chance(50), rng.chance(50), b"constants");
        if rng.chance(30) {
            bytes[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
        } else if rng.chance(20) {
            bytes[..2].copy_from_slice(b"MZ");
            bytes[0x3c] = 0x40;
        }
        for _ in 0..rng.below(12) {
            let at = rng.below(bytes.len());
            bytes[at] = *rng.pick(&[0, 1, 0x40, 0x7f, 0xff]);
        }
        bytes.truncate(1 + rng.below(bytes.len()));
        let window = Window::of_memory(bytes.clone());
        let Ok(Some(program)) = Program::open(&window) else { continue };
        assert!(program.sections.len() <= SECTIONS_MAX * 16, "seed {seed}");
        for section in &program.sections {
            assert!(program.read(section).unwrap().len() <= bytes.len(), "seed {seed}");
            let _ = program.loaded(section.address.wrapping_add(1), u64::MAX).unwrap();
        }
        program.constants(|piece| assert!(piece.len() <= bytes.len())).unwrap();
    }
}

#[test]
fn the_number_of_sections_is_limited() {
    let mut bytes = elf(true, true, b"");
    let header = bytes.len() as u64 - 64;
    bytes[0x28..0x30].copy_from_slice(&header.to_le_bytes());
    bytes[0x3c..0x3e].copy_from_slice(&[0xff, 0xff]);
    bytes.resize(bytes.len() + 64 * 70_000, 0);
    let window = Window::of_memory(bytes);
    let program = Program::open(&window).unwrap().unwrap();
    assert_eq!(program.sections.len(), SECTIONS_MAX);
}
