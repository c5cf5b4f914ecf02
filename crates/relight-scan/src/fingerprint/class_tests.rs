//! What a fingerprint does and does not depend on, and what hostile class files do.

use testkit::Rng;

use super::class::{Form, KEPT_BYTES_MAX, read, simple_hash};
use super::class_writer::{Class, Constant, Method, Part, numbered};
use crate::cataloger::ClassPrint;

fn print(class: &Class) -> ClassPrint {
    read(&class.write()).unwrap()
}

fn same(one: &Class, other: &Class) -> (bool, bool) {
    let (one, other) = (print(one), print(other));
    (one.shape == other.shape, one.text == other.text)
}

/// A random class about classes of a package.
fn any_class(seed: u64, package: &str) -> Class {
    let mut rng = Rng::new(seed);
    let name = |rng: &mut Rng| format!("{package}/C{}", rng.below(9));
    let mut class = numbered(&name(&mut rng), rng.below(99) as i32);
    class.superclass = name(&mut rng);
    for _ in 0..rng.below(3) {
        class.interfaces.push(name(&mut rng));
    }
    for _ in 0..rng.below(4) {
        let of_class = format!("[L{};", name(&mut rng));
        let value = Constant::Int(rng.below(1000) as i32);
        let plain = (["I", "J", "[[B"][rng.below(3)].to_owned(), Some(value));
        class.fields.push(if rng.chance(50) { (of_class, None) } else { plain });
    }
    for number in 0..rng.below(5) {
        let descriptor = format!("(L{};J[L{};)V", name(&mut rng), name(&mut rng));
        let dotted = name(&mut rng).replace('/', ".");
        let code = vec![
            Part::Load(Constant::Text(dotted), rng.chance(50)),
            Part::Load(Constant::Text(format!("text {}", rng.below(50))), false),
            Part::Load(Constant::Long(rng.below(50) as i64), false),
            Part::Class(0xbb, name(&mut rng)),
            Part::Bytes(vec![0x15, rng.below(4) as u8, 0x99, 0, 3, 0xb1]),
        ];
        class.methods.push(Method { name: format!("m{number}"), descriptor, code: Some(code) });
    }
    class
}

#[test]
fn relocation_leaves_any_class_equal() {
    for seed in 0..500 {
        let before = any_class(seed, "org/apache/logging");
        for package in ["a/b", "shadow/org/apache/logging", "org/apache/logging2", "x/y/z/w"] {
            let mut after = any_class(seed, package);
            // A rewriter leaves old constants behind, and numbers the pool anew.
            after.unused = vec!["org.apache.logging.Left".into(); seed as usize % 400];
            assert_eq!(same(&before, &after), (true, true), "seed {seed}, {package}");
        }
    }
}

#[test]
fn what_is_not_part_of_it() {
    let class = any_class(7, "org/example");
    let mut other = class.clone();
    other.access = 0x21;
    other.version = 61;
    other.name = "Other".into();
    other.superclass = "java/lang/Enum".into();
    other.methods.reverse();
    other.fields.reverse();
    for method in &mut other.methods {
        method.name = "a".into();
    }
    assert_eq!(same(&class, &other), (true, true));
    assert_eq!(print(&class).name_bytes, u16::try_from(class.name.len()).unwrap());
    assert_eq!(print(&other).simple_name, simple_hash(b"Other"));
    assert_eq!(print(&class).simple_name, simple_hash(class.name.as_bytes()));
}

#[test]
fn code_is_part_of_the_shape_and_literals_of_the_text() {
    let with = |code: Vec<Part>| {
        let mut class = numbered("A", 1);
        class.methods[0].code = Some(code);
        class
    };
    let check = |one: Vec<Part>, other: Vec<Part>, expected: (bool, bool)| {
        let message = format!("{one:?} {other:?}");
        assert_eq!(same(&with(one), &with(other)), expected, "{message}");
    };
    let bytes = |code: &[u8]| vec![Part::Bytes(code.to_vec())];
    let text = |text: &str| vec![Part::Load(Constant::Text(text.into()), false)];
    // Operands that say what the code does.
    check(bytes(&[0x10, 1]), bytes(&[0x10, 2]), (false, false));
    check(bytes(&[0x11, 0, 1]), bytes(&[0x11, 1, 0]), (false, false));
    check(bytes(&[0x84, 1, 1]), bytes(&[0x84, 1, 2]), (false, false));
    check(bytes(&[0xbc, 8]), bytes(&[0xbc, 10]), (false, false));
    // Where to, of which class, and how far.
    check(bytes(&[0xa7, 0, 3]), bytes(&[0xc8, 0, 0, 0, 9]), (true, true));
    check(bytes(&[0xb6, 0, 3]), bytes(&[0xb6, 0, 4]), (true, true));
    check(bytes(&[0xc4, 0x15, 1, 0]), bytes(&[0xc4, 0x15, 0, 1]), (true, true));
    check(bytes(&[0xc4, 0x84, 1, 0, 1, 1]), bytes(&[0xc4, 0x84, 1, 0, 1, 2]), (true, true));
    let table = [0xaa, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0xb1];
    let lookup = [0xab, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0xb1];
    check(bytes(&table), bytes(&[&table[..20], &[0xac]].concat()), (false, false));
    check(bytes(&lookup), bytes(&[&lookup[..12], &[9; 8], &[0xb1]].concat()), (true, true));
    // Literals, and names that a relocator may rewrite.
    check(text("one"), text("two"), (true, false));
    check(text("%d {}"), text("%s {}"), (true, false));
    check(text("a.b"), text("org.example.Name"), (true, true));
    check(text("/a/b/"), text("/shaded/a/b/"), (true, true));
    check(text("org.example.Name:type=x"), text("a.b.c.d:type=x"), (true, true));
    check(text("org.example.Name:type=x"), text("org.example.Name:type=y"), (true, false));
    check(text("e.g. one"), text("i.e. one"), (true, false));
    check(text("2.14.1"), text("2.15.0"), (true, false));
    check(text("word"), text("other"), (true, false));
    check(text("[Lorg.example.Name;"), text("[La.b.C;"), (true, true));
}

#[test]
fn hostile_files_are_refused_and_never_a_panic() {
    let good = any_class(3, "org/example").write();
    assert!(read(&good).is_some());
    for len in 0..good.len() {
        assert_eq!(read(&good[..len]), None, "cut at {len}");
    }
    assert!(read(&[&good[..], b"behind the end"].concat()).is_some());
    for seed in 0..20_000 {
        let mut rng = Rng::new(seed);
        let mut bytes = good.clone();
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len());
            bytes[at] = rng.next() as u8;
        }
        let _ = read(&bytes);
    }
}

/// Members that share a long descriptor, and constants that share a long text, cost no more than
/// their bytes.
#[test]
fn work_is_bounded_by_the_size_of_the_file() {
    let long = format!("({}V", "L".repeat(60_000));
    let mut class = numbered("A", 1);
    let method = Method { name: "m".into(), descriptor: long, code: None };
    class.methods = vec![method; 200];
    assert!(read(&class.write()).is_some());
    class.methods.resize(300, class.methods[0].clone());
    assert_eq!(read(&class.write()), None, "over the limit on descriptors");
}

#[test]
fn an_opcode_that_no_class_file_has_is_malformed() {
    for opcode in 0xca..=0xff_u8 {
        let mut class = numbered("A", 1);
        class.methods[0].code = Some(vec![Part::Bytes(vec![opcode])]);
        assert_eq!(read(&class.write()), None, "{opcode:x}");
    }
}

/// Goal: one large class leaves no room behind in each thread for the rest of a scan. Method: as
/// many bytes as are kept, and eight times as many.
#[test]
fn room_of_a_large_class_is_given_back() {
    let mut form = Form::default();
    form.extend(&vec![1; KEPT_BYTES_MAX]);
    form.clear();
    assert_eq!(form.room_bytes(), KEPT_BYTES_MAX, "kept for the next class");
    form.extend(&vec![1; 8 * KEPT_BYTES_MAX]);
    form.clear();
    assert_eq!(form.room_bytes(), 0);
}
