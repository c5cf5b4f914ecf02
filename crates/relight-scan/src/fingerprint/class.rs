//! Method 1: what a class file is, whatever it is called. A change here is another method, and
//! makes every fingerprint database that was built before useless.
//!
//! 1. *Masked descriptor*: each `L…;` becomes `L;`; primitives and array depth stay.
//! 2. *Field item*: `F` and the masked descriptor. *Method item*: `M`, the masked descriptor, `|`
//!    and the code form, which is empty without `Code`.
//! 3. *Code form*: see [`FORMS`]. `ldc_w` is `ldc`, `goto_w` is `goto`, `jsr_w` is `jsr`: tools
//!    that rewrite the constant pool or move code change one into the other.
//! 4. **shape** = H(sorted hashes of the items, then the number of interfaces). H is XXH3-64;
//!    numbers are little-endian.
//! 5. *Literals*: constants of type string, int, float, long and double that are referenced by
//!    `ldc*`, `ConstantValue` or a bootstrap argument; rewriters leave unreferenced ones behind.
//!    Each is a tag and its bytes, hashed; a qualified name in front is reduced to a zero byte
//!    ([`name_len`]), because relocators rewrite it.
//!    **text** = H(shape, then the sorted hashes of the literals, without doubles).
//!
//! Not part: names of class, member and package; superclass; access flags; annotations; debug
//! data; stack maps; exception tables; the order of members and of the constant pool; the version
//! of the format (Java Virtual Machine Specification, chapter 4).

use std::cell::RefCell;

use xxhash_rust::xxh3::xxh3_64;

use crate::cataloger::ClassPrint;

/// The first four bytes of a class file.
pub(crate) const MAGIC: [u8; 4] = [0xca, 0xfe, 0xba, 0xbe];

/// Bytes of descriptors of one class, counted as often as members use them. Members that share one
/// long descriptor would otherwise make hours of a small file.
const DESCRIPTOR_BYTES_MAX: usize = 16 << 20;

/// Room that is kept for the next class, in bytes, in each thread. Hardly any class needs more.
pub(super) const KEPT_BYTES_MAX: usize = 1 << 20;

/// Fingerprints a class file; `None` when it does not parse. Bytes behind its end are not looked
/// at: loaders that hide classes append some.
pub(crate) fn read(bytes: &[u8]) -> Option<ClassPrint> {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let at = Cursor { bytes, pos: 0 };
        let print = Parser { at, scratch, code_bytes: 0, descriptor_bytes: 0 }.class();
        // Not with the next class: it may be one of another scan, or never come.
        scratch.clear();
        print
    })
}

/// Buffers that are used again for the next class: allocation would cost more than hashing.
#[derive(Default)]
struct Scratch {
    /// Where the constant of each index stands, behind its tag; 0 for an index without one.
    constants: Vec<u32>,
    /// Which constants are noted as literals already; for a string, its bytes.
    noted: Vec<bool>,
    items: Vec<u64>,
    literals: Vec<u64>,
    /// One item, or what is hashed in the end.
    form: Form,
}

impl Scratch {
    fn clear(&mut self) {
        self.constants.clear();
        self.noted.clear();
        self.items.clear();
        self.literals.clear();
        self.form.clear();
    }
}

/// Bytes that are put together to be hashed. Its room is kept and never zeroed again: one look at
/// it for a run of instructions is cheaper than one for each byte.
#[derive(Default)]
pub(super) struct Form {
    room: Vec<u8>,
    len: usize,
}

impl Form {
    pub(super) fn clear(&mut self) {
        self.len = 0;
        if self.room.len() > KEPT_BYTES_MAX {
            self.room = Vec::new();
        }
    }

    /// Makes room for so many bytes behind what is there.
    fn reserve(&mut self, more: usize) {
        let wanted = self.len + more;
        if self.room.len() < wanted {
            self.room.resize(wanted.next_power_of_two(), 0);
        }
    }

    fn push(&mut self, byte: u8) {
        self.reserve(1);
        self.room[self.len] = byte;
        self.len += 1;
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.room[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Bytes that are held for the next class.
    #[cfg(test)]
    pub(super) fn room_bytes(&self) -> usize {
        self.room.capacity()
    }

    /// The hash of what is there from `start` on.
    fn hash_from(&self, start: usize) -> u64 {
        xxh3_64(&self.room[start..self.len])
    }
}

/// A place in the file. Every step is checked: the bytes come from strangers.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.pos.checked_add(len)?;
        let taken = self.bytes.get(self.pos..end)?;
        self.pos = end;
        Some(taken)
    }

    fn u1(&mut self) -> Option<u8> {
        self.take(1).map(|it| it[0])
    }

    fn u2(&mut self) -> Option<u16> {
        self.take(2).map(|it| u16::from_be_bytes([it[0], it[1]]))
    }

    fn u4(&mut self) -> Option<usize> {
        let it = self.take(4)?;
        usize::try_from(u32::from_be_bytes([it[0], it[1], it[2], it[3]])).ok()
    }
}

struct Parser<'a, 's> {
    at: Cursor<'a>,
    scratch: &'s mut Scratch,
    code_bytes: usize,
    descriptor_bytes: usize,
}

impl<'a> Parser<'a, '_> {
    fn class(&mut self) -> Option<ClassPrint> {
        if self.at.take(4)? != MAGIC {
            return None;
        }
        self.at.take(4)?;
        self.constant_pool()?;
        self.at.take(2)?;
        let this = self.at.u2()?;
        self.at.take(2)?;
        let interfaces = self.at.u2()?;
        self.at.take(2 * usize::from(interfaces))?;
        for _ in 0..self.at.u2()? {
            self.field()?;
        }
        for _ in 0..self.at.u2()? {
            self.method()?;
        }
        self.bootstrap_arguments()?;
        let name = self.class_name(this)?;
        let shape = self.shape(interfaces);
        Some(ClassPrint {
            shape,
            text: self.text(shape),
            name_bytes: u16::try_from(name.len()).ok()?,
            simple_name: simple_hash(name),
            // No member, or a constructor that the compiler wrote: thousands of classes are that.
            trivial: self.scratch.items.len() <= 1 && self.code_bytes <= 5,
        })
    }

    fn shape(&mut self, interfaces: u16) -> u64 {
        let Scratch { items, form, .. } = &mut *self.scratch;
        items.sort_unstable();
        form.clear();
        items.iter().for_each(|item| form.extend(&item.to_le_bytes()));
        form.extend(&interfaces.to_le_bytes());
        form.hash_from(0)
    }

    fn text(&mut self, shape: u64) -> u64 {
        let Scratch { literals, form, .. } = &mut *self.scratch;
        literals.sort_unstable();
        literals.dedup();
        form.clear();
        form.extend(&shape.to_le_bytes());
        literals.iter().for_each(|literal| form.extend(&literal.to_le_bytes()));
        form.hash_from(0)
    }

    fn constant_pool(&mut self) -> Option<()> {
        let count = usize::from(self.at.u2()?).max(1);
        let Scratch { constants, noted, .. } = &mut *self.scratch;
        constants.resize(count, 0);
        noted.resize(count, false);
        let (bytes, mut pos, mut index) = (self.at.bytes, self.at.pos, 1);
        while index < count {
            // None is shorter than three bytes.
            let &[tag, high, low] = bytes.get(pos..)?.first_chunk()?;
            constants[index] = u32::try_from(pos + 1).ok()?;
            pos += match CONSTANTS.get(usize::from(tag)) {
                None | Some(0) => return None,
                Some(&len) if tag == UTF8 => len + usize::from(u16::from_be_bytes([high, low])),
                Some(&len) => len,
            };
            // A long and a double take two indices.
            index += if matches!(tag, 5 | 6) { 2 } else { 1 };
        }
        self.at.pos = pos;
        self.at.take(0).map(|_| ())
    }

    /// A constant: its tag, and where it stands.
    fn constant(&self, index: u16) -> Option<(u8, Cursor<'a>)> {
        let pos = *self.scratch.constants.get(usize::from(index))? as usize;
        let tag = *self.at.bytes.get(pos.checked_sub(1)?)?;
        Some((tag, Cursor { bytes: self.at.bytes, pos }))
    }

    fn utf8(&self, index: u16) -> Option<&'a [u8]> {
        let (tag, mut at) = self.constant(index)?;
        let len = at.u2()?;
        if tag == UTF8 { at.take(len.into()) } else { None }
    }

    fn class_name(&self, index: u16) -> Option<&'a [u8]> {
        let (tag, mut at) = self.constant(index)?;
        if tag == 7 { self.utf8(at.u2()?) } else { None }
    }

    fn field(&mut self) -> Option<()> {
        self.at.take(4)?;
        self.start_item(b'F')?;
        self.scratch.items.push(self.scratch.form.hash_from(0));
        for _ in 0..self.at.u2()? {
            let (name, mut body) = self.attribute()?;
            if name == b"ConstantValue" {
                self.literal(body.u2()?)?;
            }
        }
        Some(())
    }

    fn method(&mut self) -> Option<()> {
        self.at.take(4)?;
        self.start_item(b'M')?;
        self.scratch.form.push(b'|');
        for _ in 0..self.at.u2()? {
            let (name, mut body) = self.attribute()?;
            if name == b"Code" {
                body.take(4)?;
                let len = body.u4()?;
                self.code_bytes += len;
                self.code(body.take(len)?)?;
            }
        }
        self.scratch.items.push(self.scratch.form.hash_from(0));
        Some(())
    }

    /// The kind of a member and its masked descriptor.
    fn start_item(&mut self, kind: u8) -> Option<()> {
        let descriptor = self.at.u2().and_then(|index| self.utf8(index))?;
        self.descriptor_bytes += descriptor.len();
        self.scratch.form.clear();
        self.scratch.form.push(kind);
        mask(descriptor, &mut self.scratch.form);
        (self.descriptor_bytes <= DESCRIPTOR_BYTES_MAX).then_some(())
    }

    fn attribute(&mut self) -> Option<(&'a [u8], Cursor<'a>)> {
        let name = self.at.u2().and_then(|index| self.utf8(index))?;
        let len = self.at.u4()?;
        let bytes = self.at.take(len)?;
        Some((name, Cursor { bytes, pos: 0 }))
    }

    /// The attributes of the class: only arguments of bootstrap methods hold literals.
    fn bootstrap_arguments(&mut self) -> Option<()> {
        for _ in 0..self.at.u2()? {
            let (name, mut body) = self.attribute()?;
            if name != b"BootstrapMethods" {
                continue;
            }
            for _ in 0..body.u2()? {
                body.take(2)?;
                for _ in 0..body.u2()? {
                    self.literal(body.u2()?)?;
                }
            }
        }
        Some(())
    }

    /// Appends the code form, and notes the literals that the code loads.
    fn code(&mut self, code: &[u8]) -> Option<()> {
        let mut at = Cursor { bytes: code, pos: 0 };
        // No instruction has a form longer than itself.
        self.scratch.form.reserve(code.len() + STEP_BYTES);
        loop {
            self.scratch.form.step(&mut at);
            let Some(opcode) = at.u1() else { return Some(()) };
            match FORMS[usize::from(opcode)] {
                Kept::Keep(operands) => {
                    self.scratch.form.push(opcode);
                    let operands = at.take(operands.into())?;
                    self.scratch.form.extend(operands);
                }
                Kept::Only(written, operands) => {
                    self.scratch.form.push(written);
                    at.take(operands.into())?;
                }
                Kept::Load(written, wide) => {
                    self.scratch.form.push(written);
                    let index = if wide { at.u2()? } else { at.u1()?.into() };
                    self.literal(index)?;
                }
                Kept::Table => {
                    self.scratch.form.push(opcode);
                    skip_table(opcode, &mut at)?;
                }
                Kept::Wide => {
                    let widened = at.u1()?;
                    self.scratch.form.extend(&[opcode, widened]);
                    at.take(if widened == IINC { 4 } else { 2 })?;
                }
                Kept::Unknown => return None,
            }
        }
    }

    /// Notes a constant if it is a literal.
    fn literal(&mut self, index: u16) -> Option<()> {
        let (tag, mut at) = self.constant(index)?;
        let bytes = match tag {
            3..=6 => index,
            8 => at.u2()?,
            _ => return Some(()),
        };
        // Each is hashed once, however often it is used: the work is bounded by the file's size.
        if std::mem::replace(self.scratch.noted.get_mut(usize::from(bytes))?, true) {
            return Some(());
        }
        let hash = match tag {
            3 | 4 => tagged(tag, at.take(4)?),
            5 | 6 => tagged(tag, at.take(8)?),
            _ => {
                let text = self.utf8(bytes)?;
                string_hash(text, &mut self.scratch.form)
            }
        };
        self.scratch.literals.push(hash);
        Some(())
    }
}

/// The hash of a string literal. The item that is being built stands in front in the buffer and is
/// left as it was.
fn string_hash(text: &[u8], form: &mut Form) -> u64 {
    let start = form.len;
    form.push(8);
    let name = name_len(text);
    if name > 0 {
        form.push(0);
    }
    form.extend(&text[name..]);
    let hash = form.hash_from(start);
    form.len = start;
    hash
}

fn tagged(tag: u8, bytes: &[u8]) -> u64 {
    let mut form = [0; 9];
    form[0] = tag;
    form[1..=bytes.len()].copy_from_slice(bytes);
    xxh3_64(&form[..=bytes.len()])
}

/// Hash of the last segment of a class's name: enough to see that a file was renamed.
pub(crate) fn simple_hash(name: &[u8]) -> u32 {
    let start = memchr::memrchr(b'/', name).map_or(0, |at| at + 1);
    (xxh3_64(&name[start..]) >> 32) as u32
}

fn mask(descriptor: &[u8], out: &mut Form) {
    let mut rest = descriptor;
    while let Some(at) = rest.iter().position(|byte| *byte == b'L') {
        let (kept, name) = rest.split_at(at + 1);
        out.extend(kept);
        rest = &name[memchr::memchr(b';', name).unwrap_or(name.len())..];
    }
    out.extend(rest);
}

/// How many bytes in front of a string are a qualified name that a relocator may rewrite:
/// two identifiers joined by `.` or `/` when they are all of it, three or more when something
/// follows (`org.apache.logging.log4j2:type=%s`), with the `/`, `L` or `[L` that may stand before.
fn name_len(text: &[u8]) -> usize {
    let start = text.iter().take_while(|byte| matches!(byte, b'[' | b'/')).count();
    let (mut pos, mut parts) = (start, 0);
    while text.get(pos).is_some_and(|byte| is_letter(*byte)) {
        let rest = text[pos..].iter();
        pos += rest.take_while(|byte| is_letter(**byte) || is_inner(**byte)).count();
        parts += 1;
        match text.get(pos) {
            Some(b'.' | b'/') if text.get(pos + 1).is_some_and(|next| is_letter(*next)) => pos += 1,
            _ => break,
        }
    }
    let tail = &text[pos..];
    let is_whole = matches!(tail, [] | [b'.' | b'/' | b';']);
    if parts >= 3 || (parts == 2 && is_whole) { pos } else { 0 }
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

const fn is_inner(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'-'
}

fn skip_table(opcode: u8, at: &mut Cursor<'_>) -> Option<()> {
    at.take((4 - at.pos % 4) % 4)?;
    at.take(4)?;
    let low = at.u4()?;
    let entries = if opcode == TABLESWITCH {
        // Both bounds are signed; their difference is what counts.
        let high = at.u4()?;
        let [low, high] = [low, high].map(|it| i64::from(it as u32 as i32));
        usize::try_from(high - low + 1).ok()?
    } else {
        low.checked_mul(2)?
    };
    at.take(entries.checked_mul(4)?).map(|_| ())
}

const TABLESWITCH: u8 = 0xaa;
const IINC: u8 = 0x84;

/// What of an instruction is part of the code form.
#[derive(Clone, Copy)]
enum Kept {
    /// The opcode and this many bytes of operands.
    Keep(u8),
    /// This opcode; so many bytes of operands are left out.
    Only(u8, u8),
    /// This opcode; the operand names a constant, by two bytes if so said.
    Load(u8, bool),
    /// The opcode; padding and table are left out.
    Table,
    /// The prefix and the opcode behind it.
    Wide,
    /// No instruction of any class file.
    Unknown,
}

/// Bytes that are copied for an instruction, whatever it keeps of them.
const STEP_BYTES: usize = 4;

/// Bytes that an instruction takes at most of those that are stepped over.
const TAKEN_BYTES_MAX: usize = 5;

/// Of each opcode that only copies the bytes in front of it: how many it keeps and takes, as the
/// halves of a number; 0 of any other.
const STEPS: [u8; 256] = {
    let mut steps = [0; 256];
    let mut opcode = 0;
    while opcode < 256 {
        steps[opcode] = match FORMS[opcode] {
            Kept::Keep(operands) => (1 + operands) << 4 | (1 + operands),
            Kept::Only(written, operands) if written as usize == opcode => 1 << 4 | (1 + operands),
            _ => 0,
        };
        opcode += 1;
    }
    steps
};

impl Form {
    /// Appends the instructions that come next and are copied, up to one that is not or that
    /// stands so near to the end that there are too few bytes to copy. Nothing branches on what
    /// they are: processors cannot guess that. There is room for all of them.
    fn step(&mut self, at: &mut Cursor<'_>) {
        let (mut len, mut pos) = (self.len, at.pos);
        while let Some(ahead) = at.bytes.get(pos..pos + TAKEN_BYTES_MAX)
            && let step @ 1.. = STEPS[usize::from(ahead[0])]
            && let Some(room) = self.room.get_mut(len..len + STEP_BYTES)
        {
            room.copy_from_slice(&ahead[..STEP_BYTES]);
            len += usize::from(step >> 4);
            pos += usize::from(step & 15);
        }
        (self.len, at.pos) = (len, pos);
    }
}

/// The tag of a text in the constant pool.
const UTF8: u8 = 1;

/// Bytes of a constant of each tag, with the tag; of a text without what it is. 0 for a tag that
/// no class file has.
const CONSTANTS: [usize; 21] = [0, 3, 0, 5, 5, 9, 9, 3, 3, 5, 5, 5, 5, 0, 0, 4, 3, 5, 5, 3, 3];

/// The form of each opcode.
const FORMS: [Kept; 256] = {
    let mut forms = [Kept::Unknown; 256];
    let mut opcode = 0;
    while opcode <= 0xc9 {
        forms[opcode] = form_of(opcode as u8);
        opcode += 1;
    }
    forms
};

const fn form_of(opcode: u8) -> Kept {
    match opcode {
        // bipush; loads, stores and ret of a local; newarray
        0x10 | 0x15..=0x19 | 0x36..=0x3a | 0xa9 | 0xbc => Kept::Keep(1),
        // sipush; iinc
        0x11 | IINC => Kept::Keep(2),
        0x12 => Kept::Load(0x12, false),
        0x13 => Kept::Load(0x12, true),
        0x14 => Kept::Load(0x14, true),
        // branches; fields and calls; new, anewarray, checkcast, instanceof; ifnull, ifnonnull
        0x99..=0xa8 | 0xb2..=0xb8 | 0xbb | 0xbd | 0xc0 | 0xc1 | 0xc6 | 0xc7 => {
            Kept::Only(opcode, 2)
        }
        TABLESWITCH | 0xab => Kept::Table,
        // invokeinterface, invokedynamic
        0xb9 | 0xba => Kept::Only(opcode, 4),
        0xc4 => Kept::Wide,
        // multianewarray
        0xc5 => Kept::Only(opcode, 3),
        // goto_w, jsr_w
        0xc8 | 0xc9 => Kept::Only(opcode - 0x21, 4),
        _ => Kept::Keep(0),
    }
}
