//! One step of a look at a feed: its whole list, or what changed. Documents are staged; how far the
//! feed was read is noted in a state that counts once they are stored.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use relight_formats::advisory::listing::{
    LISTING_BYTES_MAX, Listed, Listing, ListingForm, provider_listings, read_listing,
};
use relight_model::{Timestamp, Warning};

use super::client::{ANSWER_BYTES_MAX, Answer, Client, Fault};
use super::feed::{Feed, FeedKind, is_asked};
use super::staging::Desk;
use super::state::{Cursor, FeedState, SKIPPED_MAX};
use crate::import::Staged;

/// Most changes that are followed in one look, a document each, whichever lists tell them. Of a
/// feed that has a whole list too, more are not followed: the whole list is fetched.
pub const CHANGES_MAX: usize = 1_000;

/// Documents that did not come and are asked for again in one look, at most; all of them are when
/// everything is listed.
pub(super) const AGAIN_MAX: usize = 50;

/// Largest single document that a list names, in bytes.
pub const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// How much older than its date a whole list may be, in seconds: changes are followed from so long
/// before.
const OVERLAP_S: i64 = 3_600;

/// The same of a whole list without a date.
const UNDATED_S: i64 = 86_400;

/// How much earlier than it appears in its list a document of CSAF may be dated, in seconds.
pub(super) const LATE_S: i64 = 14 * 86_400;

/// How far in the future an entry of a list may be dated before that is told, in seconds.
pub(super) const AHEAD_S: i64 = 86_400;

/// The first year of which NVD has a file.
const NVD_FIRST_YEAR: i64 = 2002;

/// An average year of the calendar, in seconds.
const YEAR_S: i64 = 31_556_952;

/// Part of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Everything.
    Whole,
    /// What changed.
    Changes {
        /// Follow at most [`CHANGES_MAX`], and the others next time, whatever else there is.
        anyway: bool,
    },
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulled {
    /// All of it, or all that one look may take.
    Done,
    /// More changes than a look may take: the whole list is needed.
    TooMany,
}

/// One step, while it is taken.
#[derive(Debug)]
pub(super) struct Pull<'a> {
    pub(super) client: &'a Client,
    pub(super) stop: &'a AtomicBool,
    pub(super) feed: &'a Feed,
    pub(super) now: Timestamp,
    pub(super) desk: Desk,
    /// As it will be once what is staged is stored.
    pub(super) state: FeedState,
    pub(super) staged: Vec<Staged>,
    pub(super) requests: usize,
    /// Changes that were followed, of all lists.
    pub(super) followed: usize,
    /// What could not be used of lists, and documents that did not come.
    pub(super) notes: Vec<Warning>,
}

impl Pull<'_> {
    /// Takes a step. What was staged before a fault is whole.
    ///
    /// # Errors
    /// Says what kept it from going on.
    pub(super) fn take(&mut self, step: Step) -> Result<Pulled, Fault> {
        let feed = self.feed;
        let base = feed.url.trim_end_matches('/');
        match (feed.kind, step) {
            (FeedKind::File, _) => self.file(&feed.url).map(drop)?,
            (FeedKind::Alpine, _) => {
                for name in ["main", "community"] {
                    self.file(&format!("{base}/{name}.json"))?;
                }
            }
            (FeedKind::Nvd, Step::Whole) => self.years_of_nvd(base)?,
            (FeedKind::Nvd, Step::Changes { .. }) => {
                self.file(&format!("{base}/nvdcve-2.0-modified.json.gz"))?;
            }
            (FeedKind::Osv | FeedKind::Cve, Step::Whole) => self.whole_list()?,
            (FeedKind::Csaf, Step::Whole) => self.ask_again()?,
            (FeedKind::Csaf, Step::Changes { .. }) => {
                self.ask_for_some()?;
                self.lists_of_csaf()?;
            }
            (FeedKind::Osv | FeedKind::Cve, Step::Changes { anyway }) => {
                let (form, list) = list_of(feed);
                self.ask_for_some()?;
                self.state.waiting = 0;
                return self.follow(form, &list, anyway);
            }
        }
        Ok(Pulled::Done)
    }

    /// Stages a document, if it changed; gives when its server says that it did.
    fn file(&mut self, url: &str) -> Result<Option<Option<Timestamp>>, Fault> {
        let into = self.desk.next_file();
        let known = self.state.validators.get(url);
        // The archive of the CVE list is one of its repository: readmes and lists of changes too.
        let entries = if self.feed.kind == FeedKind::Cve { "CVE-" } else { "" };
        self.requests += 1;
        match self.client.get(url, known, &into, ANSWER_BYTES_MAX, self.stop)? {
            Answer::Same => Ok(None),
            Answer::Came { validators, changed_at } => {
                self.staged.push(Staged { path: into, place: url.to_owned(), entries });
                self.state.validators.insert(url.to_owned(), validators);
                Ok(Some(changed_at))
            }
        }
    }

    /// The archive of everything; changes are followed from a little before it was made.
    fn whole_list(&mut self) -> Result<(), Fault> {
        let Some(url) = self.feed.whole_url() else { return self.ask_again() };
        if let Some(changed_at) = self.file(&url)? {
            self.state.waiting = 0;
            let at = changed_at.map_or(self.now - UNDATED_S, |at| at.min(self.now) - OVERLAP_S);
            let (_, list) = list_of(self.feed);
            let cursor = self.state.cursors.entry(list.clone()).or_default();
            if cursor.at < at {
                *cursor = Cursor { at, ..Cursor::default() };
                self.state.validators.remove(&list);
            }
        }
        self.ask_again()
    }

    /// The file of each year; that of a year that has just begun may not be there yet.
    fn years_of_nvd(&mut self, base: &str) -> Result<(), Fault> {
        let this = 1970 + self.now / YEAR_S;
        for year in NVD_FIRST_YEAR..=this {
            match self.file(&format!("{base}/nvdcve-2.0-{year}.json.gz")) {
                Err(fault) if fault.is_of_document() && year == this => {
                    self.notes.push(missing(&fault));
                }
                done => done.map(drop)?,
            }
        }
        self.state.full_at = Some(self.now);
        Ok(())
    }

    /// The lists of a provider: those that its metadata name, or the one that was given.
    fn lists_of_csaf(&mut self) -> Result<(), Fault> {
        let url = self.feed.url.clone();
        let lists = if Path::new(&url).extension().is_some_and(|it| it == "csv") {
            vec![(ListingForm::CsafChanges, url)]
        } else {
            let into = self.desk.next_file();
            self.requests += 1;
            self.client.get(&url, None, &into, LISTING_BYTES_MAX, self.stop)?;
            let bytes = self.read(&into)?;
            match provider_listings(&bytes) {
                Ok(lists) => lists,
                // Not the metadata: a feed itself, perhaps.
                Err(_) if bytes.windows(6).any(|part| part == b"\"feed\"") => {
                    vec![(ListingForm::Rolie, url)]
                }
                Err(why) => return Err(Fault::new("list", &url, why)),
            }
        };
        self.state.waiting = 0;
        for (form, list) in lists {
            self.follow(form, &list, true)?;
        }
        Ok(())
    }

    /// Stages what changed since a list was followed last, oldest first.
    fn follow(&mut self, form: ListingForm, list: &str, anyway: bool) -> Result<Pulled, Fault> {
        if !self.may_ask(list) {
            return Err(Fault::new("list", list, "this address may not be asked"));
        }
        let into = self.desk.next_file();
        let known = self.state.validators.get(list);
        self.requests += 1;
        let validators = match self.client.get(list, known, &into, LISTING_BYTES_MAX, self.stop)? {
            Answer::Same => return Ok(Pulled::Done),
            Answer::Came { validators, .. } => validators,
        };
        let mut changes = self.changes(form, list, &into)?;
        if changes.len() > CHANGES_MAX && !anyway {
            self.state.waiting = changes.len();
            return Ok(Pulled::TooMany);
        }
        let may_follow = CHANGES_MAX - self.followed.min(CHANGES_MAX);
        let rest = changes.split_off(changes.len().min(may_follow));
        self.followed += changes.len();
        for change in changes {
            self.document(&change.url)?;
            let margin_s = margin_s(self.feed);
            let cursor = self.state.cursors.entry(list.to_owned()).or_default();
            cursor.pass(change, self.now, margin_s);
        }
        self.state.waiting += rest.len();
        // Whoever has not followed all of a list must be given it again.
        if rest.is_empty() {
            self.state.validators.insert(list.to_owned(), validators);
        }
        Ok(Pulled::Done)
    }

    /// What a list names beyond the point up to which it was followed.
    fn changes(
        &mut self,
        form: ListingForm,
        list: &str,
        file: &Path,
    ) -> Result<Vec<Listed>, Fault> {
        let bytes = self.read(file)?;
        let listing = read_listing(form, list, &bytes);
        let Listing { entries, refused, example } =
            listing.map_err(|why| Fault::new("list", list, why))?;
        if refused > 0 {
            let message = format!("{refused} entries cannot be used, the first: {example}");
            self.notes.push(Warning::new("feed-list", list, message));
        } else if matches!(form, ListingForm::OsvModified | ListingForm::CsafChanges) {
            self.forget_unlisted(list, &entries);
        }
        let (now, margin_s) = (self.now, margin_s(self.feed));
        let cursors = &mut self.state.cursors;
        // A clock that was ahead, or a list that was believed to be.
        cursors.retain(|it, cursor| it != list || cursor.at <= now + AHEAD_S);
        let cursor = cursors.get(list).cloned().unwrap_or_default();
        let is_new = |it: &Listed| !cursor.has_passed(it, margin_s);
        let new: Vec<_> = entries.into_iter().filter(is_new).collect();
        self.note_ahead(list, &new);
        Ok(new)
    }

    /// A document that did not come and that a list of all documents beside it names no longer has
    /// gone: it is not missed. A list that names none says nothing.
    fn forget_unlisted(&mut self, list: &str, entries: &[Listed]) {
        let folder = list.rsplit_once('/').map_or(list, |(folder, _)| folder);
        let is_inside = |url: &str| url.strip_prefix(folder).is_some_and(|it| it.starts_with('/'));
        let mut others = self.state.cursors.keys().filter(|it| *it != list);
        // Of folders in folders nobody knows whose document it is.
        if entries.is_empty() || others.any(|it| is_inside(it)) {
            return;
        }
        let named: BTreeSet<&str> = entries.iter().map(|it| it.url.as_str()).collect();
        self.state.skipped.retain(|url| !is_inside(url) || named.contains(url.as_str()));
    }

    /// Says of changes that are dated in the future that they are.
    fn note_ahead(&mut self, list: &str, changes: &[Listed]) {
        let mut ahead = changes.iter().filter(|it| it.at > self.now + AHEAD_S);
        if let Some(first) = ahead.next() {
            let (count, id) = (ahead.count() + 1, &first.id);
            let message = format!("{count} entries are dated in the future, the first: {id}");
            self.notes.push(Warning::new("feed-list", list, message));
        }
    }

    /// Stages one document. One that does not come costs no other, and is asked for again; nobody
    /// goes on past one that cannot be kept for that.
    fn document(&mut self, url: &str) -> Result<(), Fault> {
        if !self.may_ask(url) {
            let message = "a list names an address that may not be asked";
            return self.skip(url, Warning::new("feed-list", url, message));
        }
        let into = self.desk.next_file();
        self.requests += 1;
        match self.client.get(url, None, &into, DOCUMENT_BYTES_MAX, self.stop) {
            Ok(_) => {
                self.staged.push(Staged::whole(into, url.to_owned()));
                self.state.skipped.remove(url);
                Ok(())
            }
            Err(fault) if self.costs_one(&fault, url) => self.skip(url, missing(&fault)),
            Err(fault) => Err(fault),
        }
    }

    /// Whether others of the list may come: what is wrong with another machine is so too.
    fn costs_one(&self, fault: &Fault, url: &str) -> bool {
        let is_elsewhere = matches!(fault.code, "redirect" | "certificate" | "unreachable");
        fault.is_of_document() || is_elsewhere && !self.feed.is_same_host(url)
    }

    /// Keeps what did not come, to ask for it again; it is said once.
    fn skip(&mut self, url: &str, note: Warning) -> Result<(), Fault> {
        let skipped = &mut self.state.skipped;
        if skipped.len() >= SKIPPED_MAX && !skipped.contains(url) {
            let why = format!("more than {SKIPPED_MAX} documents did not come");
            return Err(Fault::new("incomplete", url, why));
        }
        if skipped.insert(url.to_owned()) {
            self.notes.push(note);
        }
        Ok(())
    }

    /// Asks again for what did not come, of so many documents.
    fn ask_for(&mut self, count: usize) -> Result<(), Fault> {
        let again: Vec<_> = self.state.skipped.iter().take(count).cloned().collect();
        again.iter().try_for_each(|url| self.document(url))
    }

    /// Asks again for some of it, unless the same look asks for all.
    fn ask_for_some(&mut self) -> Result<(), Fault> {
        let asks_for_all =
            self.state.full_at == Some(self.now) || self.state.is_full_due(self.feed, self.now);
        if asks_for_all { Ok(()) } else { self.ask_for(AGAIN_MAX) }
    }

    /// Asks again for all that did not come.
    fn ask_again(&mut self) -> Result<(), Fault> {
        self.ask_for(SKIPPED_MAX)?;
        self.state.full_at = Some(self.now);
        Ok(())
    }

    /// Lists may name other machines over TLS, and the one that gave the list.
    fn may_ask(&self, url: &str) -> bool {
        is_asked(url) && (url.starts_with("https:") || self.feed.is_same_host(url))
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, Fault> {
        let bytes = fs::read(file);
        bytes.map_err(|cause| Fault::new("disk", &file.display().to_string(), cause))
    }
}

impl Cursor {
    fn has_passed(&self, change: &Listed, margin_s: i64) -> bool {
        change.at < self.at.saturating_sub(margin_s)
            || self.seen.get(&change.id).is_some_and(|at| *at == change.at)
    }

    /// Whatever a list says, nobody is past a moment that is still to come.
    fn pass(&mut self, change: Listed, now: Timestamp, margin_s: i64) {
        if change.at > self.at && change.at <= now {
            self.at = change.at;
            let floor = self.at.saturating_sub(margin_s);
            self.seen.retain(|_, at| *at >= floor);
        }
        self.seen.insert(change.id, change.at);
    }
}

/// How much older than the newest change one may be that is new all the same.
const fn margin_s(feed: &Feed) -> i64 {
    if matches!(feed.kind, FeedKind::Csaf) { LATE_S } else { 0 }
}

fn missing(fault: &Fault) -> Warning {
    let message = "the document did not come; it is asked for again";
    Warning::new("feed-document", &fault.detail, message)
}

/// The list of changes of a feed that has a whole list too.
fn list_of(feed: &Feed) -> (ListingForm, String) {
    match feed.kind {
        FeedKind::Cve => (ListingForm::CveDeltaLog, feed.url.clone()),
        _ => {
            let folder = feed.url.trim_end_matches('/');
            (ListingForm::OsvModified, format!("{folder}/modified_id.csv"))
        }
    }
}

/// The steps of a look.
pub(super) fn steps(feed: &Feed, state: &FeedState, now: Timestamp) -> Vec<Step> {
    let changes = Step::Changes { anyway: false };
    let is_new = || !state.cursors.contains_key(&list_of(feed).1);
    match feed.kind {
        FeedKind::File | FeedKind::Alpine => vec![Step::Whole],
        FeedKind::Osv | FeedKind::Cve if feed.whole_url().is_some() && is_new() => {
            vec![Step::Whole, Step::Changes { anyway: true }]
        }
        // What did not come is asked for again first, and not right after it did not.
        FeedKind::Csaf if state.is_full_due(feed, now) => vec![Step::Whole, changes],
        _ if state.is_full_due(feed, now) => vec![changes, Step::Whole],
        _ => vec![changes],
    }
}
