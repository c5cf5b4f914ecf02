//! `relight account`: the way back for whoever owns the data folder, when nobody can come in who
//! could help.

use clap::{Args, Subcommand};
use relight_server::ServerError;
use relight_server::recover::{Owner, Recovery};
use relight_server::web::texts;
use serde::Serialize;

use crate::cmd::token::{refused, unread};
use crate::context::Context;
use crate::failure::Failure;
use crate::operator;
use crate::report::Report;

/// What to do with accounts.
#[derive(Debug, Args)]
pub(crate) struct Accounts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Recover(Recover),
}

#[derive(Debug, Args)]
struct Recover {
    #[arg(value_name = "ACCOUNT")]
    account: Option<String>,
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[arg(long, value_name = "ACCOUNT", requires = "account")]
    lost: Vec<String>,
    #[arg(long, value_name = "URL", default_value = "http://localhost:8420")]
    console_url: String,
}

#[derive(Serialize)]
struct Document<'a> {
    account: Option<&'a str>,
    link: Option<&'a str>,
}

impl Accounts {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Action::Recover(recover) = self.action;
        recover.run(context, report)
    }
}

impl Recover {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let reason = self.reason.trim();
        if reason.is_empty() {
            return Err(Failure::usage(texts::account_no_reason(lang))
                .hint(texts::account_no_reason_remedy(lang)));
        }
        let store = context.existing_store()?;
        // A server holds what it knows of accounts, and has a page for who can come in.
        context.refuse_beside_server(&store)?;
        let name = operator::author(context, &store, report)?;
        let owner = Owner { name: &name, reason };
        let opened = Recovery::open(context.engine()?, &self.console_url);
        let opened = opened.map_err(|error: ServerError| unread(lang, &error))?;
        let recovery = opened.ok_or_else(|| {
            Failure::usage(texts::account_no_address(lang, &self.console_url))
                .hint(texts::account_no_address_remedy(lang))
        })?;
        let remedy = texts::account_refused_remedy(lang);
        let Some(account) = self.account.as_deref() else {
            recovery.second(owner).map_err(|error| refused(lang, error, remedy))?;
            self.tell(None, context, report);
            return Ok(());
        };
        let link = recovery.admin(owner, account, &self.lost);
        let link = link.map_err(|error| refused(lang, error, remedy))?;
        self.tell(Some(&link), context, report);
        Ok(())
    }

    fn tell(&self, link: Option<&str>, context: &Context, report: &mut Report) {
        let lang = context.lang;
        let account = self.account.as_deref();
        if context.json {
            report.document("relight.account-recovery/1", &Document { account, link });
            return;
        }
        match link {
            Some(link) => {
                report.line(link);
                report.note(&texts::account_link(lang, account.unwrap_or_default()));
            }
            None => report.line(texts::account_second(lang)),
        }
        report.note(texts::account_told(lang));
    }
}
