//! One flaw: all records about it, and what they say of a component.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use relight_model::{
    Advisory, Component, Criticality, Digest, Ecosystem, Exhibit, PackageName, Signal,
    SiteExposure, Timestamp,
};
use sha2::{Digest as _, Sha256};

use crate::alias::Attachment;
use crate::cvss::site_score;
use crate::entry::{Asked, Entry};
use crate::heard::{Heard, Said, Verdict, quick};
use crate::opinion::{Stand, Why};
use crate::package::{Reach, Subject, is_distribution};
use crate::standing::Standing;
use crate::vex::{Enclosure, Statement};

use words::{chosen, exhibit_form};

mod judge;
mod words;

/// The records about one flaw, ready to be asked.
#[derive(Clone, Debug)]
pub struct Group {
    /// The id under which the flaw is shown: CVE before GHSA before any other.
    pub id: String,
    /// All other ids, sorted.
    pub aliases: Vec<String>,
    records: Vec<Member>,
    /// What the records in force say, sorted by package (without release), rank, source and id.
    entries: Box<[Arc<Entry>]>,
    /// The packages, without release, and where their entries end; those of the next one follow.
    runs: Box<[(Arc<PackageName>, u32)]>,
    /// Statements of suppliers about this flaw, sorted by digest.
    statements: Vec<Arc<Statement>>,
    /// Files that the records in force mean, sorted.
    exhibits: Vec<Exhibit>,
    score: Option<u16>,
    known_exploited: bool,
}

/// What [`Advisory::status`] says of a record that is kept and cannot be read any more. It gives
/// no opinion, and silence is none.
pub const UNREAD: &str = "relight:unread";

/// One record of a group.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) record: Arc<Advisory>,
    pub(crate) attachment: Attachment,
    /// What it says of packages; empty when it is not in force.
    pub(crate) entries: Arc<[Arc<Entry>]>,
}

impl Member {
    fn key(&self) -> (&str, &str, Digest) {
        let Advisory { source, id, revision, .. } = self.record.as_ref();
        (source, id, *revision)
    }

    /// Has its entries share the names of packages with those of others.
    pub(crate) fn share_names(&mut self, names: &mut HashSet<Arc<PackageName>>) {
        // Nobody else has the entries yet.
        for entry in Arc::get_mut(&mut self.entries).into_iter().flatten() {
            let Some(entry) = Arc::get_mut(entry) else { continue };
            match names.get(&entry.package) {
                Some(known) => entry.package = Arc::clone(known),
                None => drop(names.insert(Arc::clone(&entry.package))),
            }
        }
    }
}

impl Group {
    pub(crate) fn new(
        id: String,
        ids: BTreeSet<String>,
        mut records: Vec<Member>,
        mut statements: Vec<Arc<Statement>>,
    ) -> Self {
        statements.sort_by_key(|it| it.digest);
        statements.dedup_by_key(|it| it.digest);
        records.sort_by(|a, b| a.key().cmp(&b.key()));
        records.dedup_by(|a, b| a.record == b.record);
        let mut entries: Vec<_> =
            records.iter().flat_map(|member| member.entries.iter().cloned()).collect();
        entries.sort_by(|a, b| (a.key(), a.weight()).cmp(&(b.key(), b.weight())));
        let in_force = records.iter().filter(|member| member.record.is_in_force());
        let exhibits = in_force.flat_map(|member| &member.record.exhibits);
        let exhibits: BTreeSet<_> = exhibits.cloned().collect();
        let mut aliases: Vec<_> = ids.into_iter().filter(|other| *other != id).collect();
        aliases.shrink_to_fit();
        Self {
            score: chosen(&records).map(|((.., score), _)| score),
            known_exploited: records.iter().any(|member| member.record.known_exploited()),
            runs: runs(&entries),
            exhibits: exhibits.into_iter().collect(),
            id,
            aliases,
            records,
            entries: entries.into_boxed_slice(),
            statements,
        }
    }

    /// Whether a record in force is kept and cannot be read, see [`UNREAD`]: nobody knows which
    /// packages it names.
    pub fn is_unread(&self) -> bool {
        self.records().any(|record| record.status == UNREAD && record.is_in_force())
    }

    /// Files that the records in force mean, whatever they are called. Names of packages say
    /// nothing about them: inventories are asked.
    pub fn exhibits(&self) -> &[Exhibit] {
        &self.exhibits
    }

    /// What suppliers said about this flaw, with what each statement is worth.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().map(AsRef::as_ref)
    }

    /// Whether a supplier said anything about this flaw.
    pub(crate) fn has_statements(&self) -> bool {
        !self.statements.is_empty()
    }

    /// SHA-256 over the statements that may change an answer; all zero when there are none.
    /// Evidence is bound to it.
    pub fn statements_digest(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut trusted = self.statements.iter().filter(|it| it.is_trusted).peekable();
        if trusted.peek().is_none() {
            return Digest::default();
        }
        trusted.for_each(|it| hash.update(it.digest.0));
        Digest(hash.finalize().into())
    }

    /// Every record of the group, withdrawn ones too; sorted by source and id.
    pub fn records(&self) -> impl Iterator<Item = &Advisory> {
        self.records.iter().map(|member| member.record.as_ref())
    }

    /// The records with how each belongs to the group.
    pub fn attachments(&self) -> impl Iterator<Item = (&Advisory, Attachment)> {
        self.records.iter().map(|member| (member.record.as_ref(), member.attachment))
    }

    /// SHA-256 over what matching uses, and nothing else: packages, ranges, versions, classes,
    /// ranks and attachments of the records in force, and trusted statements. Prose, scores and
    /// references may change
    /// without changing it.
    pub fn revision(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut forms: Vec<_> = self.forms().collect();
        forms.sort();
        for (attachment, form) in forms {
            hash.update((form.len() as u64).to_le_bytes());
            hash.update(attachment.as_str());
            hash.update(form);
        }
        self.exhibits.iter().for_each(|exhibit| exhibit_form(exhibit, &mut hash));
        if self.is_unread() {
            hash.update(UNREAD);
        }
        // A changed statement is a new revision: evidence rests on both.
        if self.statements_digest() != Digest::default() {
            hash.update(self.statements_digest().0);
        }
        Digest(hash.finalize().into())
    }

    /// SHA-256 over everything that the records say, withdrawn ones included: changes with prose,
    /// ratings, references and catalogues, which [`Self::revision`] leaves out. Evidence is never
    /// bound to it.
    pub fn text_revision(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut records: Vec<_> =
            self.records().map(|it| (it.source.as_str(), it.id.as_str(), it.revision)).collect();
        records.sort_unstable();
        for (source, id, revision) in records {
            for text in [source, id] {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
            hash.update(revision.0);
        }
        Digest(hash.finalize().into())
    }

    fn forms(&self) -> impl Iterator<Item = (Attachment, &[u8])> {
        self.records.iter().flat_map(|member| {
            member.entries.iter().map(|entry| (member.attachment, entry.form.as_slice()))
        })
    }

    /// Nothing that anybody can see differs.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let records = |it: &Self| -> Vec<_> {
            it.records.iter().map(|it| (it.record.clone(), it.attachment)).collect()
        };
        let same = self.id == other.id && self.aliases == other.aliases;
        same && records(self) == records(other) && self.statements == other.statements
    }

    /// The packages, without release, about which this group and an older state of it say
    /// different things.
    pub(crate) fn moved_since(&self, before: Option<&Self>) -> BTreeSet<PackageName> {
        let old_statements = before.map_or(&[][..], |group| &group.statements);
        if old_statements != self.statements {
            let all = before.into_iter().chain([self]).flat_map(|group| &group.entries);
            return all.map(|entry| entry.package.as_ref().clone()).collect();
        }
        let mut forms: BTreeMap<&[u8], (i64, &Entry)> = BTreeMap::new();
        for entry in &self.entries {
            forms.entry(&entry.form).or_insert((0, entry)).0 += 1;
        }
        for entry in before.into_iter().flat_map(|group| &group.entries) {
            forms.entry(&entry.form).or_insert((0, entry)).0 -= 1;
        }
        let moved = forms.values().filter(|(count, _)| *count != 0);
        let mut moved: BTreeSet<PackageName> =
            moved.map(|(_, entry)| entry.package.as_ref().clone()).collect();
        // What a distribution says of its package decides about what lies inside of it.
        if moved.iter().any(|package| is_distribution(&package.ecosystem)) {
            let all = before.into_iter().chain([self]).flat_map(Self::bare_packages);
            let inside = all.filter(|package| !is_distribution(&package.ecosystem));
            moved.extend(inside.map(|package| package.as_ref().clone()));
        }
        moved
    }

    /// One line for people: of the record with the group's own id if it has one, else of the
    /// first that has one; empty when none has.
    pub fn summary(&self) -> &str {
        let own = self.records().filter(|record| record.id == self.id);
        let mut summaries = own.chain(self.records()).map(|record| record.summary.as_str());
        summaries.find(|summary| !summary.is_empty()).unwrap_or_default()
    }

    /// The packages that the records in force name, sorted, without doubles.
    pub fn packages(&self) -> Vec<PackageName> {
        let all: BTreeSet<_> = self.entries.iter().map(|entry| entry.full_name()).collect();
        all.into_iter().collect()
    }

    /// Whether a record in force of any other source than this one names packages.
    pub fn names_packages_beside(&self, source: &str) -> bool {
        let mut others = self.records.iter().filter(|member| member.record.source != source);
        others.any(|member| !member.entries.is_empty())
    }

    /// The packages that the records in force name, without release.
    pub(crate) fn bare_packages(&self) -> impl Iterator<Item = &Arc<PackageName>> {
        self.runs.iter().map(|(package, _)| package)
    }

    /// The entries of a run.
    fn of_run(&self, at: usize) -> &[Arc<Entry>] {
        let end = |(_, end): &(_, u32)| *end as usize;
        let from = at.checked_sub(1).and_then(|before| self.runs.get(before)).map_or(0, end);
        let to = self.runs.get(at).map_or(from, end);
        self.entries.get(from..to).unwrap_or_default()
    }

    /// The CVSS base score, in tenths; `None` when no record in force has a vector. Of several
    /// vectors the newest version counts, then the word of who assigned the flaw or publishes the
    /// package before that of enrichers, then the worst.
    pub const fn score(&self) -> Option<u16> {
        self.score
    }

    /// The score of the same vector at a site of this kind, in tenths; `None` when there is none of
    /// version 3 or 4.
    pub fn site_score(&self, criticality: Criticality, exposure: SiteExposure) -> Option<u16> {
        let (_, rating) = chosen(&self.records)?;
        site_score(&rating.vector, criticality, exposure)
    }

    /// Whether a record says that the flaw is in a catalogue of known exploited ones.
    pub const fn known_exploited(&self) -> bool {
        self.known_exploited
    }

    /// What is known about the exploitation of the flaw, from every record.
    pub fn signals(&self) -> impl Iterator<Item = &Signal> {
        self.records().flat_map(|record| &record.signals)
    }

    /// When the first record about it was published.
    pub fn published(&self) -> Option<Timestamp> {
        self.records().filter_map(|record| record.published).min()
    }

    /// Whether a record says that the package itself is malicious.
    pub fn is_malicious(&self) -> bool {
        self.records().any(|record| record.id.starts_with("MAL-") && record.is_in_force())
    }

    /// The packages, without release, with their entries.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&PackageName, &[Arc<Entry>])> {
        let all = self.bare_packages().enumerate();
        all.map(|(at, package)| (package.as_ref(), self.of_run(at)))
    }

    /// The verdict without any text: what matching many identities uses. `entries` are those about
    /// the subject's package, where the caller has them.
    pub(crate) fn verdict(
        &self,
        entries: &[Arc<Entry>],
        subject: &Subject,
        asked: &Asked,
        component: &Component,
    ) -> Verdict {
        if component.removed.is_empty()
            && self.statements.is_empty()
            && let Some(verdict) = self.quick(entries, subject, asked)
            && (component.owned_by.is_none() || verdict.stand == Stand::NotAffected)
        {
            return verdict;
        }
        let heard = self.heard(subject, asked);
        let (verdict, _) = self.laid(&heard, component, &Enclosure::default());
        verdict
    }

    /// The common subject, see [`quick`]; of one with a source, where only one of both is named.
    fn quick(&self, entries: &[Arc<Entry>], subject: &Subject, asked: &Asked) -> Option<Verdict> {
        let Some(source) = &subject.source else { return quick(entries, subject, asked) };
        let own = self.entries_of(&subject.package);
        let others = self.entries_of(&source.subject.package);
        match (own, others) {
            (_, []) => quick(own, subject, asked),
            ([], _) => quick(others, &source.subject, &source.asked),
            _ => None,
        }
    }

    /// The entries about a package, whatever its release.
    pub(crate) fn entries_of(&self, package: &PackageName) -> &[Arc<Entry>] {
        let key = (&package.ecosystem, package.name.as_str());
        let of_run = |(run, _): &(Arc<PackageName>, _)| (&run.ecosystem, &*run.name).cmp(&key);
        self.runs.binary_search_by(of_run).map_or(&[], |at| self.of_run(at))
    }

    /// Everything that the entries say of a subject.
    pub(super) fn heard<'a>(&'a self, subject: &Subject, asked: &Asked) -> Heard<'a> {
        let standing = subject.standing.against(|| self.is_malicious());
        if standing == Standing::Nothing {
            return Heard::default();
        }
        let mut buckets: BTreeMap<_, Vec<Said<'a>>> = BTreeMap::new();
        let (mut is_named, mut is_of_other_build) = (false, false);
        for (subject, asked, entry) in self.entries_of_both(subject, asked) {
            is_named = true;
            is_of_other_build |= subject.is_of_other_build(entry);
            let Some(told) = subject.hears(entry, asked) else { continue };
            let is_open = subject.reach != Reach::Package;
            let bucket = is_open.then_some((&entry.package, &entry.release_name));
            let release = subject.package.release.is_none().then_some(&entry.release_name);
            buckets.entry((bucket, release)).or_default().push((entry, told));
        }
        let missing = match () {
            () if !buckets.is_empty() => None,
            () if is_named && subject.is_backport => Some(Why::BackportBase),
            () => is_of_other_build.then_some(Why::StreamUnknown),
        };
        Heard {
            doubt: match subject.reach {
                Reach::Package if standing == Standing::Declared => Some(Why::DeclaredOnly),
                Reach::Package if subject.package.release.is_none() => Some(Why::ReleaseUnknown),
                Reach::Package => None,
                _ => Some(Why::NameOnly),
            },
            buckets: buckets.into_values().collect(),
            missing,
        }
    }

    /// The entries that speak about a subject's package or about its source, with what they speak
    /// of. A record that says of the package itself what was built means nothing else by the name
    /// of the source; what it says of another release or stream does not count for that.
    pub(crate) fn entries_of_both<'a, 'b>(
        &'a self,
        subject: &'b Subject,
        asked: &'b Asked,
    ) -> impl Iterator<Item = (&'b Subject, &'b Asked, &'a Entry)> {
        let of_source = subject.source.as_deref().into_iter().flat_map(move |source| {
            let own = self.entries_for(subject);
            let heard = own.filter(|it| subject.hears(it, asked).is_some());
            // Looked for once: in a group of many packages each look folds many names.
            let told: Vec<_> = heard.map(|it| Arc::as_ptr(&it.record)).collect();
            let all = self.entries_for(&source.subject);
            let speaking = all.filter(move |it| !told.contains(&Arc::as_ptr(&it.record)));
            speaking.map(|it| (&source.subject, &source.asked, it))
        });
        self.entries_for(subject).map(move |it| (subject, asked, it)).chain(of_source)
    }

    /// The entries that speak about a subject's package, in its release where both have one.
    fn entries_for<'a>(&'a self, subject: &Subject) -> impl Iterator<Item = &'a Entry> {
        let is_loose = subject.reach != Reach::Package;
        let named = if is_loose { &[][..] } else { self.entries_of(&subject.package) };
        let runs = is_loose.then(|| self.runs().filter(|(package, _)| subject.may_be(package)));
        let loose = runs.into_iter().flatten().flat_map(|(_, entries)| entries);
        named.iter().chain(loose).map(AsRef::as_ref)
    }
}

/// Entries are sorted by package: where those of each one end.
fn runs(entries: &[Arc<Entry>]) -> Box<[(Arc<PackageName>, u32)]> {
    let of_package = entries.chunk_by(|one, next| one.key() == next.key());
    let mut end = 0;
    let run = |run: &[Arc<Entry>]| {
        end += run.len();
        // 2^32 entries do not fit into memory.
        (Arc::clone(&run[0].package), end as u32)
    };
    of_package.map(run).collect()
}

impl Entry {
    /// Sorting key: the release is left out, because a subject without one hears all of them.
    pub(crate) fn key(&self) -> (&Ecosystem, &str) {
        (&self.package.ecosystem, &self.package.name)
    }

    /// Whose word comes first within a package.
    fn weight(&self) -> (u8, &str, &str) {
        (self.rank as u8, &self.record.source, &self.record.id)
    }

    /// The package with the release that it is about.
    fn full_name(&self) -> PackageName {
        let release = self.release_name.as_deref().map(Into::into);
        PackageName { release, ..self.package.as_ref().clone() }
    }
}
