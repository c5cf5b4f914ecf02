//! Whose records an answer rests on: licences ask that they are named wherever their words go.

use std::collections::BTreeMap;

use relight_engine::matching::{Advisories, Group};
use relight_formats::advisory::{SourceInfo, source_info};
use serde::Serialize;

use crate::report::Report;

/// A source with the records of it that are used.
#[derive(Serialize)]
pub(crate) struct Credit<'a> {
    source: &'a str,
    records: Vec<&'a str>,
    licence: &'static str,
    attribution: &'static str,
    url: &'static str,
}

impl<'a> Credit<'a> {
    /// The sources of the records in force about an id, by name; those that nobody asks to be named
    /// are not.
    pub(crate) fn of(advisories: &'a Advisories, id: &str) -> Vec<Self> {
        Self::of_groups(advisories.groups_of(id))
    }

    /// The same for the records in force of these groups.
    pub(crate) fn of_groups(groups: impl Iterator<Item = &'a Group>) -> Vec<Self> {
        let records = groups.flat_map(|group| group.records()).filter(|it| it.is_in_force());
        Self::of_records(records.map(|it| (it.source.as_str(), it.id.as_str())))
    }

    /// The same for records, each by its source and id.
    pub(crate) fn of_records(records: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Self> {
        let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (source, record) in records {
            by_source.entry(source).or_default().push(record);
        }
        let credit = |(source, mut records): (&'a str, Vec<&'a str>)| {
            let SourceInfo { licence, attribution, url, .. } = source_info(source)?;
            records.sort_unstable();
            records.dedup();
            Some(Self { source, records, licence, attribution, url })
        };
        by_source.into_iter().filter_map(credit).collect()
    }

    /// In one line: `ghsa GHSA-…: CC-BY-4.0 · GitHub Advisory Database · https://…`.
    pub(crate) fn line(&self) -> String {
        let Self { source, records, licence, attribution, url } = self;
        let parts = [*licence, *attribution, *url].into_iter().filter(|it| !it.is_empty());
        let parts = parts.collect::<Vec<_>>().join(" · ");
        format!("{source} {}: {parts}", records.join(", "))
    }

    /// Tells that line.
    pub(crate) fn tell(&self, report: &mut Report) {
        report.line(&format!("  {}", self.line()));
    }
}
