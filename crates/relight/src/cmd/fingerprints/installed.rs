//! Fingerprint databases of the data folder: those that a folder of advisories brought along. Every
//! scan uses them beside the built-in one.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use relight_model::Timestamp;
use relight_scan::{Database, DatabaseError};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::unusable;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Where they are, in the data folder.
const FOLDER: &str = "fingerprints";

/// What a database of any version starts with.
const START: &[u8] = b"relight-fp/";

/// How the names of databases end that are kept.
const ENDING: &str = "fp";

/// Bytes of one that is taken.
const BYTES_MAX: u64 = 1 << 30;

/// What became of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    New,
    Changed,
    Same,
    /// One of that name was built later, and is kept.
    Older,
}

/// One database that was carried.
#[derive(Debug, Serialize)]
pub(crate) struct Taken {
    database: String,
    digest: String,
    artifacts: usize,
    state: State,
}

/// What there is of a folder of databases.
#[derive(Debug, PartialEq, Eq)]
enum Folder<T> {
    Open(T),
    /// There is none, as in a data folder that has no register.
    Absent,
    /// There may be one, and not for this person.
    Closed,
}

impl<T> Folder<T> {
    fn of(opened: io::Result<T>) -> io::Result<Self> {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
        match opened {
            Ok(opened) => Ok(Self::Open(opened)),
            Err(error) => match error.kind() {
                NotFound | NotADirectory => Ok(Self::Absent),
                PermissionDenied => Ok(Self::Closed),
                _ => Err(error),
            },
        }
    }
}

/// A database that is kept, as `fingerprints list` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    database: String,
    path: String,
    /// When it was put there.
    kept: Option<Timestamp>,
    /// What is in it; absent where it cannot be used.
    content: Option<Content>,
}

#[derive(Debug, Serialize)]
struct Content {
    /// 0 where it has no date.
    built: Timestamp,
    digest: String,
    artifacts: usize,
    releases: usize,
}

impl Kept {
    fn of(path: &Path) -> Self {
        let content = |database: Database| {
            let known = database.releases().ok()?;
            let releases = known.iter().map(|(_, releases)| releases.len()).sum();
            let (built, digest) = (database.built(), database.digest().to_string());
            Some(Content { built, digest, artifacts: known.len(), releases })
        };
        let since = |at: SystemTime| at.duration_since(UNIX_EPOCH).ok()?.as_secs().try_into().ok();
        Self {
            database: name_of(path),
            path: path.display().to_string(),
            kept: fs::metadata(path).and_then(|it| it.modified()).ok().and_then(since),
            content: verify(path).ok().and_then(content),
        }
    }

    pub(super) fn tell(&self, context: &Context, report: &mut Report) {
        let (lang, Self { database, path, kept, content }) = (context.lang, self);
        let date = |at: Option<Timestamp>| at.map_or_else(|| "?".to_owned(), rfc3339);
        let Some(Content { built, artifacts, releases, .. }) = content else {
            let what = texts::fingerprints_installed_damaged(lang);
            let remedy = texts::fingerprints_kept_unusable_remedy(lang, database);
            return report.warn(path, what, &remedy);
        };
        let (built, kept) = (date(Some(*built).filter(|at| *at != 0)), date(*kept));
        let (all, each) = (*artifacts, *releases);
        report.line(&texts::fingerprints_installed(lang, all, &built, database, &kept, path, each));
    }
}

/// What is kept, each with what is in it.
///
/// # Errors
/// Those of the folder.
pub(super) fn rows(context: &Context) -> io::Result<Vec<Kept>> {
    Ok(installed(context)?.iter().map(|path| Kept::of(path)).collect())
}

/// What a database is called here.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The names of the databases that are kept, sorted. Whoever scans needs nothing but the program:
/// a folder that is not there has none, nor has one that is not for this person
/// ([`warn`], [`refuse`]).
///
/// # Errors
/// Other ones of the folder.
pub(crate) fn installed(context: &Context) -> io::Result<Vec<PathBuf>> {
    let Folder::Open(entries) = Folder::of(fs::read_dir(context.data.join(FOLDER)))? else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        files.extend(Some(path).filter(|path| path.extension().is_some_and(|it| it == ENDING)));
    }
    files.sort();
    Ok(files)
}

/// The folder, where databases may be that this person may not read.
fn closed(context: &Context) -> Option<String> {
    let folder = context.data.join(FOLDER);
    let is_closed = matches!(Folder::of(fs::read_dir(&folder)), Ok(Folder::Closed));
    is_closed.then(|| folder.display().to_string())
}

/// Says that databases may be there that this person may not read: then less is found.
pub(crate) fn warn(context: &Context, report: &mut Report) {
    if let Some(folder) = closed(context) {
        let lang = context.lang;
        let remedy = texts::fingerprints_closed_remedy(lang);
        report.warn(&folder, texts::fingerprints_closed(lang), remedy);
    }
}

/// The same where what is found decides about a site: less would be a better answer than there is.
pub(crate) fn refuse(context: &Context) -> Result<(), Failure> {
    let Some(folder) = closed(context) else { return Ok(()) };
    let lang = context.lang;
    let what = texts::labelled(lang, &folder, texts::fingerprints_closed(lang));
    Err(Failure::new(what).hint(texts::fingerprints_closed_remedy(lang)))
}

/// Takes the databases out of a list of files.
pub(crate) fn apart(files: &mut Vec<PathBuf>) -> Vec<PathBuf> {
    files.extract_if(.., |path| is_database(path)).collect()
}

/// Keeps databases for the next scans. One that cannot be used is told; what was kept before stays.
pub(crate) fn take(files: &[PathBuf], context: &Context, report: &mut Report) -> Vec<Taken> {
    let mut taken: Vec<Taken> = Vec::new();
    for path in files {
        match keep(path, &taken, context) {
            Ok(database) => taken.push(database),
            Err(failure) => report.fail(&failure),
        }
    }
    taken
}

/// Says in words what became of them.
pub(crate) fn tell(taken: &[Taken], context: &Context, report: &mut Report) {
    let lang = context.lang;
    for Taken { database, artifacts, state, .. } in taken {
        report.line(&match state {
            State::New | State::Changed => texts::fingerprints_kept(lang, *artifacts, database),
            State::Same => texts::fingerprints_same(lang, database),
            State::Older => texts::fingerprints_older(lang, database),
        });
    }
}

fn is_database(path: &Path) -> bool {
    let mut start = [0; START.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == START
}

/// Keeps one under its own name, which none of those has that came with it.
fn keep(path: &Path, taken: &[Taken], context: &Context) -> Result<Taken, Failure> {
    let lang = context.lang;
    let place = path.display().to_string();
    let folder = context.data.join(FOLDER);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    if path.extension().is_none_or(|it| it != ENDING) {
        name.push(format!(".{ENDING}"));
    }
    let to = folder.join(&name);
    let new = to.with_added_extension("new");
    let kept = fs::create_dir_all(&folder).and_then(|()| copy(path, &new));
    let kept = kept.map_err(|error| cannot_write(&new, &error, context));
    let kept = kept.and_then(|()| {
        // What is verified is what is kept, whatever happens to the file that was named.
        let verified = verify(&new).map_err(|error| unusable(context, &place, &error))?;
        let called = name.to_string_lossy();
        let state = state(&verified, &to).ok_or_else(|| {
            Failure::new(texts::fingerprints_undated(lang, &called))
                .hint(texts::fingerprints_undated_remedy(lang))
        })?;
        if state != State::Same && taken.iter().any(|it| it.database == called) {
            return Err(Failure::new(texts::fingerprints_twice(lang, &called))
                .hint(texts::fingerprints_twice_remedy(lang)));
        }
        if matches!(state, State::New | State::Changed) {
            let renamed = fs::rename(&new, &to).and_then(|()| File::open(&folder)?.sync_all());
            renamed.map_err(|error| cannot_write(&to, &error, context))?;
        }
        let artifacts = verified.releases().map_err(|error| unusable(context, &place, &error))?;
        let (digest, artifacts) = (verified.digest().to_string(), artifacts.len());
        Ok(Taken { database: name.to_string_lossy().into_owned(), digest, artifacts, state })
    });
    // It is there no more where it was kept.
    drop(fs::remove_file(&new));
    kept
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut bytes = File::open(from)?.take(BYTES_MAX + 1);
    let mut file = File::create(to)?;
    if io::copy(&mut bytes, &mut file)? > BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    file.sync_all()
}

fn verify(file: &Path) -> Result<Database, DatabaseError> {
    let database = Database::open(file)?;
    database.verify()?;
    Ok(database)
}

/// What a database is against the one that is kept under its name; `None` where nothing says which
/// of both is the newer one. A damaged one is replaced.
fn state(new: &Database, kept: &Path) -> Option<State> {
    let Ok(before) = Database::open(kept) else {
        return Some(if kept.exists() { State::Changed } else { State::New });
    };
    if before.verify().is_err() {
        return Some(State::Changed);
    }
    if before.digest() == new.digest() {
        return Some(State::Same);
    }
    match before.built().cmp(&new.built()) {
        _ if new.built() == 0 => None,
        Ordering::Equal => None,
        Ordering::Greater => Some(State::Older),
        Ordering::Less => Some(State::Changed),
    }
}

pub(super) fn cannot_write(path: &Path, error: &io::Error, context: &Context) -> Failure {
    Failure::new(texts::cannot_write(context.lang, &path.display().to_string()))
        .because(context.lang, error)
        .hint(texts::cannot_write_remedy(context.lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_for_who_asks_is_told_apart_from_none() {
        use io::ErrorKind::{NotADirectory, NotFound, Other, PermissionDenied};
        let of = |kind: io::ErrorKind| Folder::<()>::of(Err(kind.into())).ok();
        assert_eq!(Folder::of(Ok(1)).ok(), Some(Folder::Open(1)));
        assert_eq!(
            [NotFound, NotADirectory, PermissionDenied, Other].map(of),
            [Some(Folder::Absent), Some(Folder::Absent), Some(Folder::Closed), None]
        );
    }
}
