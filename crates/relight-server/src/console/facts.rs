//! How bad the flaw of an incident is, and whether it is used: one line in the head of its screen.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use relight_engine::incident::flaw_of;
use relight_engine::matching::OWN_PREFIX;
use relight_engine::signals::{Attempts, Scores};
use relight_engine::{Engine, EngineError};
use relight_model::{Signal, Timestamp};
use relight_web::{Lang, number, texts};

use super::register::severity;

/// How long what was read of a flaw is shown before it is read again, in seconds: chances come once
/// a day as a table of all flaws, and the screen is asked for by everybody, all the time.
const FACTS_AGE_S_MAX: i64 = 600;

/// What was read last of the flaws of incidents, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Facts(Mutex<BTreeMap<String, Read>>);

#[derive(Clone, Debug)]
struct Read {
    at: Timestamp,
    chance: Option<u32>,
    bodies: usize,
}

/// The language of the title of an incident, where it is not that of the page: published advisories
/// are in English, and our own, and titles that somebody typed, in that of their people.
pub(super) fn language_of(
    engine: &Engine,
    lang: Lang,
    id: &str,
    title: &str,
) -> Option<&'static str> {
    let is_published = engine.with_incidents(|_, advisories| {
        let group = advisories.group(flaw_of(id));
        group.is_some_and(|it| {
            it.records().any(|one| one.summary == title && !one.id.starts_with(OWN_PREFIX))
        })
    });
    (lang != Lang::En && is_published).then_some(Lang::En.tag())
}

impl Facts {
    /// `CVSS 10.0 · KEV · EPSS 97.5% · attempts at 41 organisations`, as far as it is known.
    ///
    /// # Errors
    /// The register cannot be read.
    pub(crate) fn of(
        &self,
        engine: &Engine,
        lang: Lang,
        id: &str,
        now: Timestamp,
    ) -> Result<String, EngineError> {
        let known = engine.with_incidents(|_, advisories| {
            let group = advisories.group(flaw_of(id))?;
            Some(severity(lang, group.score(), group.known_exploited()))
        });
        let read = self.read(engine, id, now)?;
        let chance = read
            .chance
            .map(|chance| format!("EPSS {}", number::percent(lang, u64::from(chance), 1_000_000)));
        let bodies = (read.bodies > 0).then(|| texts::incident_attempts(lang, read.bodies));
        let facts = known.filter(|it| !it.is_empty()).into_iter().chain(chance).chain(bodies);
        Ok(facts.collect::<Vec<_>>().join(" · "))
    }

    /// What is known from tables and logs; whoever asks while it is read waits for it.
    fn read(&self, engine: &Engine, id: &str, now: Timestamp) -> Result<Read, EngineError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, read| (0..FACTS_AGE_S_MAX).contains(&(now - read.at)));
        if let Some(read) = last.get(id) {
            return Ok(read.clone());
        }
        let group = engine.with_incidents(|_, advisories| advisories.group(flaw_of(id)).cloned());
        let mut read = Read { at: now, chance: None, bodies: 0 };
        if let Some(group) = group {
            let signals = Scores::read(engine.store())?.signals(&group);
            let chances = signals.iter().filter_map(|signal| match signal {
                Signal::Epss { score, date, .. } => Some((*date, *score)),
                _ => None,
            });
            read.chance = chances.max().map(|(_, score)| score);
            read.bodies = Attempts::read(engine.store(), &group, &engine.sites(), now)?.bodies();
        }
        last.insert(id.to_owned(), read.clone());
        Ok(read)
    }
}
