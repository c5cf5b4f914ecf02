//! Of which releases of distributions advisories speak, for whoever reads only some of them.
//!
//! Each source, assigner and release has one witness, a record that speaks of it, so that a look at
//! what is new keeps the list true: everything is read again only when a witness falls silent. Whom
//! the operator trusts is asked of the list, and not when it is made.

use std::collections::{BTreeMap, BTreeSet};

use relight_match::{MATCHER_REVISION, Policy, Spoken, spoken};
use relight_model::Ecosystem;
use relight_store::{Store, StoreError, StoredAdvisory};

use crate::inventoried::read_all;

/// Where the list is kept: the revision of the matcher that made it and the number of the newest
/// record, then a line for each witness.
pub(crate) const KEY: &str = "advisory-releases";

/// By source, assigner and release, the id of the witness.
type Witnesses = BTreeMap<(String, String, String), String>;

/// The releases that records in force of sources that count speak of.
pub(crate) fn all_spoken(store: &Store, policy: &Policy) -> Result<BTreeSet<Spoken>, StoreError> {
    let newest = store.advisory_seq()?;
    let kept = store.meta_get(KEY)?.and_then(|text| parse(&text));
    let (seq, mut witnesses) = kept.filter(|(seq, _)| *seq <= newest).unwrap_or_default();
    if seq != newest {
        let is_true = seq > 0 && renew(&mut witnesses, store.advisories_since(seq)?);
        if !is_true {
            witnesses.clear();
            renew(&mut witnesses, store.advisories()?);
        }
        // Whoever may not write reads it again the next time.
        let text = print(newest, &witnesses);
        let _ = store.meta_put(KEY, &text);
    }
    let counting = witnesses.into_keys().filter(|(source, assigner, _)| {
        !policy.disabled.contains_key(source) && policy.may_clear(source, assigner)
    });
    Ok(counting.map(|(.., release)| Ecosystem::with_release(&release)).collect())
}

/// Takes new records in; `false` when a witness fell silent and nobody of these took its place.
fn renew(witnesses: &mut Witnesses, fresh: Vec<StoredAdvisory>) -> bool {
    // All records there are come where there is no witness yet: nothing is asked of them then.
    let asked = if witnesses.is_empty() { &[] } else { &fresh[..] };
    let records: BTreeSet<_> = asked.iter().map(|it| (it.source.as_str(), &*it.id)).collect();
    let before: Vec<_> = witnesses
        .iter()
        .filter(|((source, ..), id)| records.contains(&(source.as_str(), id.as_str())))
        .map(|(key, _)| key.clone())
        .collect();
    before.iter().for_each(|key| drop(witnesses.remove(key)));
    for record in read_all(fresh) {
        let trusting = Policy { trusted: [record.assigner.clone()].into(), ..Policy::default() };
        for (ecosystem, release) in spoken(&record, &trusting) {
            let release = release.map(|it| format!(":{it}")).unwrap_or_default();
            let release = format!("{}{release}", ecosystem.as_str());
            let key = (record.source.clone(), record.assigner.clone(), release);
            witnesses.entry(key).or_insert_with(|| record.id.clone());
        }
    }
    before.iter().all(|key| witnesses.contains_key(key))
}

/// A list that another matcher made is none: another record may be a witness by now.
fn parse(text: &str) -> Option<(u64, Witnesses)> {
    let mut lines = text.lines();
    let (revision, seq) = lines.next()?.split_once(' ')?;
    let seq = seq.parse().ok().filter(|_| revision == MATCHER_REVISION.to_string())?;
    let mut witnesses = Witnesses::new();
    for line in lines {
        let (source, assigner, release, id) = serde_json::from_str(line).ok()?;
        witnesses.insert((source, assigner, release), id);
    }
    Some((seq, witnesses))
}

/// Each as JSON: an assigner has any name that a document gives him, lines in it too.
fn print(seq: u64, witnesses: &Witnesses) -> String {
    let mut text = format!("{MATCHER_REVISION} {seq}\n");
    for ((source, assigner, release), id) in witnesses {
        text.push_str(&format!("{}\n", serde_json::json!([source, assigner, release, id])));
    }
    text
}
