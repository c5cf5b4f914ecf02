//! `/audit`: the journal, newest first, a hundred records a page; `?state=verify` walks its chain.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::{Role, Scope};
use relight_engine::store::{JournalFault, JournalRecord, Store, StoreError, Verified};
use relight_web::audit_views::{AuditPage, RecordRow};
use relight_web::{Lang, number, texts};

use super::{Asked, Console, audit_words, blocking};
use crate::access::signed_in::Reader;
use crate::page;

/// Records of one page.
const RECORDS_MAX: u64 = 100;

/// Letters of a record's content that are shown; the whole of it is in an export.
const BODY_CHARS_MAX: usize = 300;

/// What the address says for "walk the chain".
const VERIFY: &str = "verify";

/// Who sees the journal: it names people and what they did.
pub(super) const READERS: [Role; 4] = [Role::Auditor, Role::Admin, Role::Commander, Role::Approver];

/// Whether a reader may see the journal.
pub(super) fn sees(reader: &Reader) -> bool {
    match reader {
        Reader::Anyone => true,
        Reader::Signed(signed) => READERS.iter().any(|role| signed.may(*role, &Scope::root())),
    }
}

pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        if !sees(&asked.reader) {
            return console.nothing(&asked);
        }
        let view = View { console: &console, asked: &asked, lang: console.lang(&asked) };
        let (status, page) = match view.page(engine.store()) {
            Ok(page) if page.problem.is_empty() => (StatusCode::OK, page),
            // A program that only looks at the status must not take a broken chain for a whole one.
            Ok(page) => (StatusCode::INTERNAL_SERVER_ERROR, page),
            Err(_) => {
                let problem = texts::audit_unread(view.lang).to_owned();
                let remedy = texts::audit_broken_remedy(view.lang);
                let page = AuditPage { problem, remedy, ..view.empty(0) };
                (StatusCode::INTERNAL_SERVER_ERROR, page)
            }
        };
        page::html(status, relight_web::render(&page))
    })
    .await
}

struct View<'a> {
    console: &'a Console,
    asked: &'a Asked,
    lang: Lang,
}

impl View<'_> {
    fn page(&self, store: &Store) -> Result<AuditPage, StoreError> {
        let lang = self.lang;
        let (newest, _) = store.journal_head()?;
        let asked: u64 = self.asked.page.parse().unwrap_or(newest);
        let last = asked.clamp(newest.min(1), newest);
        let first = last.saturating_sub(RECORDS_MAX - 1).max(1);
        let count = usize::try_from(last + 1 - first.min(last + 1)).unwrap_or(0);
        let mut rows: Vec<RecordRow> =
            store.journal_slice(first, count)?.iter().map(|it| record(lang, it)).collect();
        rows.reverse();
        let older = if first > 1 { self.href(first - 1) } else { String::new() };
        let newer = match last < newest {
            true => self.href((last + RECORDS_MAX).min(newest)),
            false => String::new(),
        };
        let page = AuditPage { rows, older, newer, ..self.empty(newest) };
        if self.asked.state != VERIFY {
            return Ok(page);
        }
        Ok(judged(lang, page, store.verify_journal()?))
    }

    fn href(&self, page: u64) -> String {
        format!("/audit?lang={}&page={page}", self.lang.tag())
    }

    fn empty(&self, newest: u64) -> AuditPage {
        let lang = self.lang;
        let verify = if self.asked.state == VERIFY { "&state=verify" } else { "" };
        let switch = format!("/audit?lang={}&page={}{verify}", lang.other().tag(), self.asked.page);
        AuditPage {
            frame: self.console.frame(self.asked, texts::audit_title(lang), "audit", switch),
            count: texts::audit_entries(lang, newest),
            verify: format!("/audit?lang={}&state={VERIFY}", lang.tag()),
            intact: String::new(),
            problem: String::new(),
            remedy: "",
            rows: Vec::new(),
            older: String::new(),
            newer: String::new(),
        }
    }
}

/// The page with what walking the chain showed.
fn judged(lang: Lang, page: AuditPage, verified: Result<Verified, JournalFault>) -> AuditPage {
    match verified {
        Ok(whole) => {
            let intact = texts::audit_intact(lang, whole.entries, &whole.head.to_string());
            AuditPage { intact, ..page }
        }
        Err(fault) => {
            let code = fault.what.as_str();
            let why = texts::by_code(lang, &format!("fault-{code}")).unwrap_or(code);
            let problem = texts::audit_broken(lang, fault.seq, why);
            AuditPage { problem, remedy: texts::audit_broken_remedy(lang), ..page }
        }
    }
}

fn record(lang: Lang, record: &JournalRecord) -> RecordRow {
    let mut body: String = record.body.chars().take(BODY_CHARS_MAX).collect();
    if body.len() < record.body.len() {
        body.push('…');
    }
    let entry = serde_json::from_str(&record.body);
    let said = |entry| audit_words::sentence(lang, &record.incident, &entry);
    RecordRow {
        sentence: entry.map(said).unwrap_or_default(),
        seq: record.seq,
        at: number::rfc3339(record.time),
        when: number::stamp_to_the_second(lang, record.time),
        actor: record.actor.clone(),
        kind: record.kind.clone(),
        incident: record.incident.clone(),
        body,
    }
}

#[cfg(test)]
mod tests {
    use relight_engine::store::JournalFaultKind;
    use relight_model::Digest;
    use relight_web::views::{Frame, Stage, Theme};

    use super::*;

    fn page() -> AuditPage {
        let frame = Frame {
            lang: Lang::En,
            title: String::new(),
            here: "audit",
            register: true,
            audits: true,
            display: false,
            stage: Stage::Real,
            theme: Theme::Neutral,
            look: relight_web::look::Look::default(),
            switch_href: String::new(),
            public_url: "/".into(),
            account: String::new(),
            token: String::new(),
            whole: true,
            notices: String::new(),
            idle_s: 0,
            watches: false,
            roles: String::new(),
            fresh: Default::default(),
            glass: false,
        };
        let (intact, problem, remedy) = (String::new(), String::new(), "");
        let (older, newer, verify) = (String::new(), String::new(), String::new());
        let (count, rows) = (String::new(), Vec::new());
        AuditPage { frame, count, verify, intact, problem, remedy, rows, older, newer }
    }

    #[test]
    fn a_broken_chain_is_told_with_its_place_and_its_fault_and_never_as_whole() {
        let whole = Verified { entries: 2, head: Digest([7; 32]) };
        let said = judged(Lang::En, page(), Ok(whole));
        assert!(said.problem.is_empty() && said.intact.contains("2 entries, up to 0707"));
        for what in [
            JournalFaultKind::Sequence,
            JournalFaultKind::Previous,
            JournalFaultKind::Hash,
            JournalFaultKind::Unreadable,
            JournalFaultKind::TailMissing,
        ] {
            for lang in Lang::ALL {
                let said = judged(lang, page(), Err(JournalFault { seq: 7, what }));
                assert!(said.intact.is_empty() && said.problem.contains('7'), "{what:?}");
                let key = format!("fault-{}", what.as_str());
                assert!(texts::by_code(lang, &key).is_some(), "a word, no code: {what:?}");
                assert!(said.remedy.contains("relight audit verify"), "{what:?}");
            }
        }
    }

    #[test]
    fn long_contents_are_cut_at_a_letter() {
        let whole = JournalRecord {
            seq: 1,
            time: 0,
            actor: "anna".into(),
            kind: "note".into(),
            incident: String::new(),
            body: "é".repeat(BODY_CHARS_MAX),
            prev: Digest::default(),
            hash: Digest::default(),
        };
        assert_eq!(record(Lang::Fr, &whole).body, whole.body);
        let long = JournalRecord { body: format!("{}x", whole.body), ..whole.clone() };
        assert_eq!(record(Lang::Fr, &long).body, format!("{}…", whole.body));
    }
}
