//! What news holds back is put to the people who sign in: a plan that waits for them.

use std::time::{Duration, Instant};

use relight_engine::{HeldLooks, HeldWords};
use relight_server::web::texts;

use super::running::{Part, Server};
use crate::failure::Failure;
use crate::operator;
use crate::report::Report;

/// How often it is looked whether something is held back that nobody was asked about.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is remembered between two looks.
#[derive(Debug, Default)]
pub(super) struct Held {
    looks: HeldLooks,
    looked: Option<Instant>,
}

impl Server<'_> {
    /// Asks for plans about what news holds back. Where nobody can sign in, nobody could agree:
    /// the operator of this machine reads of it in `incident status`.
    pub(super) fn ask_about_held(&mut self, report: &mut Report) -> Result<(), Failure> {
        let is_due = self.held.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if !is_due || self.control.is_none() || !self.engine.is_settled() {
            return Ok(());
        }
        self.held.looked = Some(Instant::now());
        if !self.engine.has_held_to_ask(&self.held.looks) {
            return Ok(());
        }
        let asked = self.propose_held();
        self.attempt(Part::Held, asked, report).map(drop)
    }

    fn propose_held(&mut self) -> Result<usize, Failure> {
        let (lang, store) = (self.context.lang, self.engine.store());
        let tables = store.account_tables().map_err(|error| self.context.store_failure(&error))?;
        if tables.accounts.is_empty() {
            return Ok(0);
        }
        let policy = operator::policy(self.context, store)?.policy;
        let (reason, over) = (texts::held_plan_reason(lang), texts::held_plan_over(lang));
        let nonce = self.engine.now_ms().cast_unsigned().rotate_left(24);
        let words = HeldWords { reason, over };
        let asked = self.engine.propose_held(&policy, &mut self.held.looks, words, nonce);
        asked.map_err(|error| Failure::engine(lang, &error))
    }
}
