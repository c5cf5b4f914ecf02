//! Where every byte went: read, listed, opaque or flawed. Nothing else, and nothing twice.

/// Bytes by what became of them. Their sum is the bytes that were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// All of them, counted where they were met.
    pub bytes: u64,
    /// Parsed by a cataloger, fingerprinted, or walked as a container.
    pub read: u64,
    /// Known by name, size and check sum only, or code that we cannot look into.
    pub listed: u64,
    /// Sniffed: no container, and nothing that a cataloger wants.
    pub opaque: u64,
    /// Not read; a flaw says why.
    pub flawed: u64,
}

/// What became of one file or member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    Opaque,
    Listed,
    Read,
    Flawed,
}

impl Account {
    /// Every byte is in one class.
    pub const fn balances(&self) -> bool {
        self.bytes == self.read + self.listed + self.opaque + self.flawed
    }

    /// Adds what another worker counted.
    pub(crate) fn merge(&mut self, other: Self) {
        let Self { bytes: _, read, listed, opaque, flawed } = other;
        self.add(Fate::Flawed, flawed);
        self.add(Fate::Read, read);
        self.add(Fate::Listed, listed);
        self.add(Fate::Opaque, opaque);
    }

    /// Counts bytes that were met. Headers may name any number; the sum ends at the largest one.
    pub(crate) fn add(&mut self, fate: Fate, bytes: u64) {
        let bytes = bytes.min(u64::MAX - self.bytes);
        self.bytes += bytes;
        let class = match fate {
            Fate::Read => &mut self.read,
            Fate::Listed => &mut self.listed,
            Fate::Opaque => &mut self.opaque,
            Fate::Flawed => &mut self.flawed,
        };
        *class += bytes;
    }
}
