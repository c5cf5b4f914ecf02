//! Short forms: an incident is opened or closed, words are published, one site is looked after.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::access::{Role, Scope};
use relight_engine::grants::{Payloads, Unsendable};
use relight_engine::incident::{Compromise, Entry, Impact, Mitigation, Particulars};
use relight_engine::policy::{Means, Person, Refusal};
use relight_engine::{Engine, EngineError, FunctionalTest};
use relight_model::{GateKey, Timestamp};
use relight_web::act_views::{PreviewPage, PublishMore};
use relight_web::views::Choice;
use relight_web::{Lang, texts, words};
use serde::Deserialize;

pub(crate) use super::denied::{Conflict, Denied};
use super::{accept, has_key, person_of, policy_of, refused, signer_of, told_page};
use crate::access::SignedIn;
use crate::access::form::{Sender, SignedForm};
use crate::access::refusals::because;
use crate::console::{Asked, Console, blocking};
use crate::page;
use crate::signs::Unsaid;
use crate::told_words::{self, Wrong};

/// For how long a site is accepted as it is, where nobody says.
const ACCEPTED_DAYS: &str = "7";

/// What a short form says; what it does not say is empty.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Short {
    /// Which advisory, or which incident.
    #[serde(default)]
    pub(crate) incident: String,
    /// In French.
    #[serde(default)]
    pub(crate) fr: String,
    /// In English.
    #[serde(default)]
    pub(crate) en: String,
    /// What is done about a site: `analyse`, `fix`, `verify`, `mitigate`, `exempt`, `accept`,
    /// `agree`, `show` or `hide`.
    #[serde(default)]
    pub(crate) act: String,
    /// What is being done, or why.
    #[serde(default)]
    pub(crate) note: String,
    /// For how long a site is accepted as it is, in days.
    #[serde(default)]
    pub(crate) days: String,
    /// The id of the request that a second person read.
    #[serde(default)]
    pub(crate) seen: String,
    /// The page that is asked for behind the gate.
    #[serde(default)]
    pub(crate) path: String,
    /// The status that it must answer.
    #[serde(default)]
    pub(crate) status: String,
    /// What it must contain.
    #[serde(default)]
    pub(crate) text: String,
    /// Signs of compromise: `none`, `seen`, or not known.
    #[serde(default)]
    pub(crate) signs: String,
    /// What was known of the site when it was read.
    #[serde(default)]
    pub(crate) about: String,
    /// What a control must stop, one a line.
    #[serde(default)]
    pub(crate) payloads: String,
    /// The same as a list, which no form says.
    #[serde(skip)]
    pub(crate) listed: Option<Vec<String>>,
    /// Who answers for the control.
    #[serde(default)]
    pub(crate) owner: String,
    /// In how many minutes the next words are promised.
    #[serde(default)]
    pub(crate) next: String,
    /// How bad it is: `none`, `minor`, `major` or `critical`.
    #[serde(default)]
    pub(crate) impact: String,
    /// The end of an acceptance that is signed, in seconds since 1970.
    #[serde(default)]
    pub(crate) until: String,
    /// Comes back from the page that asks for a passkey.
    #[serde(default)]
    pub(crate) ticket: String,
    /// What the passkey answered.
    #[serde(default)]
    pub(crate) answer: String,
    /// Anything: the words say something about data, and Command stands for it.
    #[serde(default)]
    pub(crate) about_data: String,
    /// Anything: the words are the report after it was over.
    #[serde(default)]
    pub(crate) report: String,
}

impl Short {
    /// With the incident that is meant, which may be named by any id of its flaw: the open one. A
    /// report is written of the very incident that was named, which is over.
    pub(crate) fn meant(self, engine: &Engine) -> Self {
        let named = self.incident.trim();
        let incident = engine.with_incidents(|ledger, known| {
            let is_report = !self.report.is_empty() && ledger.incident(named).is_some();
            let kept = ledger.about(known, named).filter(|_| !is_report);
            kept.unwrap_or(named).to_owned()
        });
        Self { incident, ..self }
    }

    /// What goes with words.
    fn particulars(&self, now: Timestamp) -> Result<Particulars, Denied> {
        let next = match self.next.trim() {
            "" => None,
            minutes => {
                let minutes: i64 = minutes.parse().map_err(|_| Denied::NoSuchAct)?;
                Some(now.saturating_add(minutes.saturating_mul(60)))
            }
        };
        let impact = match self.impact.trim() {
            "" => None,
            name => Some(Impact::parse(name).ok_or(Denied::NoSuchAct)?),
        };
        let (about_data, report) = (!self.about_data.is_empty(), !self.report.is_empty());
        Ok(Particulars { next, impact, about_data, report })
    }

    /// What a repaired site is tried with.
    fn test(&self) -> Result<FunctionalTest, Denied> {
        let or = |text: &str, fallback: &str| match text.trim() {
            "" => fallback.to_owned(),
            text => text.to_owned(),
        };
        let status = or(&self.status, "200").parse().map_err(|_| Denied::NoSuchAct)?;
        Ok(FunctionalTest { uri: or(&self.path, "/"), status, text: self.text.clone() })
    }

    /// A list as it is; a form says one payload a line.
    fn payloads(&self) -> Result<Payloads, Denied> {
        let read = match &self.listed {
            Some(list) => Payloads::new(list.clone()),
            None => Payloads::of_lines(self.payloads.as_bytes()),
        };
        read.map_err(Denied::Payloads)
    }

    /// The end of an acceptance or of a control.
    pub(super) fn expires(&self, now: Timestamp) -> Result<Timestamp, Denied> {
        let days = if self.days.trim().is_empty() { ACCEPTED_DAYS } else { self.days.trim() };
        let days: i64 = days.parse().map_err(|_| Denied::NoSuchAct)?;
        Ok(now.saturating_add(days.saturating_mul(86_400)))
    }
}

/// One act of somebody on a register.
pub(crate) struct Act<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) person: Person,
    /// The same as the policy sees him who signs nothing: whoever has a passkey signs with it.
    pub(super) unsigned: Person,
    /// Has a passkey, which only a page can ask for.
    pub(super) has_key: bool,
    /// The public page is in English as well.
    english: bool,
}

impl<'a> Act<'a> {
    pub(crate) fn new(console: &Console, engine: &'a Engine, signed: &SignedIn) -> Self {
        let now = engine.now();
        let unsigned = signer_of(console, signed, None, now);
        let (person, english) = (person_of(console, signed, now), console.publishes_english());
        let has_key = has_key(console, signed);
        Self { engine, person, unsigned, has_key, english }
    }

    /// Programs ask; people open, close and publish.
    fn needs(&self, role: Role, scope: &Scope) -> Result<(), Denied> {
        let is_program = self.person.means == Means::Token;
        if is_program || !self.person.may(role, scope) {
            return Err(Denied::Role);
        }
        match self.person.means {
            Means::Named => Err(Denied::Engine(EngineError::from(Refusal::NotPresent))),
            _ => Ok(()),
        }
    }

    pub(crate) fn open(&self, short: &Short) -> Result<String, Denied> {
        self.needs(Role::Commander, &Scope::root())?;
        let policy = format!("policy {}", policy_of(self.engine).digest);
        Ok(self.engine.open_incident(&self.person.name, short.incident.trim(), &policy)?)
    }

    pub(crate) fn close(&self, short: &Short) -> Result<(), Denied> {
        self.needs(Role::Commander, &Scope::root())?;
        Ok(self.engine.record(
            &self.person.name,
            short.incident.trim(),
            Entry::Closed { current: true },
        )?)
    }

    pub(crate) fn update(&self, short: &Short) -> Result<(), Denied> {
        let particulars = short.particulars(self.engine.now())?;
        // What is said about data is said by the command of the incident.
        let role = if particulars.about_data { Role::Commander } else { Role::Publisher };
        self.needs(role, &Scope::root())?;
        let (fr, en) = (short.fr.trim().to_owned(), short.en.trim().to_owned());
        if fr.is_empty() || (self.english && en.is_empty()) {
            return Err(Denied::Untranslated);
        }
        if let Some(wrong) = told_words::wrong(&[&fr, &en], particulars.about_data) {
            return Err(Denied::Words(wrong));
        }
        let by = self.person.name.clone();
        let entry = Entry::UpdatePublished { fr, en, by, particulars };
        Ok(self.engine.record(&self.person.name, short.incident.trim(), entry)?)
    }

    /// Looks after one site: whoever owns it, the command, or an analyst who only looks.
    pub(crate) fn site(&self, slug: &str, short: &Short) -> Result<(), Denied> {
        let roles: &[Role] = match short.act.as_str() {
            "analyse" => &[Role::SiteOwner, Role::Commander, Role::Analyst],
            "fix" | "verify" | "mitigate" | "accept" => &[Role::SiteOwner, Role::Commander],
            "agree" => &[Role::Approver, Role::Commander],
            "exempt" => &[Role::Commander],
            "show" | "hide" => &[Role::Publisher],
            _ => return Err(Denied::NoSuchAct),
        };
        let (site, body) = self.site_of(slug)?.ok_or(Denied::Role)?;
        let id = short.incident.trim();
        let held = roles.iter().find(|role| self.person.may(**role, &body));
        let held = *held.ok_or(Denied::Role)?;
        // The page has it signed and comes by another way; shown to anything else, a passkey would
        // be asked for again and again.
        let is_signed = matches!(short.act.as_str(), "accept" | "agree") && self.has_key;
        if is_signed && self.person.means != Means::Token {
            return Err(Denied::OnPage(format!("/site/{}", page::encode(slug))));
        }
        self.needs(held, &body)?;
        let (name, note) = (&self.person.name, short.note.trim());
        match short.act.as_str() {
            "analyse" => drop(self.engine.analyse(name, id, &[site])?),
            "fix" => {
                let entry = Entry::FixStarted { site, note: note.to_owned() };
                self.engine.record(name, id, entry)?;
            }
            "exempt" => self.engine.exempt(name, id, &site)?,
            "show" | "hide" => self.engine.show_site(name, &site, short.act == "show")?,
            "verify" => return self.verify(&site, short),
            "mitigate" => return self.mitigate(&site, short),
            "accept" | "agree" => accept::without_key(self, &site, short)?,
            _ => return Err(Denied::NoSuchAct),
        }
        Ok(())
    }

    /// Verifies a fix. "No signs" is nobody's mere word: every day was looked at, or it is refused.
    fn verify(&self, site: &GateKey, short: &Short) -> Result<(), Denied> {
        let (name, id) = (&self.person.name, short.incident.trim());
        let (test, signs) = (short.test()?, Compromise::of_word(&short.signs));
        if signs == Compromise::NoSigns
            && let Some(unsaid) = Unsaid::of(self.engine, id, site)?
        {
            return Err(Denied::Signs(unsaid));
        }
        let passed = self.engine.verify_scanned(name, id, site, &test, signs)?;
        if passed {
            return Ok(());
        }
        Err(Denied::NotVerified(site.to_string(), self.engine.tried(id, site)))
    }

    /// Tries a control in front of an affected site: payloads are sent behind the gate, and it has
    /// to stop each of them.
    fn mitigate(&self, site: &GateKey, short: &Short) -> Result<(), Denied> {
        let (name, id) = (&self.person.name, short.incident.trim());
        let owner = short.owner.trim();
        let control = Mitigation {
            control: short.note.trim().to_owned(),
            place: "edge".to_owned(),
            owner: if owner.is_empty() { name } else { owner }.to_owned(),
            replayed: 0,
            blocked: 0,
            expires: short.expires(self.engine.now())?,
        };
        let replay = self.engine.mitigate(name, id, site, control, &short.payloads()?)?;
        let stopped = replay.sent > 0 && replay.sent == replay.blocked;
        if stopped { Ok(()) } else { Err(Denied::LetThrough(replay)) }
    }

    /// A site, and the body that answers for it.
    pub(super) fn site_of(&self, slug: &str) -> Result<Option<(GateKey, Scope)>, EngineError> {
        let sites = self.engine.sites();
        let site = sites.into_iter().find(|site| site.slug.as_str() == slug);
        let Some(site) = site else { return Ok(None) };
        let bodies = self.engine.organisations()?;
        let body = bodies.into_iter().find(|body| body.id == site.org);
        Ok(body.map(|body| (site.slug, Scope::of_body(&body.sector, &body.name))))
    }
}

/// Runs an act, and leads on or tells why not.
async fn run(
    console: Arc<Console>,
    asked: Asked,
    signed: SignedIn,
    back: String,
    act: impl FnOnce(&Act<'_>) -> Result<(), Denied> + Send + 'static,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let lang = console.lang(&asked);
        match act(&Act::new(&console, engine, &signed)) {
            Ok(()) => Redirect::to(&format!("{back}?lang={}", lang.tag())).into_response(),
            Err(denied) => tell(&console, &asked, denied, &back),
        }
    })
    .await
}

/// That payloads cannot be sent: which one of a text, and why.
fn unsent(lang: Lang, unsendable: Unsendable) -> String {
    let why = words::unsendable(lang, unsendable.line, unsendable.why.as_str());
    texts::labelled(lang, texts::payloads_unsent(lang), &why)
}

/// In how many minutes the next words may be promised.
const NEXT_MINUTES: [u64; 6] = [30, 60, 120, 240, 720, 1_440];

/// What goes with words, as a form says it.
pub(crate) fn more(lang: Lang, short: &Short, command: bool) -> PublishMore {
    let choice = |value: String, text: String, now: &str| {
        let chosen = value == now.trim();
        Choice { value, text, chosen }
    };
    let minutes = NEXT_MINUTES.map(|it| (it.to_string(), texts::publish_next_in(lang, it)));
    let none = (String::new(), texts::publish_next_none(lang).to_owned());
    let impacts = [
        ("", texts::publish_impact_same(lang)),
        ("none", texts::publish_impact_none(lang)),
        ("minor", texts::publish_impact_minor(lang)),
        ("major", texts::publish_impact_major(lang)),
        ("critical", texts::publish_impact_critical(lang)),
    ];
    PublishMore {
        next: [none]
            .into_iter()
            .chain(minutes)
            .map(|(it, text)| choice(it, text, &short.next))
            .collect(),
        impact: impacts
            .map(|(name, text)| choice(name.to_owned(), text.to_owned(), &short.impact))
            .into(),
        about_data: command && !short.about_data.is_empty(),
        command,
        report: !short.report.is_empty(),
    }
}

/// Why words are not published: a stable name, what it is, and what to do.
pub(crate) fn unfit(lang: Lang, wrong: &Wrong) -> (&'static str, String, &'static str) {
    match wrong {
        Wrong::NamesFlaw(word) => {
            ("names-flaw", texts::act_names_flaw(lang, word), texts::act_names_flaw_remedy(lang))
        }
        Wrong::AboutData(word) => {
            ("about-data", texts::act_about_data(lang, word), texts::act_about_data_remedy(lang))
        }
    }
}

/// A page that says why nothing was done.
pub(super) fn tell(console: &Console, asked: &Asked, denied: Denied, back: &str) -> Response {
    let lang = console.lang(asked);
    let say = |status, (what, remedy): (&str, &str)| {
        told_page(console, asked, status, (what.to_owned(), remedy.to_owned()), back)
    };
    if let Some(Conflict { code, what, remedy }) = denied.conflict(lang) {
        return because(say(StatusCode::CONFLICT, (what.as_str(), remedy)), code);
    }
    match denied {
        Denied::Engine(error) => refused(console, asked, &error, back),
        Denied::Role => {
            let words = (texts::act_no_role(lang), texts::act_no_role_remedy(lang));
            because(say(StatusCode::FORBIDDEN, words), "no-role")
        }
        Denied::OnPage(page) => {
            let remedy = texts::act_on_page_remedy(lang, &page);
            let words = (texts::act_on_page(lang), remedy.as_str());
            because(say(StatusCode::FORBIDDEN, words), "on-page")
        }
        Denied::Payloads(unsendable) => {
            let what = unsent(lang, unsendable);
            let words = (what.as_str(), texts::payloads_unusable_remedy(lang));
            say(StatusCode::UNPROCESSABLE_ENTITY, words)
        }
        Denied::Words(wrong) => {
            let (code, what, remedy) = unfit(lang, &wrong);
            because(say(StatusCode::UNPROCESSABLE_ENTITY, (what.as_str(), remedy)), code)
        }
        Denied::Untranslated => {
            let words = (texts::act_untranslated(lang), texts::act_untranslated_remedy(lang));
            because(say(StatusCode::UNPROCESSABLE_ENTITY, words), "untranslated")
        }
        // The others are conflicts, and were told.
        _ => {
            let words = (texts::act_unknown(lang), texts::act_unknown_remedy(lang));
            say(StatusCode::UNPROCESSABLE_ENTITY, words)
        }
    }
}

/// Shows words as visitors will read them, in each language of the public page side by side;
/// publishes nothing.
pub(super) async fn preview(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Short>,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let act = Act::new(&console, engine, &signed);
        let publishes = act.needs(Role::Publisher, &Scope::root());
        if let Err(denied) = publishes.or_else(|_| act.needs(Role::Commander, &Scope::root())) {
            return tell(&console, &asked, denied, "/");
        }
        let lang = console.lang(&asked);
        // A form is sent again in no other language: a switch would lose its words.
        let switch = String::new();
        let (fr, en) = (form.fr.trim().to_owned(), form.en.trim().to_owned());
        let page = PreviewPage {
            frame: console.frame(&asked, texts::preview_title(lang), "", switch),
            incident: form.incident.trim().to_owned(),
            fr,
            en,
            english: console.publishes_english(),
            more: more(lang, &form, act.person.may(Role::Commander, &Scope::root())),
            unfit: told_words::wrong(&[&form.fr, &form.en], !form.about_data.is_empty())
                .map(|wrong| unfit(lang, &wrong))
                .map(|(_, what, remedy)| (what, remedy.to_owned()))
                .unwrap_or_default(),
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

pub(super) async fn open(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Short>,
) -> Response {
    run(console, asked, signed, "/".into(), move |act| act.open(&form).map(drop)).await
}

pub(super) async fn close(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Short>,
) -> Response {
    run(console, asked, signed, "/".into(), move |act| act.close(&form.meant(act.engine))).await
}

pub(super) async fn update(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Short>,
) -> Response {
    run(console, asked, signed, "/".into(), move |act| act.update(&form.meant(act.engine))).await
}

pub(super) async fn site(
    State(console): State<Arc<Console>>,
    Path(slug): Path<String>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Short>,
) -> Response {
    let back = format!("/site/{}", page::encode(&slug));
    if ["accept", "agree"].contains(&form.act.as_str()) {
        return blocking(move || {
            let form = match &console.engine {
                Some(engine) => form.meant(engine),
                None => form,
            };
            let asks = accept::Asks { slug, form, from };
            accept::answer(&console, &asked, &signed, &asks)
        })
        .await;
    }
    run(console, asked, signed, back, move |act| act.site(&slug, &form.meant(act.engine))).await
}

#[cfg(test)]
mod tests {
    use relight_engine::grants::{PAYLOAD_BYTES_MAX, PAYLOADS_MAX, Unfit};
    use relight_web::number::Number;

    use super::*;

    /// Each reason has its words, and the limits that they name are those in force.
    #[test]
    fn why_a_payload_is_not_sent_is_said_in_both_languages() {
        for lang in Lang::ALL {
            for why in Unfit::ALL {
                let text = texts::by_code(lang, &format!("payload-{}", why.as_str())).unwrap();
                let told = unsent(lang, Unsendable { line: 3, why });
                assert!(told.contains(text) && told.contains('3'), "{told}");
            }
            let spaced = |text: &str| text.replace('\u{a0}', " ");
            let remedy = spaced(texts::payloads_unusable_remedy(lang));
            let limits = [(Unfit::TooMany, PAYLOADS_MAX), (Unfit::TooLong, PAYLOAD_BYTES_MAX)];
            for (why, limit) in limits {
                let limit = spaced(&Number::from(limit).text(lang));
                let told = spaced(&unsent(lang, Unsendable { line: 1, why }));
                assert!(told.contains(&limit) && remedy.contains(&limit), "{told} {remedy}");
            }
        }
    }
}
