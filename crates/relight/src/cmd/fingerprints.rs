//! `relight fingerprints`: databases of what libraries are, learnt from their archives.

pub(crate) mod installed;
mod remove;

use std::cmp::Ordering;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, Subcommand};
use relight_engine::matching::{VersionScheme, compare};
use relight_model::{Digest, Flaw, FlawCode};
use relight_scan::{
    Database, Fingerprints as Databases, Listing, Mode, NamedClass, Options, Progress, Release,
    Report as Scanned, fast_answer, release_of, scan, write_database,
};
use relight_server::web::{texts, words};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Exit, Report};

/// What to do with a database.
#[derive(Debug, Args)]
pub(crate) struct Fingerprints {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Learn(Learn),
    List(Known),
    Remove(remove::Remove),
    Verify(Known),
}

/// Archives, and the database to write.
#[derive(Debug, Args)]
struct Learn {
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[arg(long, value_name = "SECONDS")]
    built: Option<i64>,
}

/// A database; the embedded one when none is named.
#[derive(Debug, Args)]
struct Known {
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// `relight.fingerprints/1`
#[derive(Serialize)]
struct Document {
    database: String,
    built: i64,
    digest: String,
    artifacts: usize,
    releases: Vec<ReleaseRow>,
    /// Those of the data folder, beside the embedded one.
    #[serde(skip_serializing_if = "Option::is_none")]
    installed: Option<Vec<installed::Kept>>,
}

#[derive(Serialize)]
struct ReleaseRow {
    purl: String,
    sha256: Option<String>,
    origin: String,
}

/// `relight.fingerprints-learnt/1`
#[derive(Serialize)]
struct LearntDocument {
    database: String,
    releases: usize,
    classes: usize,
    bytes: usize,
    unnamed: Vec<String>,
    /// What was not read whole, and is not learnt.
    unread: Vec<UnreadRow>,
}

#[derive(Serialize)]
struct UnreadRow {
    path: String,
    reason: &'static str,
}

/// `relight.fingerprints-verified/1`
#[derive(Serialize)]
struct VerifiedDocument {
    database: String,
    digest: String,
    intact: bool,
}

impl Fingerprints {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Learn(learn) => learn.run(context, report),
            Action::List(known) => known.list(context, report),
            Action::Remove(remove) => remove.run(context, report),
            Action::Verify(known) => known.verify(context, report),
        }
    }
}

/// What was read to be learnt.
#[derive(Default)]
struct Learnt {
    releases: Vec<Release>,
    /// Of each release: the number of the path that was asked for, its place there, its listing.
    places: Vec<(usize, String, Listing)>,
    /// Archives with classes that nothing names.
    unnamed: Vec<String>,
    /// What may hold classes that were not read.
    unread: Vec<Flaw>,
}

impl Learn {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let mut learnt = Learnt::default();
        for number in 0..self.paths.len() {
            self.read(number, context, &mut learnt)?;
        }
        let named = named_classes(context)?;
        // Of two databases of one name the newer one is kept.
        let built = self.built.unwrap_or_else(|| context.now());
        let bytes = write_database(learnt.releases.clone(), &named, order, built);
        self.answer(bytes, context, &mut learnt)?;
        let Learnt { releases, unnamed, unread, .. } = learnt;
        for path in &unnamed {
            report.warn(path, texts::fingerprints_unnamed(lang), "");
        }
        for flaw in &unread {
            let what = texts::fingerprints_unread(lang, words::flaw(lang, flaw.code));
            report.warn(&flaw.evidence, &what, "");
            report.raise(Exit::Incomplete);
        }
        if releases.is_empty() {
            return Err(Failure::new(texts::fingerprints_nothing(lang))
                .hint(texts::fingerprints_nothing_remedy(lang)));
        }
        let count = releases.len();
        let classes = releases.iter().map(|it| it.classes.len()).sum();
        let bytes = write_database(releases, &named, order, built);
        let database = self.to.display().to_string();
        fs::write(&self.to, &bytes).map_err(|error| {
            Failure::new(texts::cannot_write(lang, &database))
                .because(lang, &error)
                .hint(texts::cannot_write_remedy(lang))
        })?;
        if context.json {
            let (releases, bytes) = (count, bytes.len());
            let row = |it: Flaw| UnreadRow { path: it.evidence, reason: it.code.as_str() };
            let unread = unread.into_iter().map(row).collect();
            let document = LearntDocument { database, releases, classes, bytes, unnamed, unread };
            report.document("relight.fingerprints-learnt/1", &document);
        } else {
            report.line(&texts::fingerprints_learnt(lang, classes, &database, count));
        }
        Ok(())
    }

    /// Reads what is below one path.
    fn read(&self, number: usize, context: &Context, learnt: &mut Learnt) -> Result<(), Failure> {
        let path = &self.paths[number];
        let fingerprints = Databases::none();
        let options = Options { keep_listings: true, fingerprints, ..Options::default() };
        let found = look(path, &options, context)?;
        let unread: Vec<_> =
            found.sbom.flaws.iter().filter(|flaw| may_hide_classes(flaw.code)).cloned().collect();
        for (place, listing) in found.listings {
            // A part of a release would be taken for all of it by every scan from then on.
            if unread.iter().any(|flaw| is_inside(flaw, &place)) {
                continue;
            }
            let file = if path.is_dir() { path.join(&place) } else { path.to_owned() };
            // An archive inside another one has no file of its own to be known by.
            let bytes = if place.contains("!/") { None } else { fs::read(&file).ok() };
            let Some(mut release) = release_of(&place, &listing, bytes.as_deref()) else {
                learnt.unnamed.push(place);
                continue;
            };
            // What could not be read of an archive must not be taken for known later.
            let is_whole = !found.sbom.flaws.iter().any(|flaw| is_inside(flaw, &place));
            release.directory = release.directory.filter(|_| is_whole);
            learnt.releases.push(release);
            learnt.places.push((number, place, listing));
        }
        learnt.unread.extend(unread);
        Ok(())
    }

    /// Asks fast mode, with a database of all of them, what it says about each archive.
    fn answer(
        &self,
        database: Vec<u8>,
        context: &Context,
        learnt: &mut Learnt,
    ) -> Result<(), Failure> {
        let unusable = |error| unusable(context, &self.to.display().to_string(), &error);
        let database = Database::from_bytes(database).map_err(unusable)?;
        let fingerprints = Databases::only(vec![database]);
        let options = Options { mode: Mode::Fast, fingerprints, ..Options::default() };
        for (number, path) in self.paths.iter().enumerate() {
            let fast = look(path, &options, context)?;
            let own = learnt.places.iter().zip(&mut learnt.releases);
            for ((_, place, listing), release) in own.filter(|((it, ..), _)| *it == number) {
                release.answer = fast_answer(&fast, place, listing);
            }
        }
        Ok(())
    }
}

fn look(path: &Path, options: &Options, context: &Context) -> Result<Scanned, Failure> {
    scan(path, options, &Progress::default()).map_err(|error| {
        Failure::new(texts::cannot_read(context.lang, &path.display().to_string()))
            .because(context.lang, &error)
            .hint(texts::cannot_read_remedy(context.lang))
    })
}

/// Whether a flaw is one of an archive or of something in it.
fn is_inside(flaw: &Flaw, place: &str) -> bool {
    let rest = flaw.evidence.strip_prefix(place);
    rest.is_some_and(|it| it.is_empty() || it.starts_with("!/") || it.starts_with('#'))
}

/// Whether there may be classes of Java in what was not read: packages of other languages, and code
/// of other machines, change nothing of a library that is learnt.
fn may_hide_classes(code: FlawCode) -> bool {
    code.hides().is_none() && code != FlawCode::CodeUnreadable
}

/// The classes that the advisories name, whose absence is a mitigation.
fn named_classes(context: &Context) -> Result<Vec<NamedClass>, Failure> {
    let advisories = inventory::advisories(context)?;
    let mut named = Vec::new();
    for record in advisories.groups().flat_map(|group| group.records()) {
        for affected in &record.affected {
            let name = &affected.package.name;
            named.extend(affected.classes.iter().map(|class| (name.clone(), class.clone())));
        }
    }
    Ok(named)
}

fn order(one: &str, other: &str) -> Ordering {
    compare(VersionScheme::Maven, one, other).unwrap_or_else(|| one.cmp(other))
}

impl Known {
    fn open(&self, context: &Context) -> Result<(String, Database), Failure> {
        let name = self.file.as_ref().map_or("relight".to_owned(), |it| it.display().to_string());
        let opened = match &self.file {
            Some(file) => Database::open(file),
            None => Database::seed(),
        };
        let opened = opened.map_err(|error| unusable(context, &name, &error))?;
        Ok((name, opened))
    }

    fn list(&self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (name, database) = self.open(context)?;
        let known = database.releases().map_err(|error| unusable(context, &name, &error))?;
        // With the embedded one, all that every scan uses.
        let installed = match self.file {
            Some(_) => None,
            None => {
                installed::warn(context, report);
                Some(installed::rows(context).map_err(|error| unreadable(context, &error))?)
            }
        };
        let mut rows = Vec::new();
        for (artifact, releases) in &known {
            for it in releases {
                let sha256 = (it.digest != Digest::default()).then(|| it.digest.to_string());
                let purl = purl_of(artifact, &it.version);
                rows.push(ReleaseRow { purl, sha256, origin: it.origin.clone() });
            }
        }
        if !context.json {
            rows.iter().for_each(|row| report.line(&format!("{}  {}", row.purl, row.origin)));
            report.line(&texts::fingerprints_count(context.lang, known.len(), rows.len()));
            installed.iter().flatten().for_each(|row| row.tell(context, report));
            return Ok(());
        }
        let document = Document {
            database: name,
            built: database.built(),
            digest: database.digest().to_string(),
            artifacts: known.len(),
            releases: rows,
            installed,
        };
        report.document("relight.fingerprints/1", &document);
        Ok(())
    }

    fn verify(&self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (name, database) = self.open(context)?;
        database.verify().map_err(|error| unusable(context, &name, &error))?;
        let digest = database.digest().to_string();
        if context.json {
            let document = VerifiedDocument { database: name, digest, intact: true };
            report.document("relight.fingerprints-verified/1", &document);
        } else {
            report.line(&texts::fingerprints_intact(context.lang, &name, &digest));
        }
        Ok(())
    }
}

/// The embedded database, those of the data folder, and these; without any, the one that all scans
/// share.
pub(crate) fn databases(files: &[PathBuf], context: &Context) -> Result<Databases, Failure> {
    let kept = installed::installed(context).map_err(|error| unreadable(context, &error))?;
    if kept.is_empty() && files.is_empty() {
        return Ok(Databases::default());
    }
    let mut opened = Vec::new();
    for file in kept.iter().chain(files) {
        opened.push(Database::open(file).map_err(|error| {
            let failure = unusable(context, &file.display().to_string(), &error);
            match kept.contains(file) {
                true => failure.hint(texts::fingerprints_kept_unusable_remedy(
                    context.lang,
                    &installed::name_of(file),
                )),
                false => failure,
            }
        })?);
    }
    Ok(Databases::with(opened))
}

/// The data folder cannot be looked into.
fn unreadable(context: &Context, error: &io::Error) -> Failure {
    let folder = context.data.display().to_string();
    Failure::new(texts::cannot_read(context.lang, &folder))
        .because(context.lang, error)
        .hint(texts::cannot_read_remedy(context.lang))
}

/// A release by the name of its library in a database, `group:name`.
fn purl_of(artifact: &str, version: &str) -> String {
    format!("pkg:maven/{}@{version}", artifact.replace(':', "/"))
}

fn unusable(context: &Context, name: &str, error: &(dyn Error + 'static)) -> Failure {
    Failure::new(texts::fingerprints_unusable(context.lang, name))
        .because(context.lang, error)
        .hint(texts::fingerprints_unusable_remedy(context.lang))
}
