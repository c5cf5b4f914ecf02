//! What an advisory of our own means that no name of a package says: files, by their digest and by
//! example.

use crate::{Digest, Values};

/// Something that makes whoever holds it affected, whatever it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exhibit {
    /// A file with this SHA-256.
    File(Digest),
    /// A container that is like this one.
    Like(Example),
}

/// An example, and how like it something must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// What the file was called.
    pub name: String,
    /// What it is made of.
    pub values: Values,
    /// The least share that counts, in thousandths.
    pub least: u16,
}
