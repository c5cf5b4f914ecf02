//! `relight token`: what programs sign in with, made and ended by whoever owns the data folder.

use clap::{Args, Subcommand};
use relight_engine::access::{Role, Scope};
use relight_server::ServerError;
use relight_server::tokens::{TokenError, TokenView, TokenWish, Tokens};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::table::{Align, Table};

/// What to do with tokens.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct Create {
    #[arg(value_name = "ACCOUNT")]
    account: String,
    #[arg(long, value_name = "ROLE")]
    role: String,
    #[arg(long, value_name = "PLACE", default_value = "/")]
    scope: String,
    #[arg(long, value_name = "DAYS")]
    days: i64,
    #[arg(long, value_name = "NAME", default_value = "token")]
    name: String,
}

#[derive(Debug, Args)]
struct List {}

#[derive(Debug, Args)]
struct Revoke {
    #[arg(value_name = "NUMBER")]
    id: u32,
}

#[derive(Serialize)]
struct Made<'a> {
    token: &'a str,
    account: &'a str,
    role: &'static str,
    scope: String,
    expires: String,
}

#[derive(Serialize)]
struct Document {
    tokens: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: u32,
    account: String,
    name: String,
    role: String,
    scope: String,
    expires: String,
    used: Option<String>,
    dead: bool,
}

impl From<TokenView> for Row {
    fn from(view: TokenView) -> Self {
        let TokenView { id, account, name, role, scope, expires, used, is_dead: dead } = view;
        let used = (used != 0).then(|| rfc3339(used));
        Self { id, account, name, role, scope, expires: rfc3339(expires), used, dead }
    }
}

impl Token {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let failed = |error: ServerError| unread(context.lang, &error);
        let store = context.existing_store()?;
        if let Action::List(List {}) = self.action {
            list(&Tokens::open(context.engine_beside()?).map_err(failed)?, context, report);
            return Ok(());
        }
        // What is journalled here would end a server; it makes and ends tokens on its own page.
        context.refuse_beside_server(&store)?;
        let tokens = Tokens::open(context.engine()?).map_err(failed)?;
        match self.action {
            Action::List(List {}) => Ok(()),
            Action::Create(create) => create.run(&tokens, context, report),
            Action::Revoke(Revoke { id }) => {
                let remedy = texts::token_refused_remedy(context.lang);
                tokens.revoke(id).map_err(|error| refused(context.lang, error, remedy))?;
                if context.json {
                    list(&tokens, context, report);
                } else {
                    report.line(&texts::token_revoked(context.lang, id));
                }
                Ok(())
            }
        }
    }
}

impl Create {
    fn run(self, tokens: &Tokens, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let wrong = || {
            let names = Role::ALL.map(Role::as_str).join(" ");
            Failure::usage(texts::token_bad_role(lang))
                .hint(texts::token_bad_role_remedy(lang, &names))
        };
        let role = Role::parse(&self.role).ok_or_else(wrong)?;
        let scope = Scope::parse(&self.scope).ok_or_else(wrong)?;
        let (account, name, days) = (self.account.as_str(), self.name.as_str(), self.days);
        let wish = TokenWish { account, role, scope: &scope, name, days };
        let remedy = texts::token_refused_remedy(lang);
        let token = tokens.create(wish).map_err(|error| refused(lang, error, remedy))?;
        let expires = rfc3339(context.now() + days * 86_400);
        if context.json {
            let (role, scope) = (role.as_str(), scope.to_string());
            let made = Made { token: &token, account, role, scope, expires };
            report.document("relight.token/1", &made);
            return Ok(());
        }
        // The token alone is data: what is piped into a file is a token and nothing else.
        report.line(&token);
        report.note(&texts::token_shown(lang, &expires));
        Ok(())
    }
}

fn list(tokens: &Tokens, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let rows: Vec<Row> = tokens.all().into_iter().map(Row::from).collect();
    if context.json {
        report.document("relight.tokens/1", &Document { tokens: rows });
        return;
    }
    if rows.is_empty() {
        report.note(texts::token_none(lang));
    }
    let left = |text| (text, Align::Left);
    let mut table = Table::new(&[
        (texts::token_column_number(lang), Align::Right),
        left(texts::door_account(lang)),
        left(texts::door_column_name(lang)),
        left(texts::door_column_role(lang)),
        left(texts::door_scope(lang)),
        left(texts::door_column_until(lang)),
        left(texts::door_column_used(lang)),
    ]);
    for row in rows {
        let until = if row.dead { texts::token_dead(lang).to_owned() } else { row.expires };
        let used = row.used.unwrap_or_else(|| texts::door_never(lang).to_owned());
        table.row(vec![
            row.id.to_string(),
            row.account,
            row.name,
            row.role,
            row.scope,
            until,
            used,
        ]);
    }
    table.print(report);
}

/// The accounts of the register cannot be read.
pub(crate) fn unread(lang: Lang, error: &ServerError) -> Failure {
    Failure::new(texts::accounts_unreadable(lang))
        .because(lang, error)
        .hint(texts::accounts_unreadable_remedy(lang))
}

/// Why nothing was done, and what to do where a rule forbids it.
pub(crate) fn refused(lang: Lang, error: TokenError, remedy: &str) -> Failure {
    match error {
        TokenError::Failed(error) => Failure::new(texts::token_failed(lang))
            .because(lang, &error)
            .hint(texts::token_failed_remedy(lang)),
        TokenError::Refused(code) => {
            let key = format!("door-refused-{code}");
            let what = texts::by_code(lang, &key).unwrap_or(code);
            Failure::approval(what).hint(remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_in_the_language_and_its_cause_once() {
        for lang in Lang::ALL {
            let error = || ServerError::caused("write the accounts", std::io::Error::other("full"));
            for failure in [unread(lang, &error()), refused(lang, TokenError::Failed(error()), "")]
            {
                assert!(!failure.message.contains("write the accounts"), "{lang:?} {failure:?}");
                assert!(failure.hint.is_some_and(|hint| !hint.is_empty()), "{lang:?}");
                assert_eq!(failure.below.len(), 1, "{lang:?}");
                assert!(failure.below[0].ends_with("write the accounts: full"), "{lang:?}");
            }
        }
        let said =
            Lang::ALL.map(|lang| refused(lang, TokenError::Refused("not-there"), "").message);
        assert_ne!(said[0], said[1]);
    }
}
