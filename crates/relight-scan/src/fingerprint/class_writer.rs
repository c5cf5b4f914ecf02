//! Writes class files for tests: just enough of the format, with everything that fingerprints must
//! not depend on under the test's control.

/// A class of a test. Constants are added in the order in which they are first needed, behind
/// `unused` constants, so that two writers give two orders of the pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Class {
    /// `org/example/Main`
    pub(crate) name: String,
    /// The superclass.
    pub(crate) superclass: String,
    /// Names of interfaces.
    pub(crate) interfaces: Vec<String>,
    /// Descriptor and constant value of each field.
    pub(crate) fields: Vec<(String, Option<Constant>)>,
    /// Methods.
    pub(crate) methods: Vec<Method>,
    /// Strings in the pool that nothing refers to.
    pub(crate) unused: Vec<String>,
    /// Access flags of the class and of all members.
    pub(crate) access: u16,
    /// Major version of the format.
    pub(crate) version: u16,
}

/// A method of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) descriptor: String,
    /// `None` is a method without code.
    pub(crate) code: Option<Vec<Part>>,
}

/// A piece of code.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// `ldc` of a constant, or `ldc_w` if so asked.
    Load(Constant, bool),
    /// An opcode with a reference to a class of this name.
    Class(u8, String),
}

/// A constant that code or a field uses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Text(String),
    Int(i32),
    Long(i64),
}

/// The pool while a class is written.
#[derive(Default)]
struct Pool {
    bytes: Vec<u8>,
    count: u16,
}

impl Pool {
    fn add(&mut self, tag: u8, body: &[u8]) -> u16 {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(body);
        self.count += 1;
        let index = self.count;
        self.count += u16::from(matches!(tag, 5 | 6));
        index
    }

    fn utf8(&mut self, text: &str) -> u16 {
        let mut body = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        body.extend_from_slice(text.as_bytes());
        self.add(1, &body)
    }

    fn class(&mut self, name: &str) -> u16 {
        let name = self.utf8(name);
        self.add(7, &name.to_be_bytes())
    }

    fn constant(&mut self, constant: &Constant) -> u16 {
        match constant {
            Constant::Text(text) => {
                let text = self.utf8(text);
                self.add(8, &text.to_be_bytes())
            }
            Constant::Int(number) => self.add(3, &number.to_be_bytes()),
            Constant::Long(number) => self.add(5, &number.to_be_bytes()),
        }
    }
}

impl Class {
    /// The bytes of the class file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut pool = Pool::default();
        for text in &self.unused {
            pool.constant(&Constant::Text(text.clone()));
        }
        let mut body = Vec::new();
        let mut put = |number: u16| body.extend_from_slice(&number.to_be_bytes());
        put(self.access);
        put(pool.class(&self.name));
        put(pool.class(&self.superclass));
        put(u16::try_from(self.interfaces.len()).unwrap());
        for name in &self.interfaces {
            put(pool.class(name));
        }
        body.extend(self.members(&mut pool));
        body.extend([0, 0]);
        let mut out = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0];
        out.extend(self.version.to_be_bytes());
        out.extend((pool.count + 1).to_be_bytes());
        out.extend(pool.bytes);
        out.extend(body);
        out
    }

    fn members(&self, pool: &mut Pool) -> Vec<u8> {
        let mut out = u16::try_from(self.fields.len()).unwrap().to_be_bytes().to_vec();
        for (number, (descriptor, value)) in self.fields.iter().enumerate() {
            let head = [self.access, pool.utf8(&format!("f{number}")), pool.utf8(descriptor)];
            out.extend(head.into_iter().flat_map(u16::to_be_bytes));
            out.extend(u16::from(value.is_some()).to_be_bytes());
            if let Some(value) = value {
                let index = pool.constant(value);
                attribute(&mut out, pool, "ConstantValue", &index.to_be_bytes());
            }
        }
        out.extend(u16::try_from(self.methods.len()).unwrap().to_be_bytes());
        for method in &self.methods {
            let head = [self.access, pool.utf8(&method.name), pool.utf8(&method.descriptor)];
            out.extend(head.into_iter().flat_map(u16::to_be_bytes));
            out.extend(u16::from(method.code.is_some()).to_be_bytes());
            if let Some(parts) = &method.code {
                let code = code(parts, pool);
                let mut body = vec![0, 9, 0, 9];
                body.extend(u32::try_from(code.len()).unwrap().to_be_bytes());
                body.extend(code);
                body.extend([0, 0, 0, 0]);
                attribute(&mut out, pool, "Code", &body);
            }
        }
        out
    }
}

fn attribute(out: &mut Vec<u8>, pool: &mut Pool, name: &str, body: &[u8]) {
    out.extend(pool.utf8(name).to_be_bytes());
    out.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    out.extend_from_slice(body);
}

fn code(parts: &[Part], pool: &mut Pool) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        match part {
            Part::Bytes(bytes) => out.extend_from_slice(bytes),
            Part::Class(opcode, name) => {
                out.push(*opcode);
                out.extend(pool.class(name).to_be_bytes());
            }
            Part::Load(constant, wide) => {
                let index = pool.constant(constant);
                match constant {
                    Constant::Long(_) => out.push(0x14),
                    _ if *wide || index > 255 => out.push(0x13),
                    _ => {
                        out.extend([0x12, u8::try_from(index).unwrap()]);
                        continue;
                    }
                }
                out.extend(index.to_be_bytes());
            }
        }
    }
    out
}

/// A class with code that no other number gives.
pub(crate) fn numbered(name: &str, number: i32) -> Class {
    let text = Constant::Text(format!("literal {number}"));
    let load = vec![
        Part::Load(text, false),
        Part::Class(0xbb, "java/lang/Object".into()),
        Part::Bytes(vec![0x57, 0x57, 0x10, number as u8, 0x11, (number >> 8) as u8, 0, 0x57, 0xb1]),
    ];
    let method = Method {
        name: "run".into(),
        descriptor: "(Ljava/lang/String;I)V".into(),
        code: Some(load),
    };
    Class {
        name: name.into(),
        superclass: "java/lang/Object".into(),
        methods: vec![method],
        access: 1,
        version: 52,
        ..Class::default()
    }
}
