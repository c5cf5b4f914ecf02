//! `relight fingerprints remove`: a database of the data folder is used no more. What only it knew
//! is said, because scans find less from then on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;

use clap::Args;
use relight_scan::{Database, DatabaseError};
use relight_server::web::texts;
use serde::Serialize;

use super::installed::{self, cannot_write, name_of};
use super::{unreadable, unusable};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Which one.
#[derive(Debug, Args)]
pub(super) struct Remove {
    #[arg(value_name = "NAME")]
    database: String,
    #[arg(long)]
    dry_run: bool,
}

/// `relight.fingerprints-removed/1`
#[derive(Serialize)]
struct Document {
    database: String,
    path: String,
    removed: bool,
    /// Absent where it was damaged: nothing says what it knew.
    artifacts: Option<usize>,
    /// The releases that no other database knows which scans use by themselves.
    lost: Option<Vec<String>>,
}

impl Remove {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (lang, name) = (context.lang, &self.database);
        installed::refuse(context)?;
        let kept = installed::installed(context).map_err(|error| unreadable(context, &error))?;
        let is_it = |path: &&PathBuf| name_of(path) == *name;
        let path = kept.iter().find(is_it).ok_or_else(|| {
            Failure::new(texts::fingerprints_absent(lang, name))
                .hint(texts::fingerprints_absent_remedy(lang))
        })?;
        let known = releases(Database::open(path)).ok();
        let lost = match &known {
            Some((_, releases)) => Some(self.lost(releases, &kept, context)?),
            None => None,
        };
        if !self.dry_run {
            let folder = path.parent().unwrap_or(path);
            let removed = fs::remove_file(path).and_then(|()| File::open(folder)?.sync_all());
            removed.map_err(|error| cannot_write(path, &error, context))?;
        }
        let artifacts = known.map(|(artifacts, _)| artifacts);
        if context.json {
            let (database, path) = (name.clone(), path.display().to_string());
            let removed = !self.dry_run;
            let document = Document { database, path, removed, artifacts, lost };
            report.document("relight.fingerprints-removed/1", &document);
            return Ok(());
        }
        let lost = lost.unwrap_or_default();
        report.line(&match (artifacts, self.dry_run) {
            (Some(all), false) => texts::fingerprints_removed(lang, all, name, lost.len()),
            (Some(all), true) => texts::fingerprints_would_remove(lang, all, name, lost.len()),
            (None, false) => texts::fingerprints_removed_damaged(lang, name),
            (None, true) => texts::fingerprints_would_remove_damaged(lang, name),
        });
        lost.iter().for_each(|purl| report.line(&format!("- {purl}")));
        report.hint(texts::fingerprints_removed_effect(lang));
        Ok(())
    }

    /// What no other database knows.
    fn lost(
        &self,
        releases_of_it: &BTreeSet<String>,
        kept: &[PathBuf],
        context: &Context,
    ) -> Result<Vec<String>, Failure> {
        let own = "relight".to_owned();
        let mut others = releases(Database::seed())
            .map_err(|error| unusable(context, &own, &error))
            .map(|(_, releases)| releases)?;
        for path in kept.iter().filter(|path| name_of(path) != self.database) {
            // What cannot be read knows nothing.
            others.extend(releases(Database::open(path)).map(|it| it.1).unwrap_or_default());
        }
        Ok(releases_of_it.difference(&others).cloned().collect())
    }
}

/// How many libraries a database knows, and which releases of them.
fn releases(
    database: Result<Database, DatabaseError>,
) -> Result<(usize, BTreeSet<String>), DatabaseError> {
    let known = database?.releases()?;
    let purls = known.iter().flat_map(|(artifact, releases)| {
        releases.iter().map(move |it| super::purl_of(artifact, &it.version))
    });
    Ok((known.len(), purls.collect()))
}
