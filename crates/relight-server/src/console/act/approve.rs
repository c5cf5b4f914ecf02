//! `/approve/A-0112`: a plan before those who have to agree to it, and their answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::access::Role;
use relight_engine::incident::{Action, Behind, Ended, Proof, Seat, Standing, UNDO_AGE_MAX_S};
use relight_engine::plan::PLAN_AGE_MAX_S;
use relight_engine::policy::{Desk, Person, Refusal};
use relight_engine::store::PasskeyRow;
use relight_engine::{Approving, Engine, EngineError, Smashing};
use relight_model::{Digest, Timestamp};
use relight_web::act_views::{ApprovePage, SeatView};
use relight_web::door_views::KeyForm;
use relight_web::{Lang, texts};
use serde::Deserialize;

use super::{
    code_of, moment, person_of, plan_view, plans, policy_of, reads_plan, rollout, signer_of,
    status_of, told, will_sign,
};
use crate::access::SignedIn;
use crate::access::ceremony::{self, Shown};
use crate::access::form::{Sender, SignedForm};
use crate::access::refusals::because;
use crate::access::ticket::Purpose;
use crate::console::{Asked, Console, blocking, key_form};
use crate::page;
use crate::proof::Signing;

/// What somebody decides about a plan.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Decision {
    /// `approve`, `refuse` or `undo`.
    #[serde(default)]
    pub(crate) decision: String,
    /// Hash of the plan that was read.
    #[serde(default)]
    pub(crate) hash: String,
    /// The number of sites, as typed.
    #[serde(default)]
    pub(crate) typed: String,
    /// Why it is refused.
    #[serde(default)]
    pub(crate) reason: String,
    /// The ticket of the passkey that signs the plan.
    #[serde(default)]
    pub(crate) ticket: String,
    /// What it answered.
    #[serde(default)]
    pub(crate) answer: String,
}

impl Decision {
    /// Hash of the plan that was read; zeros are no plan's.
    fn plan(&self) -> Digest {
        Digest::parse(self.hash.trim()).unwrap_or_default()
    }

    /// What a passkey signed, if one did.
    fn signing(&self) -> Option<Signing> {
        let signing = match self.decision.as_str() {
            "approve" => Signing::Approval,
            "glass" => Signing::BrokenGlass,
            _ => return None,
        };
        (!self.answer.is_empty()).then_some(signing)
    }
}

/// Why a decision was not carried out.
enum Trouble {
    Engine(EngineError),
    Key(ceremony::Refusal),
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::Engine(error) => status_of(error),
            Self::Key(refusal) => key_form::status(refusal),
        }
    }

    /// Its stable name.
    fn code(&self) -> String {
        match self {
            Self::Engine(error) => code_of(error),
            Self::Key(refusal) => refusal.code().to_owned(),
        }
    }

    /// What went wrong, and what to do.
    fn told(&self, lang: Lang) -> (String, String) {
        match self {
            Self::Engine(error) => told(lang, error),
            Self::Key(refusal) => (key_form::words(lang, refusal), String::new()),
        }
    }
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    signed: SignedIn,
    asked: Asked,
) -> Response {
    blocking(move || answer(&console, &asked, &signed, &id, StatusCode::OK, None)).await
}

pub(super) async fn decide(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Decision>,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let Some(action) = find(engine, &signed, &id) else { return console.nothing(&asked) };
        let done = sign(&console, &signed, &form, &from).and_then(|proof| {
            let done = carry_out(&console, engine, &signed, &action, &form, proof);
            done.map_err(Trouble::Engine)
        });
        match done {
            Ok(()) => {
                let lang = console.lang(&asked);
                let to = format!("/approve/{}?lang={}", action.id(), lang.tag());
                Redirect::to(&to).into_response()
            }
            Err(trouble) => {
                let status = trouble.status();
                let told = answer(&console, &asked, &signed, &id, status, Some(&trouble));
                because(told, trouble.code())
            }
        }
    })
    .await
}

/// The action, for those who may know of every site in it.
pub(crate) fn find(engine: &Engine, signed: &SignedIn, id: &str) -> Option<Action> {
    let found = engine.with_ledger(|ledger| ledger.actions().find(id).cloned());
    found.filter(|action| reads_plan(signed, &action.plan))
}

/// What a passkey signed for the plan, if it did.
fn sign(
    console: &Console,
    signed: &SignedIn,
    form: &Decision,
    from: &Sender,
) -> Result<Option<Proof>, Trouble> {
    let Some(signing) = form.signing() else { return Ok(None) };
    let shown = Shown { ticket: &form.ticket, answer: &form.answer, from };
    let proof =
        console.door.sign_plan(signed, (signing, &form.plan()), shown).map_err(Trouble::Key)?;
    Ok(Some(proof))
}

/// Does what somebody decided, by one act of the engine.
pub(crate) fn carry_out(
    console: &Console,
    engine: &Arc<Engine>,
    signed: &SignedIn,
    action: &Action,
    form: &Decision,
    proof: Option<Proof>,
) -> Result<(), EngineError> {
    let policy = policy_of(engine);
    let person = person_of(console, signed, engine.now());
    let hash = form.plan();
    match form.decision.as_str() {
        "undo" => engine.take_back(&policy, &person, action.number).map(drop),
        "approve" => {
            let person = signer_of(console, signed, proof.as_ref(), engine.now());
            let approving = Approving { hash, typed: number_of(&form.typed), proof };
            let acted = engine.approve_proven(&policy, &person, action.number, approving)?;
            if acted.started {
                rollout::after(engine, &console.board, &person.name, &action.plan);
            }
            Ok(())
        }
        "glass" => {
            let person = signer_of(console, signed, proof.as_ref(), engine.now());
            let smashing = Smashing { hash, reason: &form.reason, proof };
            engine.smash_glass(&policy, &person, &action.plan, smashing)
        }
        // What is not understood agrees to nothing: it is a refusal, and that needs a reason.
        other => {
            let reason = if other == "refuse" { form.reason.as_str() } else { "" };
            engine.refuse(&policy, &person, action.number, hash, reason)
        }
    }
}

/// A number as people type it: digits, with the blanks and commas of either language.
fn number_of(text: &str) -> Option<usize> {
    let is_gap = |sign: char| sign.is_whitespace() || sign == ',' || sign == '\u{a0}';
    let digits: String = text.chars().filter(|sign| !is_gap(*sign)).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn answer(
    console: &Console,
    asked: &Asked,
    signed: &SignedIn,
    id: &str,
    status: StatusCode,
    trouble: Option<&Trouble>,
) -> Response {
    let Some(engine) = &console.engine else { return console.nothing(asked) };
    let Some(action) = find(engine, signed, id) else { return console.nothing(asked) };
    let view = View { console, engine, asked, signed, action: &action, now: engine.now() };
    let mut page = view.page(trouble);
    page.frame.fresh = plans::mark_of_one(page.frame.lang, &action, view.now);
    page::html(status, relight_web::render(&page))
}

struct View<'a> {
    console: &'a Console,
    engine: &'a Engine,
    asked: &'a Asked,
    signed: &'a SignedIn,
    action: &'a Action,
    now: Timestamp,
}

impl View<'_> {
    fn page(&self, trouble: Option<&Trouble>) -> ApprovePage {
        let (lang, action) = (self.console.lang(self.asked), self.action);
        let (plan, id) = (&action.plan, action.id());
        let reason = match self.asked.reason.as_str() {
            "" => String::new(),
            reason => format!("&reason={}", page::encode(reason)),
        };
        let switch = format!("/approve/{id}?lang={}{reason}", lang.other().tag());
        let person = self.signer();
        let barrier = self.barrier(&person);
        let undo = self.undo_barrier();
        // A passkey that is shown leads to something: taking back ends soon after the start.
        let is_recent = matches!(action.standing,
            Standing::Started { at } if self.now - at <= UNDO_AGE_MAX_S);
        let undo_signs = is_recent && undo == Some(Refusal::NotPresent);
        let signs = barrier == Some(Refusal::NotPresent) || undo_signs;
        let decides = action.is_open(self.now) && self.may_refuse(&person);
        let (standing, standing_code) = standing(lang, action, self.now);
        let typed = policy_of(self.engine).needs_number(plan);
        ApprovePage {
            frame: self.console.frame(self.asked, &id, "plans", switch),
            incident: plan.incident.clone(),
            standing,
            standing_code,
            proposer: plan.proposer.clone(),
            proposed: moment(lang, plan.created),
            reason: plan.reason.clone(),
            hash: action.hash.to_string(),
            expires: moment(lang, plan.expires),
            plan: plan_view::view(self.engine, lang, &action.carried()),
            seats: action.seats.iter().map(|seat| seat_view(lang, action, *seat)).collect(),
            barrier: self.barrier_words(lang, barrier),
            step_up: if signs { self.step_up(&id) } else { String::new() },
            typed,
            wanted: self.asked.reason.clone(),
            may_approve: barrier.is_none(),
            may_refuse: decides,
            may_undo: undo.is_none(),
            glass: if self.may_smash(&person) {
                self.key(Signing::BrokenGlass)
            } else {
                KeyForm::default()
            },
            problem: trouble.map(|trouble| trouble.told(lang)).unwrap_or_default(),
            key: if barrier.is_none() { self.key(Signing::Approval) } else { KeyForm::default() },
            token: self.console.door.form_token(self.signed),
            id,
        }
    }

    /// This reader as he will be when he approves: who has a passkey is asked for it by then.
    fn signer(&self) -> Person {
        will_sign(self.console, self.signed, self.now)
    }

    fn keys(&self) -> Vec<PasskeyRow> {
        self.console.door.strong_keys(self.signed.account.id)
    }

    /// The ceremony in which a passkey signs the plan; none for who has no passkey.
    fn key(&self, signing: Signing) -> KeyForm {
        let keys = self.keys();
        if keys.is_empty() {
            return KeyForm::default();
        }
        let (sign_in, plan) = (&self.signed.sign_in, &self.action.hash);
        self.console.shows_key(Purpose::Sign { signing, sign_in, plan }, &keys)
    }

    /// Where somebody without a passkey shows once more who it is.
    fn step_up(&self, id: &str) -> String {
        super::step_up(self.console, self.signed, &format!("/approve/{id}"))
    }

    /// The rule that keeps this reader from approving; a number that is not typed yet is none.
    fn barrier(&self, person: &Person) -> Option<Refusal> {
        let (number, hash) = (self.action.number, self.action.hash);
        let typed = Some(self.action.plan.sites.len());
        self.at_desk(|desk| desk.approve(person, number, hash, typed))
    }

    /// Where it stands is told already; what this reader lacks is told here.
    fn barrier_words(&self, lang: Lang, barrier: Option<Refusal>) -> (String, String) {
        let is_open = self.action.is_open(self.now);
        let Some(refusal) = barrier.filter(|_| is_open) else { return Default::default() };
        let key = format!("refusal-{}", refusal.as_str());
        let text = |key: &str| texts::by_code(lang, key).unwrap_or_default().to_owned();
        (text(&key), text(&format!("{key}-remedy")))
    }

    fn may_refuse(&self, person: &Person) -> bool {
        let plan = &self.action.plan;
        let decides = [Role::Commander, Role::Approver];
        person.is(&plan.proposer) || decides.into_iter().any(|role| person.may_for(role, plan))
    }

    /// Whether this reader may darken without the others: that only the command does, and nobody
    /// relights so. What kind of key it is shows when it signs.
    fn may_smash(&self, person: &Person) -> bool {
        let plan = &self.action.plan;
        plan.action.is_closing()
            && self.action.is_open(self.now)
            && person.may_for(Role::Commander, plan)
    }

    /// The rule that keeps this reader from taking it back, where it was carried out.
    fn undo_barrier(&self) -> Option<Refusal> {
        let person = person_of(self.console, self.signed, self.now);
        self.at_desk(|desk| desk.undo(&person, self.action.number))
    }

    /// What the desk refuses, as things are now.
    fn at_desk<T>(&self, ask: impl FnOnce(&Desk<'_>) -> Result<T, Refusal>) -> Option<Refusal> {
        let (policy, protected) = (policy_of(self.engine), BTreeSet::new());
        self.engine.with_ledger(|ledger| {
            let actions = ledger.actions();
            ask(&Desk { policy: &policy, actions, protected: &protected, now: self.now }).err()
        })
    }
}

fn seat_view(lang: Lang, action: &Action, seat: Seat) -> SeatView {
    let signature = action.signatures.iter().find(|it| it.seat == seat);
    let role = match seat {
        Seat::Operator => texts::act_seat_operator(lang),
        Seat::Second => texts::act_seat_second(lang),
        Seat::Command => texts::act_seat_command(lang),
    };
    let given = action.authority.as_ref().map(|name| texts::act_seat_given(lang, name));
    SeatView {
        role,
        name: signature.map(|it| it.by.clone()).or(given).unwrap_or_default(),
        at: signature.map(|it| moment(lang, it.at)).unwrap_or_default(),
        by: signature.map_or("", |it| match it.behind {
            Behind::Asking => texts::act_by_asking(lang),
            Behind::Passkey => texts::act_by_passkey(lang),
            Behind::Word => texts::act_by_word(lang),
        }),
    }
}

/// Where an action stands, in words and as a code.
pub(crate) fn standing(lang: Lang, action: &Action, now: Timestamp) -> (String, &'static str) {
    let code = standing_code(action, now);
    let text = match (&action.standing, code) {
        (Standing::Refused { by, why }, _) => texts::act_refused_by(lang, by, why),
        (_, "started") => started(lang, action, now),
        (_, "undone") => texts::act_standing_undone(lang).to_owned(),
        (_, "expired") => texts::act_standing_expired(lang).to_owned(),
        _ => texts::act_standing_waiting(lang).to_owned(),
    };
    (text, code)
}

/// How far what was let go is: the waves of a relight take their time, and may stop.
fn started(lang: Lang, action: &Action, now: Timestamp) -> String {
    match (action.under_way(), action.ended) {
        (_, Some(ended)) if ended.failed + ended.left + ended.held > 0 => over(lang, ended),
        (Some(at), None) if now - at < PLAN_AGE_MAX_S => {
            texts::act_standing_under_way(lang).to_owned()
        }
        _ => texts::act_standing_started(lang).to_owned(),
    }
}

/// How waves ended that did not bring every site back.
fn over(lang: Lang, Ended { failed, left, held }: Ended) -> String {
    let stopped = (failed + left > 0).then(|| texts::act_standing_stopped(lang, failed, left));
    let held = (held > 0).then(|| texts::waves_held(lang, held));
    stopped.into_iter().chain(held).collect::<Vec<_>>().join("; ")
}

/// The stable name of where an action stands.
pub(crate) fn standing_code(action: &Action, now: Timestamp) -> &'static str {
    match action.standing {
        Standing::Refused { .. } => "refused",
        Standing::Started { .. } => "started",
        Standing::Undone { .. } => "undone",
        Standing::Waiting if action.is_open(now) => "waiting",
        Standing::Waiting => "expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_waves_is_told_with_its_numbers_in_their_places() {
        let told = Lang::ALL.map(|lang| over(lang, Ended { failed: 2, left: 7, held: 3 }));
        let told = told.join(" ");
        let en = "7 of its sites stay dark, 2 did not come back; 3 sites were not opened";
        let fr = "7 de ses sites restent éteints, 2 ne sont pas revenus; 3 sites n";
        assert!(told.contains(en) && told.contains(fr), "{told}");
    }

    #[test]
    fn a_number_is_read_as_people_of_both_languages_type_it() {
        for (text, number) in [
            ("487", Some(487)),
            (" 3\u{a0}992 ", Some(3_992)),
            ("3 992", Some(3_992)),
            ("3,992", Some(3_992)),
            ("", None),
            (" ", None),
            ("-3", None),
            ("3.992", None),
            ("four", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(number_of(text), number, "{text:?}");
        }
    }
}
