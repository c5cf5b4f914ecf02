//! What people are told of their own accounts: that somebody came in from a new address or was
//! refused, that keys, codes, tokens, identities or roles changed, and that a campaign touched an
//! organisation of theirs.
//!
//! Nothing is kept beside the journal: it tells what happened, and when its person had seen it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use relight_engine::incident::Entry;
use relight_engine::{Engine, EngineError};
use relight_model::{Severity, Timestamp};

use super::signed_in::SignedIn;
use super::{Door, Noted};
use crate::ServerError;
use crate::access::ceremony::Refusal;

/// Notices of one account that wait to be seen; of older ones the journal tells.
pub(crate) const NOTICES_MAX: usize = 20;

/// Addresses of one account that are known; one that was not used for the longest time is forgotten
/// first, and new when it comes back.
pub(crate) const ADDRESSES_MAX: usize = 32;

/// The kind of entries about sign-in and accounts.
const KIND: &str = "access";

/// That somebody has seen them.
const SEEN: &str = "notices-seen";

/// The fact that says until when: of older entries, everything.
const UNTIL: &str = "until";

/// That somebody told of a campaign.
pub(crate) const CAMPAIGN: &str = "campaign-told";

/// That somebody let a terminal in, which asked from somewhere.
const LET_IN: &str = "terminal-let-in";

/// Changes of what an account may be entered with, or may do; and what somebody told on purpose.
const CHANGES: [&str; 16] = [
    "account-recovered",
    "account-renewed",
    "authenticator-added",
    "authenticator-removed",
    CAMPAIGN,
    "granted",
    "identity-added",
    "identity-removed",
    "key-added",
    "key-removed",
    "link-used",
    "recovery-codes-made",
    "revoked",
    LET_IN,
    "token-added",
    "token-removed",
];

/// Something about an account that its person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// When, the last time.
    pub(crate) at: Timestamp,
    /// What: one of [`CHANGES`], `signed-in` or `sign-in-refused`.
    pub(crate) act: String,
    /// Who did it, where that is somebody else; empty for oneself and for nobody knows whom.
    pub(crate) by: String,
    /// The address that it came from, or the campaign and its step (`C-7K2MQX S3`); empty where
    /// that is not written down.
    pub(crate) about: String,
    /// How often in a row.
    pub(crate) times: u64,
}

/// One account.
#[derive(Debug, Default)]
struct Personal {
    addresses: VecDeque<String>,
    waiting: VecDeque<Notice>,
}

impl Personal {
    fn hear(&mut self, at: Timestamp, (actor, account): (&str, &str), act: &str, about: &str) {
        if act == SEEN {
            self.waiting.retain(|it| it.at > at);
            return;
        }
        let is_odd = match act {
            "signed-in" => self.is_new(about),
            "sign-in-refused" => true,
            _ => CHANGES.contains(&act),
        };
        if !is_odd {
            return;
        }
        let is_nobody = act != CAMPAIGN && [account, "unknown", ""].contains(&actor);
        let by = if is_nobody { "" } else { actor };
        let (act, by, about) = (act.to_owned(), by.to_owned(), about.to_owned());
        let notice = Notice { at, act, by, about, times: 1 };
        match self.waiting.back_mut().filter(|last| last.is_like(&notice)) {
            Some(last) => (last.at, last.times) = (at, last.times + 1),
            None => self.waiting.push_back(notice),
        }
        if self.waiting.len() > NOTICES_MAX {
            // A flood of refused sign-ins hides no change that came before it, nor do campaigns.
            let place = |is: fn(&str) -> bool| self.waiting.iter().position(|it| is(&it.act));
            let odd = place(|act| !CHANGES.contains(&act));
            let at = odd.or_else(|| place(|act| act == CAMPAIGN));
            self.waiting.remove(at.unwrap_or(0));
        }
    }

    /// Whether an address is new; where no sign-in is known, none is: an account begins with one.
    fn is_new(&mut self, address: &str) -> bool {
        let before = self.addresses.len();
        self.addresses.retain(|known| known != address);
        let is_new = before > 0 && self.addresses.len() == before;
        self.addresses.push_back(address.to_owned());
        if self.addresses.len() > ADDRESSES_MAX {
            self.addresses.pop_front();
        }
        is_new
    }
}

impl Notice {
    fn is_like(&self, other: &Self) -> bool {
        (&self.act, &self.by, &self.about) == (&other.act, &other.by, &other.about)
    }
}

/// Of everybody.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<BTreeMap<String, Personal>>);

impl Notices {
    /// What the journal tells so far.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn read(engine: &Engine) -> Result<Self, ServerError> {
        let notices = Self::default();
        let mut from = 1;
        loop {
            let page = engine.store().journal_page_of(KIND, from);
            let page = page.map_err(|error| ServerError::caused("read the journal", error))?;
            let Some(last) = page.last() else { return Ok(notices) };
            from = last.seq + 1;
            for record in &page {
                // What cannot be read is told by whoever verifies the journal.
                if let Ok(Entry::Access { act, account, facts }) = Entry::from_body(&record.body) {
                    notices.take(record.time, (&record.actor, &account), &act, &facts);
                }
            }
        }
    }

    /// Takes in what happened, as the journal tells it.
    pub(crate) fn take(
        &self,
        at: Timestamp,
        names: (&str, &str),
        act: &str,
        facts: &BTreeMap<String, String>,
    ) {
        let until = || facts.get(UNTIL).and_then(|until| until.parse().ok());
        let at = if act == SEEN { until().unwrap_or(Timestamp::MAX) } else { at };
        let fact = |name: &str| facts.get(name).map_or("", String::as_str);
        match act {
            CAMPAIGN => {
                let about = format!("{} {}", fact("campaign"), fact("severity"));
                self.hear(at, names, act, &about);
            }
            // The one fact that tells a terminal of one's own from that of somebody else.
            LET_IN => self.hear(at, names, act, fact("asked-from")),
            _ => self.hear(at, names, act, fact("address")),
        }
    }

    fn hear(&self, at: Timestamp, (actor, account): (&str, &str), act: &str, about: &str) {
        let mut all = self.all();
        match act {
            // Nobody knows whose.
            _ if account.is_empty() => (),
            "account-ended" => drop(all.remove(account)),
            _ => {
                let own = all.entry(account.to_owned()).or_default();
                own.hear(at, (actor, account), act, about);
            }
        }
    }

    /// What waits to be seen by an account, the newest first.
    pub(crate) fn of(&self, account: &str) -> Vec<Notice> {
        let all = self.all();
        all.get(account).map(|own| own.waiting.iter().rev().cloned().collect()).unwrap_or_default()
    }

    /// How many of them wait.
    pub(crate) fn count(&self, account: &str) -> usize {
        self.all().get(account).map_or(0, |own| own.waiting.len())
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Personal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    /// Writes down that somebody has seen what was told of the own account until then, or all of
    /// it.
    ///
    /// # Errors
    /// A token asks, or the journal cannot be written.
    pub(crate) fn see_notices(
        &self,
        signed: &SignedIn,
        until: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        if signed.factor == super::Factor::Token {
            return Err(Refusal::Rule("not-there"));
        }
        let name = &signed.account.name;
        if self.notices.count(name) == 0 {
            return Ok(());
        }
        let until = until.unwrap_or_else(|| self.now());
        Ok(self.note(name, Noted { act: SEEN, account: name, facts: &[(UNTIL, &until)] })?)
    }

    /// Tells accounts of a campaign, each of the step that it has for whom it belongs to. All of
    /// it is in the journal, or nothing.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(crate) fn tell_of_campaign(
        &self,
        engine: &Engine,
        (actor, campaign): (&str, &str),
        people: &BTreeMap<String, Severity>,
    ) -> Result<(), EngineError> {
        let facts = |step: &Severity| {
            let pairs = [("campaign", campaign), ("severity", step.as_str())];
            BTreeMap::from(pairs.map(|(name, text)| (name.to_owned(), text.to_owned())))
        };
        let entry = |(account, step): (&String, &Severity)| {
            let (act, account) = (CAMPAIGN.to_owned(), account.clone());
            (String::new(), Entry::Access { act, account, facts: facts(step) })
        };
        engine.append(actor, people.iter().map(entry).collect())?;
        for (account, step) in people {
            self.notices.take(self.now(), (actor, account), CAMPAIGN, &facts(step));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `act by address times`, the newest first, of what anna is told after `actor act address`.
    fn told(heard: &[(&str, &str, &str)]) -> Vec<String> {
        let notices = Notices::default();
        for (at, (actor, act, address)) in (1..).zip(heard) {
            notices.hear(at, (actor, "anna"), act, address);
        }
        let line = |it: Notice| format!("{} {} {} {}", it.act, it.by, it.about, it.times);
        notices.of("anna").into_iter().map(line).collect()
    }

    #[test]
    fn what_is_odd_is_told_and_what_is_usual_is_not() {
        for (heard, wanted) in [
            (vec![("anna", "signed-in", "a")], vec![]),
            (vec![("anna", "signed-in", "a"), ("anna", "signed-in", "a")], vec![]),
            (vec![("anna", "signed-in", "a"), ("anna", "signed-in", "b")], vec!["signed-in  b 1"]),
            (vec![("anna", "key-shown", "a"), ("anna", "signed-out", "")], vec![]),
            (vec![("anna", "sign-in-refused", "x"); 3], vec!["sign-in-refused  x 3"]),
            (vec![("unknown", "sign-in-refused", "x")], vec!["sign-in-refused  x 1"]),
            (
                vec![("root", "granted", ""), ("anna", "key-added", "")],
                vec!["key-added   1", "granted root  1"],
            ),
            (vec![("root", "account-renewed", ""), ("anna", SEEN, "")], vec![]),
            (
                vec![("anna", SEEN, ""), ("root", "account-renewed", "")],
                vec!["account-renewed root  1"],
            ),
        ] {
            assert_eq!(told(&heard), wanted, "{heard:?}");
        }
    }

    #[test]
    fn what_came_after_a_page_was_read_is_told_on() {
        let notices = Notices::default();
        let until = |text: &str| BTreeMap::from([(UNTIL.to_owned(), text.to_owned())]);
        let none = BTreeMap::new();
        for (facts, left) in [(until("2"), 1), (until("3"), 0), (until("soon"), 0), (none, 0)] {
            for at in 1..=3 {
                notices.hear(at, ("root", "anna"), "granted", &at.to_string());
            }
            notices.take(9, ("anna", "anna"), SEEN, &facts);
            assert_eq!(notices.count("anna"), left, "{facts:?}");
        }
    }

    #[test]
    fn each_act_of_the_list_is_told_once() {
        assert!(CHANGES.is_sorted());
        for act in CHANGES {
            assert_eq!(told(&[("root", act, "")]), [format!("{act} root  1")]);
        }
    }

    #[test]
    fn a_flood_fills_no_memory_and_hides_nothing_that_comes_after_it() {
        let notices = Notices::default();
        notices.hear(0, ("root", "anna"), "key-added", "");
        for number in 0..1_000 {
            notices.hear(number, ("unknown", "anna"), "sign-in-refused", &number.to_string());
            notices.hear(number, ("anna", "anna"), "signed-in", &number.to_string());
        }
        notices.hear(2_000, ("root", "anna"), "key-removed", "");
        assert_eq!(notices.count("anna"), NOTICES_MAX);
        assert_eq!(notices.of("anna")[0].act, "key-removed");
        assert_eq!(notices.of("anna")[NOTICES_MAX - 1].act, "key-added", "nor what was before it");
        assert_eq!(notices.all()["anna"].addresses.len(), ADDRESSES_MAX);
        for number in 0..100 {
            notices.hear(2_000, ("root", "anna"), CAMPAIGN, &format!("C-{number} S3"));
        }
        let kept = notices.of("anna");
        assert_eq!((kept.len(), kept[0].about.as_str()), (NOTICES_MAX, "C-99 S3"));
        assert_eq!(kept[NOTICES_MAX - 1].act, "key-added", "campaigns push out campaigns only");
        assert_eq!(kept[NOTICES_MAX - 2].act, "key-removed");
        notices.hear(2_001, ("x", ""), "sign-in-refused", "y");
        assert_eq!(notices.all().len(), 1, "nobody's account");
        notices.hear(2_002, ("root", "anna"), "account-ended", "");
        assert_eq!(notices.count("anna"), 0);
    }

    #[test]
    fn an_address_that_was_forgotten_is_new_again() {
        let mut heard: Vec<(&str, &str, String)> = Vec::new();
        for number in 0..=ADDRESSES_MAX {
            heard.push(("anna", "signed-in", number.to_string()));
        }
        heard.push(("anna", SEEN, String::new()));
        for number in [ADDRESSES_MAX, 1, 0] {
            heard.push(("anna", "signed-in", number.to_string()));
        }
        let heard: Vec<_> =
            heard.iter().map(|(actor, act, from)| (*actor, *act, from.as_str())).collect();
        assert_eq!(told(&heard), ["signed-in  0 1"]);
    }
}
