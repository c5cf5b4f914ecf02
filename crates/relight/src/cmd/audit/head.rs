//! `relight audit head DIR`, and heads that `audit verify` compares the journal with.

use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use relight_engine::store::{JournalRecord, Store};
use relight_server::journal_head::{self, HEAD_BYTES_MAX, HeadFault, JournalHead, SignedHead};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::cmd::public::CERTIFICATE_KEY;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Where to write a head.
#[derive(Debug, Args)]
pub(super) struct Head {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Heads to compare a journal with.
#[derive(Debug, Default, Args)]
pub(super) struct Heads {
    #[arg(long, value_name = "FILE")]
    head: Vec<PathBuf>,
    #[arg(long, value_name = "KEY", requires = "head")]
    key: Option<String>,
}

#[derive(Serialize)]
struct Document {
    file: String,
    entries: u64,
    head: String,
    key: String,
}

impl Head {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        let (path, signed) = write(&store, &self.folder, context)?;
        let SignedHead { head: JournalHead { entries, head, .. }, key } = signed;
        let file = path.display().to_string();
        if context.json {
            let head = head.to_string();
            report.document("relight.head-written/1", &Document { file, entries, head, key });
            return Ok(());
        }
        report.line(&texts::head_written(context.lang, entries, &file));
        report.line(&texts::head_key(context.lang, &key));
        report.hint(texts::head_elsewhere(context.lang));
        Ok(())
    }
}

/// Signs how far the journal has come, in a folder outside the one that it speaks for: who can
/// write that one could take both away together.
pub(crate) fn write(
    store: &Store,
    folder: &Path,
    context: &Context,
) -> Result<(PathBuf, SignedHead), Failure> {
    let lang = context.lang;
    if canonical(folder).starts_with(canonical(&context.data)) {
        return Err(Failure::usage(texts::head_inside(lang, &folder.display().to_string()))
            .hint(texts::head_inside_remedy(lang)));
    }
    let (entries, head) = store.journal_head().map_err(|error| context.store_failure(&error))?;
    let head = JournalHead { entries, head, at: context.now() };
    journal_head::write(head, &context.secret(CERTIFICATE_KEY), folder).map_err(|error| {
        Failure::new(texts::cannot_write(lang, &folder.display().to_string()))
            .because(lang, &error)
            .hint(texts::cannot_write_remedy(lang))
    })
}

/// Where a path leads, links followed, also when its last folders are not there yet.
fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut whole = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            whole.pop();
        } else {
            whole.push(part);
            whole = fs::canonicalize(&whole).unwrap_or(whole);
        }
    }
    whole
}

/// Signed heads, and what the journal has at their places.
pub(super) struct Compared {
    wanted: Vec<(SignedHead, Result<(), HeadFault>)>,
    /// The first head that is none, or is signed by somebody else, and its file.
    unread: Option<(String, HeadFault)>,
}

impl Heads {
    /// Reads the heads and checks who signed them: the key that was named, or that of this data
    /// folder.
    pub(super) fn read(&self, context: &Context) -> Result<Compared, Failure> {
        let mut compared = Compared { wanted: Vec::new(), unread: None };
        if self.head.is_empty() {
            return Ok(compared);
        }
        let key = expected_key(self.key.as_deref(), context)?;
        for path in &self.head {
            let bytes = context.read_file(path, HEAD_BYTES_MAX)?;
            let own = |signed: SignedHead| match signed.key == key {
                true => Ok(signed),
                false => Err(HeadFault::OtherKey),
            };
            match SignedHead::read(&bytes).and_then(own) {
                Ok(signed) => {
                    let missing = signed.check(None);
                    compared.wanted.push((signed, missing));
                }
                Err(fault) => {
                    compared.unread.get_or_insert((path.display().to_string(), fault));
                }
            }
        }
        Ok(compared)
    }
}

/// The key whose signature counts: the one that was named, else that of this data folder or vault.
pub(crate) fn expected_key(named: Option<&str>, context: &Context) -> Result<String, Failure> {
    let lang = context.lang;
    if let Some(key) = named {
        return Ok(key.trim().to_lowercase());
    }
    let file = context.secret(CERTIFICATE_KEY);
    let unread = |error| {
        Failure::new(texts::cannot_read(lang, &file.display().to_string()))
            .because(lang, &error)
            .hint(texts::cannot_read_remedy(lang))
    };
    let key = journal_head::public_key(&file).map_err(unread)?;
    key.ok_or_else(|| {
        Failure::usage(texts::head_no_key(lang)).hint(texts::head_no_key_remedy(lang))
    })
}

impl Compared {
    /// Looks at the next entry of the journal.
    pub(super) fn look(&mut self, record: &JournalRecord) {
        for (signed, found) in &mut self.wanted {
            if signed.head.entries == record.seq {
                *found = signed.check(Some(record));
            }
        }
    }

    /// How many heads agree, or where the first one does not, and why. A file that is no head says
    /// less than a head that was compared.
    pub(super) fn end(self) -> Result<u64, (Place, HeadFault)> {
        for (signed, found) in &self.wanted {
            found.map_err(|fault| (Place::Entry(signed.head.entries), fault))?;
        }
        match self.unread {
            Some((file, fault)) => Err((Place::File(file), fault)),
            None => Ok(self.wanted.len() as u64),
        }
    }
}

/// Where a head and a journal do not agree.
pub(super) enum Place {
    /// At this entry of the journal.
    Entry(u64),
    /// In this file, which was compared with nothing.
    File(String),
}

impl Place {
    /// The entry; 0 where there is none.
    pub(super) const fn seq(&self) -> u64 {
        match self {
            Self::Entry(seq) => *seq,
            Self::File(_) => 0,
        }
    }

    pub(super) fn tell(&self, lang: Lang, why: &str) -> String {
        match self {
            Self::Entry(seq) => texts::head_broken(lang, *seq, why),
            Self::File(file) => texts::head_file_broken(lang, file, why),
        }
    }

    pub(super) fn remedy(&self, lang: Lang) -> &'static str {
        match self {
            Self::Entry(_) => texts::journal_broken_remedy(lang),
            Self::File(_) => texts::head_file_broken_remedy(lang),
        }
    }
}
