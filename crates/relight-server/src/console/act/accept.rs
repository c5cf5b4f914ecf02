//! Two people answer for a site that no evidence calls clear: each signs with a passkey what is
//! asked, and the journal keeps what was signed.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::incident::{Acceptance, Proof};
use relight_engine::policy::{Means, Person};
use relight_engine::{Agreeing, Asking, Engine};
use relight_model::{Digest, GateKey, Timestamp};
use relight_web::act_views::AcceptPage;
use relight_web::{Lang, texts, words};

use super::forms::{Act, Denied, Short, tell};
use super::{moment, policy_of, signer_of, step_up, will_sign};
use crate::access::SignedIn;
use crate::access::ceremony::{Refusal, Shown};
use crate::access::form::Sender;
use crate::access::refusals::because;
use crate::access::ticket::Purpose;
use crate::console::{Asked, Console, key_form};
use crate::page;
use crate::proof::Signing;

/// What is asked about one site, and from where.
pub(super) struct Asks {
    pub(super) slug: String,
    pub(super) form: Short,
    pub(super) from: Sender,
}

impl Asks {
    fn back(&self) -> String {
        format!("/site/{}", page::encode(&self.slug))
    }
}

/// What is signed.
struct Terms {
    site: GateKey,
    asked: Acceptance,
    about: Digest,
    signing: Signing,
    digest: Digest,
}

/// Asks or agrees. Who has a passkey sees first what it signs.
pub(super) fn answer(console: &Console, asked: &Asked, signed: &SignedIn, asks: &Asks) -> Response {
    let Some(engine) = &console.engine else { return console.nothing(asked) };
    let act = Act::new(console, engine, signed);
    let led = || {
        let lang = console.lang(asked);
        Redirect::to(&format!("{}?lang={}", asks.back(), lang.tag())).into_response()
    };
    if act.person.means == Means::Token || !act.has_key {
        // A second factor of the provider that was shown long ago is shown again first.
        if act.person.means != Means::Token && !act.person.is_present() {
            return Redirect::to(&step_up(console, signed, &asks.back())).into_response();
        }
        return match act.site(&asks.slug, &asks.form) {
            Ok(()) => led(),
            Err(denied) => tell(console, asked, denied, &asks.back()),
        };
    }
    let signs = will_sign(console, signed, engine.now());
    let terms = match terms(&act, &signs, asks) {
        Ok(terms) => terms,
        Err(denied) => return tell(console, asked, denied, &asks.back()),
    };
    let view = View { console, engine, asked, signed, asks, terms: &terms };
    if asks.form.answer.is_empty() {
        return view.answer(StatusCode::OK, String::new());
    }
    let shown = Shown { ticket: &asks.form.ticket, answer: &asks.form.answer, from: &asks.from };
    let proof = match console.door.sign_plan(signed, (terms.signing, &terms.digest), shown) {
        Ok(proof) => proof,
        Err(refusal) => return view.refused(&refusal),
    };
    let person = signer_of(console, signed, Some(&proof), engine.now());
    match carry_out(engine, &person, &terms, (&asks.form, Some(&proof))) {
        Ok(()) => led(),
        Err(denied) => tell(console, asked, denied, &asks.back()),
    }
}

/// Asks or agrees without a passkey: a program, or somebody whose provider vouches for him.
pub(super) fn without_key(act: &Act<'_>, site: &GateKey, form: &Short) -> Result<(), Denied> {
    let policy = policy_of(act.engine);
    if form.act == "accept" {
        let asking = asking(form, site, form.expires(act.engine.now())?);
        return Ok(act.engine.ask_acceptance(&policy, &act.unsigned, &asking)?);
    }
    Ok(act.engine.agree_acceptance(&policy, &act.unsigned, &agreeing(form, site)).map(drop)?)
}

fn carry_out(
    engine: &Engine,
    person: &Person,
    terms: &Terms,
    (form, proof): (&Short, Option<&Proof>),
) -> Result<(), Denied> {
    let policy = policy_of(engine);
    if terms.signing == Signing::AcceptanceAsked {
        let about = Some(terms.about);
        let asking = asking(form, &terms.site, terms.asked.expires);
        return Ok(engine.ask_acceptance(&policy, person, &Asking { about, proof, ..asking })?);
    }
    let agreeing = Agreeing { proof, ..agreeing(form, &terms.site) };
    Ok(engine.agree_acceptance(&policy, person, &agreeing).map(drop)?)
}

fn asking<'a>(form: &'a Short, site: &'a GateKey, expires: Timestamp) -> Asking<'a> {
    // What is no name of anything is not what is known.
    let named = Some(form.about.trim()).filter(|about| !about.is_empty());
    let about = named.map(|about| Digest::parse(about).unwrap_or_default());
    let (id, reason) = (form.incident.trim(), form.note.trim());
    Asking { id, site, reason, expires, about, proof: None }
}

fn agreeing<'a>(form: &'a Short, site: &'a GateKey) -> Agreeing<'a> {
    let seen = Digest::parse(form.seen.trim()).unwrap_or_default();
    Agreeing { id: form.incident.trim(), site, seen, proof: None }
}

/// What is signed, where the rules allow it.
fn terms(act: &Act<'_>, person: &Person, asks: &Asks) -> Result<Terms, Denied> {
    let (site, _) = act.site_of(&asks.slug)?.ok_or(Denied::Role)?;
    let (engine, form, policy) = (act.engine, &asks.form, policy_of(act.engine));
    let id = form.incident.trim();
    let (asked, about, signing) = if form.act == "accept" {
        // The end was counted when the page was made: what is signed is what was read.
        let expires = match form.until.trim() {
            "" => form.expires(engine.now())?,
            until => until.parse().map_err(|_| Denied::NoSuchAct)?,
        };
        let asking = asking(form, &site, expires);
        let known = engine.with_ledger(|ledger| Some(ledger.incident(id)?.about(&site)));
        let about = asking.about.or(known).unwrap_or_default();
        let asking = Asking { about: Some(about), ..asking };
        engine.may_ask_acceptance(&policy, person, &asking)?;
        let (proposer, reason) = (person.name.clone(), asking.reason.to_owned());
        let asked = Acceptance { proposer, approver: String::new(), reason, expires };
        (asked, about, Signing::AcceptanceAsked)
    } else {
        let agreeing = agreeing(form, &site);
        let (asked, about) = engine.may_agree_acceptance(&policy, person, &agreeing)?;
        (asked, about, Signing::AcceptanceAgreed)
    };
    let digest = asked.terms((id, &site), &about).map_err(|_| Denied::NoSuchAct)?;
    Ok(Terms { site, asked, about, signing, digest })
}

/// The page that asks for the passkey.
struct View<'a> {
    console: &'a Console,
    engine: &'a Engine,
    asked: &'a Asked,
    signed: &'a SignedIn,
    asks: &'a Asks,
    terms: &'a Terms,
}

impl View<'_> {
    fn refused(&self, refusal: &Refusal) -> Response {
        let lang = self.console.lang(self.asked);
        let told = self.answer(key_form::status(refusal), key_form::words(lang, refusal));
        because(told, refusal.code())
    }

    fn answer(&self, status: StatusCode, problem: String) -> Response {
        let lang = self.console.lang(self.asked);
        let (terms, form) = (self.terms, &self.asks.form);
        let is_asked = terms.signing == Signing::AcceptanceAsked;
        let title = texts::accept_title(lang, terms.site.as_str());
        // A form is sent again in no other language: the page of the site is.
        let switch = format!("{}?lang={}", self.asks.back(), lang.other().tag());
        let fields = [
            ("act", form.act.clone()),
            ("incident", form.incident.trim().to_owned()),
            ("note", if is_asked { terms.asked.reason.clone() } else { String::new() }),
            ("until", if is_asked { terms.asked.expires.to_string() } else { String::new() }),
            ("about", terms.about.to_string()),
            ("seen", form.seen.trim().to_owned()),
        ];
        let (signing, sign_in) = (terms.signing, &self.signed.sign_in);
        let keys = self.console.door.strong_keys(self.signed.account.id);
        let purpose = Purpose::Sign { signing, sign_in, plan: &terms.digest };
        let accept = AcceptPage {
            frame: self.console.frame(self.asked, &title, "sites", switch),
            problem,
            facts: self.facts(lang),
            note: if is_asked { texts::accept_ask(lang) } else { texts::accept_agree(lang) },
            sign: if is_asked { texts::accept_ask_sign(lang) } else { texts::accept_sign(lang) },
            back: self.asks.back(),
            fields: fields.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            key: self.console.shows_key(purpose, &keys),
        };
        page::html(status, relight_web::render(&accept))
    }

    fn facts(&self, lang: Lang) -> Vec<(&'static str, String)> {
        let (asked, site) = (&self.terms.asked, &self.terms.site);
        let id = self.asks.form.incident.trim();
        let (state, verdict) = self.engine.with_ledger(|ledger| {
            let case = ledger.incident(id).and_then(|incident| incident.case(site));
            (ledger.display(site).0, case.and_then(|case| case.verdict()))
        });
        let verdict = verdict.map_or(words::state(lang, state), |it| words::verdict(lang, it));
        vec![
            (texts::act_incident(lang), id.to_owned()),
            (texts::act_who(lang), asked.proposer.clone()),
            (texts::act_why(lang), asked.reason.clone()),
            (texts::act_expires(lang), moment(lang, asked.expires)),
            (texts::sites_column_state(lang), words::state(lang, state).to_owned()),
            (texts::column_verdict(lang), verdict.to_owned()),
        ]
    }
}
