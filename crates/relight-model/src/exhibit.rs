//! What an advisory of our own means that no name of a package says: files, by their digest, by
//! example and by their path, and classes by their name.

use crate::{Digest, Glob, Values};

/// Something that makes whoever holds it affected, whatever it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exhibit {
    /// A file with this SHA-256.
    File(Digest),
    /// A container that is like this one.
    Like(Example),
    /// A file, or something in it, whose path ends like this.
    Path(Glob),
    /// A class whose name ends like this, with `/` between segments.
    Class(Glob),
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
