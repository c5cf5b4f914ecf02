//! `/plan`: sites are chosen, what would happen is shown, and exactly that is asked for.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::Engine;
use relight_engine::incident::{Proof, Seat};
use relight_engine::plan::{Action, Plan};
use relight_engine::policy::{Desk, Person};
use relight_engine::store::PasskeyRow;
use relight_web::act_views::PlanPage;
use relight_web::door_views::KeyForm;
use relight_web::views::Choice as Option_;
use relight_web::{Lang, texts, words};

use super::choose::{Choice, name_of};
use super::{
    may_propose, plan_view, policy_of, refused, rollout, signer_of, step_up, told_page, will_sign,
};
use crate::access::SignedIn;
use crate::access::ceremony::{self, Shown};
use crate::access::form::{Sender, SignedForm};
use crate::access::refusals::because;
use crate::access::ticket::Purpose;
use crate::console::{Asked, Console, blocking, key_form};
use crate::page;
use crate::proof::Signing;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Query(choice): Query<Choice>,
    Query(pairs): Query<Vec<(String, String)>>,
    signed: SignedIn,
    asked: Asked,
) -> Response {
    // What was checked has the address of the same sites typed, which can be sent to a colleague.
    if let Some(choice) = choice.with_picked(&pairs) {
        let to = View::address(&choice, &choice.incident, console.lang(&asked));
        return Redirect::to(&to).into_response();
    }
    blocking(move || match &console.engine {
        Some(engine) => {
            let page = View { console: &console, engine, asked: &asked, signed: &signed };
            page.answer(&choice, StatusCode::OK, Problem::default())
        }
        None => console.nothing(&asked),
    })
    .await
}

pub(super) async fn propose(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form: choice }: SignedForm<Choice>,
) -> Response {
    blocking(move || match &console.engine {
        Some(engine) => {
            let page = View { console: &console, engine, asked: &asked, signed: &signed };
            page.propose(&choice, &from)
        }
        None => console.nothing(&asked),
    })
    .await
}

/// What went wrong, and what to do.
type Problem = (String, String);

struct View<'a> {
    console: &'a Console,
    engine: &'a Arc<Engine>,
    asked: &'a Asked,
    signed: &'a SignedIn,
}

impl View<'_> {
    fn lang(&self) -> Lang {
        self.console.lang(self.asked)
    }

    /// This reader as he will be when he asks: who has a passkey signs the plan with it.
    fn person(&self) -> Person {
        will_sign(self.console, self.signed, self.engine.now())
    }

    fn keys(&self) -> Vec<PasskeyRow> {
        self.console.door.strong_keys(self.signed.account.id)
    }

    /// The ceremony in which a passkey signs what is shown; none for who has no passkey.
    fn key(&self, plan: &Plan) -> KeyForm {
        let keys = self.keys();
        let Ok(hash) = plan.hash() else { return KeyForm::default() };
        if keys.is_empty() {
            return KeyForm::default();
        }
        let (signing, sign_in) = (Signing::Proposal, &self.signed.sign_in);
        self.console.shows_key(Purpose::Sign { signing, sign_in, plan: &hash }, &keys)
    }

    fn step_up(&self, here: &str) -> String {
        step_up(self.console, self.signed, here)
    }

    /// Asks for what was shown. What differs from it is shown again, and nothing is asked.
    fn propose(&self, choice: &Choice, from: &Sender) -> Response {
        let lang = self.lang();
        let Some(incident) = choice.incident(self.engine) else { return self.no_incident() };
        if !self.person().is_present() {
            let here = Self::address(choice, &incident, lang);
            return Redirect::to(&self.step_up(&here)).into_response();
        }
        let policy = policy_of(self.engine);
        let plan = match choice.plan(self.engine, &policy, self.signed, &incident) {
            Ok(plan) => plan,
            Err(error) => return refused(self.console, self.asked, &error, "/"),
        };
        if name_of(&plan) != choice.seen {
            let remedy = texts::act_changed_remedy(lang).to_owned();
            let problem = (texts::act_changed(lang).to_owned(), remedy);
            return self.answer(choice, StatusCode::CONFLICT, problem);
        }
        let proof = match self.signed(choice, &plan, from) {
            Ok(proof) => proof,
            Err(refusal) => {
                let problem = (key_form::words(lang, &refusal), String::new());
                let told = self.answer(choice, key_form::status(&refusal), problem);
                return because(told, refusal.code());
            }
        };
        let person = signer_of(self.console, self.signed, proof.as_ref(), self.engine.now());
        rollout::before(self.engine, &policy, &person, &plan);
        match self.engine.propose_proven(&policy, &person, &plan, proof) {
            Ok(acted) => {
                if acted.started {
                    let name = &self.signed.account.name;
                    rollout::after(self.engine, &self.console.board, name, &plan);
                }
                let to = format!("/approve/A-{:04}?lang={}", acted.number, lang.tag());
                Redirect::to(&to).into_response()
            }
            Err(error) => {
                let status = super::status_of(&error);
                let told = self.answer(choice, status, super::told(lang, &error));
                because(told, super::code_of(&error))
            }
        }
    }

    /// What a passkey signed for the plan. Who has one signs with it: that it was shown lately for
    /// something else agrees to no plan.
    fn signed(
        &self,
        choice: &Choice,
        plan: &Plan,
        from: &Sender,
    ) -> Result<Option<Proof>, ceremony::Refusal> {
        if self.keys().is_empty() {
            return Ok(None);
        }
        if choice.answer.is_empty() {
            return Err(ceremony::Refusal::Rule("not-fresh"));
        }
        let hash = plan.hash().unwrap_or_default();
        let shown = Shown { ticket: &choice.ticket, answer: &choice.answer, from };
        self.console.door.sign_plan(self.signed, (Signing::Proposal, &hash), shown).map(Some)
    }

    fn no_incident(&self) -> Response {
        let lang = self.lang();
        let what = texts::no_open_incident(lang).to_owned();
        let remedy = texts::no_open_incident_remedy(lang, "relight incident open CVE-…");
        told_page(self.console, self.asked, StatusCode::CONFLICT, (what, remedy), "/")
    }

    fn answer(&self, choice: &Choice, status: StatusCode, problem: Problem) -> Response {
        let lang = self.lang();
        let Some(incident) = choice.incident(self.engine) else { return self.no_incident() };
        // What is shown is made now, whatever was signed before.
        let choice = &Choice { answer: String::new(), ..choice.clone() };
        let policy = policy_of(self.engine);
        let wants_plan = !choice.reason.trim().is_empty();
        let plan = wants_plan.then(|| choice.plan(self.engine, &policy, self.signed, &incident));
        let plan = match plan.transpose() {
            Ok(plan) => plan,
            Err(error) => return refused(self.console, self.asked, &error, "/"),
        };
        let is_empty = plan.as_ref().is_some_and(|plan| plan.sites.is_empty());
        let problem = if is_empty && problem.0.is_empty() {
            let remedy = texts::act_no_sites_remedy(lang).to_owned();
            (texts::act_no_sites(lang).to_owned(), remedy)
        } else {
            problem
        };
        let plan = plan.filter(|_| !is_empty || !problem.0.is_empty());
        let seats =
            plan.as_ref().filter(|_| !is_empty).map(|plan| self.seats(plan)).unwrap_or_default();
        // Who asks takes a seat by it, and that needs a passkey that was shown lately.
        let is_present = self.person().is_present();
        let may_ask = plan.is_some() && !is_empty && may_propose(self.signed);
        let here = Self::address(choice, &incident, lang);
        let page = PlanPage {
            step_up: if may_ask && !is_present { self.step_up(&here) } else { String::new() },
            frame: self.frame(choice, &incident),
            title: title(lang, choice.action()),
            code: choice.action().as_str(),
            incidents: self.incidents(&incident),
            incident,
            verdicts: verdicts(lang, choice),
            sectors: self.sectors(choice),
            is_of_parts: choice.is_of_parts(),
            part: choice.part.trim().to_owned(),
            slugs: choice.sites.trim().to_owned(),
            reason: choice.reason.trim().to_owned(),
            problem,
            seen: plan.as_ref().map(name_of).unwrap_or_default(),
            made: plan.as_ref().map(|plan| plan.created.to_string()).unwrap_or_default(),
            key: plan.as_ref().filter(|_| may_ask).map(|it| self.key(it)).unwrap_or_default(),
            plan: plan.map(|plan| plan_view::view(self.engine, lang, &plan)),
            needs: needs(lang, &seats).to_owned(),
            token: if may_ask { self.console.door.form_token(self.signed) } else { String::new() },
        };
        page::html(status, relight_web::render(&page))
    }

    fn frame(&self, choice: &Choice, incident: &str) -> relight_web::views::Frame {
        let lang = self.lang();
        let switch = Self::address(choice, incident, lang.other());
        self.console.frame(self.asked, title(lang, choice.action()), "plans", switch)
    }

    /// The address of the same choice in a language.
    fn address(choice: &Choice, incident: &str, lang: Lang) -> String {
        let fields = [
            ("lang", lang.tag()),
            ("action", choice.action().as_str()),
            ("part", choice.part.trim()),
            ("incident", incident),
            ("which", choice.which()),
            ("sector", &choice.sector),
            ("sites", choice.sites.trim()),
            ("reason", choice.reason.trim()),
        ];
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", page::encode(value));
        let query: Vec<String> = fields.iter().map(pair).collect();
        format!("/plan?{}", query.join("&"))
    }

    /// Who would have to agree.
    fn seats(&self, plan: &Plan) -> Vec<Seat> {
        let (policy, person, now) = (policy_of(self.engine), self.person(), self.engine.now());
        let protected = std::collections::BTreeSet::new();
        self.engine.with_ledger(|ledger| {
            let actions = ledger.actions();
            Desk { policy: &policy, actions, protected: &protected, now }.seats(&person, plan)
        })
    }

    fn incidents(&self, chosen: &str) -> Vec<Option_> {
        self.engine.with_ledger(|ledger| {
            let option = |(id, incident): (&str, &relight_engine::incident::Incident)| Option_ {
                value: id.to_owned(),
                text: format!("{id} {}", incident.title),
                chosen: id == chosen,
            };
            ledger.open().map(option).collect()
        })
    }

    fn sectors(&self, choice: &Choice) -> Vec<Option_> {
        let option = |sector: &crate::console::Sector| Option_ {
            value: sector.code.clone(),
            text: words::sector(self.lang(), &sector.code).to_owned(),
            chosen: sector.code == choice.sector,
        };
        let sectors = self.console.sectors(&self.console.board.sites());
        sectors.iter().map(option).collect()
    }
}

const fn title(lang: Lang, action: Action) -> &'static str {
    match action {
        Action::Dark => texts::act_dark_title(lang),
        Action::Relight => texts::act_relight_title(lang),
        Action::Close => texts::act_close_title(lang),
        Action::Open => texts::act_open_title(lang),
    }
}

fn needs(lang: Lang, seats: &[Seat]) -> &'static str {
    match seats {
        [] => "",
        [_] => texts::act_needs_one(lang),
        seats if seats.contains(&Seat::Command) => texts::act_needs_command(lang),
        _ => texts::act_needs_two(lang),
    }
}

fn verdicts(lang: Lang, choice: &Choice) -> Vec<Option_> {
    let all = [
        ("todo", texts::act_which_todo(lang)),
        ("affected", texts::act_which_affected(lang)),
        ("unknown", texts::act_which_unknown(lang)),
        ("ready", texts::act_which_ready(lang)),
        ("named", texts::act_which_named(lang)),
        ("all", texts::act_which_all(lang)),
    ];
    let option = |(value, text): (&str, &str)| Option_ {
        value: value.to_owned(),
        text: text.to_owned(),
        chosen: value == choice.which(),
    };
    let fits = |(value, _): &(&str, &str)| match choice.action() {
        Action::Close | Action::Open => *value != "ready",
        Action::Dark => *value != "ready",
        Action::Relight => matches!(*value, "ready" | "named"),
    };
    all.into_iter().filter(fits).map(option).collect()
}
