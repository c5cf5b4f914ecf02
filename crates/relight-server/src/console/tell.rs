//! `/watch/tell`: who has a role for an organisation that a campaign touched is told of it, and of
//! nothing that happened elsewhere. Organisations where nobody has one are named, so that somebody
//! telephones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::access::{Account, Scope};
use relight_engine::{Engine, EngineError};
use relight_model::{
    Attempt, Campaign, Exposure, OrgId, Organisation, Severity, SiteId, Timestamp,
};
use relight_web::register_views::TellPage;
use relight_web::{Lang, number, texts};
use serde::Deserialize;

use super::sign_in::person;
use super::{Asked, Console, act, blocking, share};
use crate::access::form::SignedForm;
use crate::access::sign_ins::is_open;
use crate::access::{Factor, SignedIn};
use crate::page::{self, encode};

/// Times that anybody is told within [`TELLINGS_S`]: half of the notices that wait for one person.
const TELLINGS_MAX: usize = crate::access::notices::NOTICES_MAX / 2;

/// See [`TELLINGS_MAX`], in seconds.
const TELLINGS_S: i64 = 3_600;

/// The kind of notes that say who was told: `C-7K2MQX anna:S3 zoe:S1`.
const KIND: &str = "tell";

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Form {
    id: String,
    #[serde(default)]
    again: String,
}

/// When, by whom and how many people were told of a campaign.
type Before = Vec<(Timestamp, String, usize)>;

/// Whom a campaign concerns.
struct Telling {
    id: String,
    /// Everybody with a role for an organisation that it touched, and its step there.
    people: BTreeMap<String, Severity>,
    /// Those who were not told of that step, or of a higher one.
    due: BTreeMap<String, Severity>,
    /// Who has a role for each organisation.
    bodies: Vec<BTreeSet<String>>,
    /// Organisations where nobody has.
    without: Vec<String>,
    before: Before,
}

impl Telling {
    /// `None` without such a campaign.
    fn of(console: &Console, engine: &Engine, id: &str) -> Result<Option<Self>, EngineError> {
        let judged = engine.campaigns()?;
        let Some(campaign) = share::found(&judged.campaigns, id) else { return Ok(None) };
        let sites = engine.store().sites()?.into_iter();
        let sites: BTreeMap<SiteId, OrgId> = sites.map(|site| (site.id, site.org)).collect();
        let accounts = accounts(console);
        let mut people = BTreeMap::<String, Severity>::new();
        let (mut bodies, mut without) = (Vec::new(), Vec::new());
        let touched = |body: &Organisation| campaign.organisations.contains(&body.id);
        for body in engine.organisations()?.into_iter().filter(touched) {
            let scope = Scope::of_body(&body.sector, &body.name);
            let step = step_at(campaign, &body, &sites);
            let here = accounts.iter().filter(|it| is_of(it, &scope));
            let here: BTreeSet<String> = here.map(|it| it.name.clone()).collect();
            for name in &here {
                let most = people.entry(name.clone()).or_default();
                *most = step.max(*most);
            }
            if here.is_empty() { without.push(body.name) } else { bodies.push(here) }
        }
        let (before, told) = told_before(engine, campaign)?;
        let mut due = people.clone();
        due.retain(|name, step| told.get(name).is_none_or(|told| told.as_str() < step.as_str()));
        let id = campaign.id.clone();
        Ok(Some(Self { id, people, due, bodies, without, before }))
    }

    /// The page: before (`told` is `None`), or after these were told.
    fn page(
        &self,
        console: &Console,
        asked: &Asked,
        told: Option<&BTreeMap<String, Severity>>,
    ) -> Response {
        let lang = console.lang(asked);
        let again = self.due.is_empty();
        let whom = told.unwrap_or(if again { &self.people } else { &self.due });
        let is_told = |body: &&BTreeSet<String>| body.iter().any(|name| whom.contains_key(name));
        let counts = (self.bodies.iter().filter(is_told).count(), whom.len());
        let reach = match (told.is_some(), whom.is_empty(), again) {
            (true, ..) => texts::tell_reach_done(lang, counts.0, counts.1),
            (_, true, _) => texts::tell_reach_none(lang).to_owned(),
            (_, _, true) => texts::tell_reach_again(lang, counts.0, counts.1),
            _ => texts::tell_reach(lang, counts.0, counts.1),
        };
        let stale = person(&asked.reader).filter(|signed| !is_sure(console, signed));
        let here = |tag: &str| format!("/watch/tell?lang={tag}&q={}", encode(&self.id));
        let before = |(at, who, count): &(Timestamp, String, usize)| {
            texts::tell_before(lang, &number::stamp(lang, *at), *count, who)
        };
        let title = texts::tell_title(lang);
        let page = TellPage {
            frame: console.frame(asked, title, "watch", here(lang.other().tag())),
            id: self.id.clone(),
            reach,
            done: told.is_some(),
            before: self.before.iter().map(before).collect(),
            without: self.without.clone(),
            step_up: stale
                .map(|signed| act::step_up(console, signed, &here(lang.tag())))
                .unwrap_or_default(),
            can: !whom.is_empty(),
            again,
            back: format!("/watch?lang={}#{}", lang.tag(), self.id),
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    }
}

/// Accounts that somebody can come in to.
fn accounts(console: &Console) -> Vec<Account> {
    let (door, known) = (&console.door, console.door.known());
    let now = door.now();
    let is_in = |id| {
        let mut rows = known.tables.sign_ins.iter().filter(|row| row.account == id);
        rows.any(|row| is_open(row, door.times, now))
    };
    let rows = known.tables.accounts.iter();
    let rows = rows.filter(|row| known.can_come_in(row.id, now) || is_in(row.id));
    rows.filter_map(|row| known.account(row.id)).collect()
}

/// Whether a role was granted for an organisation or its sector. One for everything is of nobody,
/// and reads the page itself.
fn is_of(account: &Account, body: &Scope) -> bool {
    account.grants.iter().any(|grant| !grant.scope.is_root() && grant.scope.contains(body))
}

/// The step that a campaign has by what is known of one organisation alone, so that its people
/// learn of no other one. An attempt of which nobody knows the site may have been there.
fn step_at(campaign: &Campaign, body: &Organisation, sites: &BTreeMap<SiteId, OrgId>) -> Severity {
    let is_own = |site: &SiteId| sites.get(site) == Some(&body.id);
    let own = |it: &&Attempt| it.site.as_ref().is_none_or(is_own);
    let mut attempts = campaign.attempts.iter().filter(own).peekable();
    let is_aimed = campaign.severity == Severity::TargetedReconnaissance
        || campaign.aimed_at.contains(&body.sector);
    let step = if campaign.signs.iter().any(|sign| is_own(&sign.site)) {
        Severity::SignsOfSuccess
    } else if attempts.peek().is_some() {
        let vulnerable = attempts.any(|it| it.exposure == Exposure::Affected);
        if vulnerable { Severity::AttemptOnVulnerable } else { Severity::ExploitAttempt }
    } else if campaign.organisations.len() == 1 {
        campaign.severity
    } else if is_aimed {
        Severity::TargetedReconnaissance
    } else {
        Severity::Reconnaissance
    };
    step.min(campaign.severity)
}

/// Who told whom of a campaign, under each of its names: the acts, and the highest step by person.
fn told_before(
    engine: &Engine,
    campaign: &Campaign,
) -> Result<(Before, BTreeMap<String, String>), EngineError> {
    let (mut before, mut told) = (Vec::new(), BTreeMap::<String, String>::new());
    for (at, who, kind, what) in engine.store().watch_notes()? {
        let mut words = what.split(' ');
        let id = words.next().unwrap_or_default();
        let is_of = campaign.id == id || campaign.formerly.iter().any(|it| it == id);
        if kind != KIND || !is_of {
            continue;
        }
        let people: Vec<_> = words.filter_map(|it| it.split_once(':')).collect();
        before.push((at, who, people.len()));
        for (name, step) in people {
            let most = told.entry(name.to_owned()).or_default();
            if most.as_str() < step {
                step.clone_into(most);
            }
        }
    }
    Ok((before, told))
}

/// Whether somebody showed just now who it is.
fn is_sure(console: &Console, signed: &SignedIn) -> bool {
    act::person_of(console, signed, console.door.now()).is_present()
}

/// Why somebody may not tell: no role for it, a program, or a campaign that was played.
fn denied(
    console: &Console,
    asked: &Asked,
    signed: &SignedIn,
    engine: &Engine,
) -> Option<Response> {
    let lang = console.lang(asked);
    let (status, what, remedy) =
        if signed.factor == Factor::Token || !share::may(console, signed, engine) {
            (StatusCode::FORBIDDEN, texts::act_no_role(lang), texts::act_no_role_remedy(lang))
        } else if console.stage.is_played() {
            (StatusCode::CONFLICT, texts::share_played(lang), texts::share_played_remedy(lang))
        } else {
            return None;
        };
    let words = (what.to_owned(), remedy.to_owned());
    Some(act::told_page(console, asked, status, words, "/watch"))
}

/// Says whom it would tell.
pub(super) async fn ask(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let signed = person(&asked.reader);
        let Some((engine, signed)) = console.engine.as_ref().zip(signed) else {
            return console.nothing(&asked);
        };
        if let Some(denied) = denied(&console, &asked, signed, engine) {
            return denied;
        }
        match Telling::of(&console, engine, asked.q.trim()) {
            Ok(Some(telling)) => telling.page(&console, &asked, None),
            Ok(None) => console.nothing(&asked),
            Err(error) => act::refused(&console, &asked, &error, "/watch"),
        }
    })
    .await
}

/// Tells them.
pub(super) async fn tell(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Form>,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        if let Some(denied) = denied(&console, &asked, &signed, engine) {
            return denied;
        }
        if !is_sure(&console, &signed) {
            let tag = console.lang(&asked).tag();
            let here = format!("/watch/tell?lang={tag}&q={}", encode(&form.id));
            return Redirect::to(&act::step_up(&console, &signed, &here)).into_response();
        }
        let told = told(&console, &asked, engine, (&signed.account.name, &form));
        told.unwrap_or_else(|error| act::refused(&console, &asked, &error, "/watch"))
    })
    .await
}

fn told(
    console: &Console,
    asked: &Asked,
    engine: &Engine,
    (actor, form): (&str, &Form),
) -> Result<Response, EngineError> {
    // One at a time: who sends it twice tells once.
    let _telling = console.door.changing();
    let Some(telling) = Telling::of(console, engine, &form.id)? else {
        return Ok(console.nothing(asked));
    };
    let lang = console.lang(asked);
    let refuse = |status, what: String, remedy: &str| {
        Ok(act::told_page(console, asked, status, (what, remedy.to_owned()), "/watch"))
    };
    let whom = if form.again == "1" { &telling.people } else { &telling.due };
    if whom.is_empty() {
        let remedy = texts::tell_told_remedy(lang);
        return refuse(StatusCode::CONFLICT, texts::tell_told(lang).to_owned(), remedy);
    }
    let now = console.door.now();
    let notes = engine.store().watch_notes()?.into_iter();
    if notes.filter(|it| it.2 == KIND && now - it.0 < TELLINGS_S).count() >= TELLINGS_MAX {
        let what = texts::tell_limit(lang, TELLINGS_MAX);
        return refuse(StatusCode::TOO_MANY_REQUESTS, what, texts::tell_limit_remedy(lang));
    }
    console.door.tell_of_campaign(engine, (actor, &telling.id), whom)?;
    let names = whom.iter().map(|(name, step)| format!(" {name}:{}", step.as_str()));
    let note = format!("{}{}", telling.id, names.collect::<String>());
    engine.store().put_watch_note(now, actor, KIND, &note)?;
    Ok(telling.page(console, asked, Some(whom)))
}

/// What somebody told of a campaign: that it touched the reader's own, what that is not, and what
/// to do.
pub(super) fn told_to(lang: Lang, by: &str, about: &str) -> String {
    let (id, step) = about.split_once(' ').unwrap_or((about, ""));
    let word = texts::by_code(lang, &format!("severity-{step}")).unwrap_or(step);
    let is_bad = step == Severity::SignsOfSuccess.as_str();
    let todo = if is_bad { texts::notice_campaign_bad } else { texts::notice_campaign_todo };
    let told = texts::notice_campaign(lang, id, word, by);
    // Below the signs of a success only, as everywhere: there it would deny what was seen.
    let denial = if is_bad { "" } else { texts::reconnaissance_note(lang) };
    let parts = [told.as_str(), denial, todo(lang)].into_iter();
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use relight_model::Sign;

    use super::*;

    #[test]
    fn the_step_at_an_organisation_is_of_what_is_known_there() {
        use Severity::*;
        let sites = BTreeMap::from([(SiteId(1), OrgId(1)), (SiteId(2), OrgId(2))]);
        let body = Organisation { id: OrgId(1), name: "Hospital".into(), sector: "health".into() };
        let attempt = |site: Option<u32>, exposure| {
            let site = site.map(SiteId);
            vec![Attempt { at: 0, site, flaw: "CVE-2021-44228", exposure }]
        };
        let sign =
            |site| vec![Sign { at: 0, site: SiteId(site), kind: "answer", host: "x".into() }];
        let (unknown, affected) = (Exposure::Unknown, Exposure::Affected);
        for (severity, attempts, signs, aimed_at, wanted) in [
            (Noise, vec![], vec![], "", Noise),
            (Reconnaissance, vec![], vec![], "", Reconnaissance),
            (TargetedReconnaissance, vec![], vec![], "", TargetedReconnaissance),
            (ExploitAttempt, attempt(Some(1), unknown), vec![], "", ExploitAttempt),
            (ExploitAttempt, attempt(Some(2), unknown), vec![], "", Reconnaissance),
            (ExploitAttempt, attempt(Some(2), unknown), vec![], "health", TargetedReconnaissance),
            (ExploitAttempt, attempt(None, unknown), vec![], "", ExploitAttempt),
            (AttemptOnVulnerable, attempt(Some(1), affected), vec![], "", AttemptOnVulnerable),
            (AttemptOnVulnerable, attempt(Some(2), affected), vec![], "", Reconnaissance),
            (SignsOfSuccess, attempt(Some(1), affected), sign(1), "", SignsOfSuccess),
            (SignsOfSuccess, attempt(Some(1), unknown), sign(2), "", ExploitAttempt),
        ] {
            let aimed_at = Some(aimed_at.to_owned()).filter(|it| !it.is_empty());
            let campaign = Campaign {
                severity,
                organisations: vec![OrgId(1), OrgId(2)],
                attempts,
                signs,
                aimed_at: aimed_at.into_iter().collect(),
                ..Campaign::default()
            };
            assert_eq!(step_at(&campaign, &body, &sites), wanted, "{campaign:?}");
        }
    }

    /// That reconnaissance is no compromise is said up to the signs of one, and never with them.
    #[test]
    fn signs_of_success_are_denied_to_nobody() {
        for lang in Lang::ALL {
            for step in Severity::ALL {
                let told = told_to(lang, "zoe", &format!("C-1 {}", step.as_str()));
                let denies = told.contains(texts::reconnaissance_note(lang));
                assert_eq!(denies, step < Severity::SignsOfSuccess, "{told}");
                assert!(!told.contains("  "), "{told}");
            }
        }
    }
}
