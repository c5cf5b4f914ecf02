//! The server's side: codes, who is let in, who is let in no more. Beside a server that runs, codes
//! are made and agents revoked on its page `/agents`.

use std::sync::Arc;

use clap::Args;
use relight_engine::Engine;
use relight_engine::store::Store;
use relight_server::agents::{
    AGENT_KEY_FILE, AgentDesk, AgentView, Refused, agents_of, version_words,
};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;
use crate::table::{Align, Table};

/// Under what name the journal records what is done here.
const ACTOR: &str = "command-line";

#[derive(Debug, Args)]
pub(super) struct Code {
    #[arg(long, value_name = "NAME")]
    org: String,
    #[arg(long, value_name = "NAME")]
    host: String,
}

#[derive(Debug, Args)]
pub(super) struct List {}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[arg(value_name = "NUMBER")]
    id: u32,
}

#[derive(Serialize)]
struct CodeDocument<'a> {
    code: &'a str,
    organisation: &'a str,
    host: &'a str,
    expires: String,
}

#[derive(Serialize)]
struct Document {
    agents: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: u32,
    host: String,
    organisation: String,
    enrolled: String,
    seen: Option<String>,
    expires: Option<String>,
    revoked: Option<String>,
    version: Option<String>,
    live: bool,
}

impl From<AgentView> for Row {
    fn from(view: AgentView) -> Self {
        let AgentView {
            id,
            host,
            organisation,
            enrolled,
            revoked,
            seen,
            expires,
            version,
            is_live,
        } = view;
        let stamp = |at: i64| (at != 0).then(|| rfc3339(at));
        Self {
            id,
            host,
            organisation: organisation.name,
            enrolled: rfc3339(enrolled),
            seen: stamp(seen),
            expires: stamp(expires),
            revoked: revoked.map(rfc3339),
            version: (!version.is_empty()).then_some(version),
            live: is_live,
        }
    }
}

/// The agents of this register.
pub(crate) fn desk(engine: Arc<Engine>, context: &Context) -> Result<AgentDesk, Failure> {
    let path = context.secret(AGENT_KEY_FILE);
    AgentDesk::open(engine, &path).map_err(|error| {
        let lang = context.lang;
        let failure = Failure::new(texts::agents_no_key(lang, &path.display().to_string()));
        failure.because(lang, &error).hint(texts::agents_no_key_remedy(lang))
    })
}

/// The desk of who may write to the journal.
fn controlling(context: &Context) -> Result<AgentDesk, Failure> {
    let store = context.existing_store()?;
    // What is journalled here would end a server.
    context.refuse_beside_server(&store)?;
    desk(context.engine()?, context)
}

fn refused(lang: Lang, refused: &Refused) -> Failure {
    let code = refused.code();
    match refused {
        Refused::Failed(error) => Failure::new(texts::agents_failed(lang))
            .because(lang, error)
            .hint(texts::agents_failed_remedy(lang)),
        Refused::Rule(_) => {
            let what = texts::by_code(lang, &format!("door-refused-{code}")).unwrap_or(code);
            Failure::usage(what).hint(texts::agents_refused_remedy(lang))
        }
    }
}

impl Code {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let desk = controlling(context)?;
        let organisation = desk.organisation(&self.org).map_err(|it| refused(lang, &it))?;
        let made = desk.make_code(ACTOR, &organisation, &self.host);
        let made = made.map_err(|it| refused(lang, &it))?;
        let (name, expires) = (organisation.name.as_str(), rfc3339(made.expires));
        if context.json {
            let (code, host) = (made.text.as_str(), self.host.trim());
            let document = CodeDocument { code, organisation: name, host, expires };
            report.document("relight.agent-code/1", &document);
            return Ok(());
        }
        // The code alone is data, as a token is.
        report.line(&made.text);
        report.note(&texts::agents_code_shown(lang, self.host.trim(), name, &expires));
        Ok(())
    }
}

impl List {
    #[expect(clippy::unused_self, reason = "every action is run the same way")]
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        list(&*context.existing_store()?, context, report)
    }
}

impl Revoke {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let (desk, store) = (controlling(context)?, context.existing_store()?);
        desk.revoke(ACTOR, self.id).map_err(|it| refused(lang, &it))?;
        if context.json {
            return list(&store, context, report);
        }
        report.line(texts::agents_done_revoked(lang));
        Ok(())
    }
}

fn list(store: &Store, context: &Context, report: &mut Report) -> Result<(), Failure> {
    let lang = context.lang;
    let all =
        agents_of(store, context.now()).map_err(|error| refused(lang, &Refused::Failed(error)))?;
    let rows: Vec<Row> = all.into_iter().map(Row::from).collect();
    if context.json {
        report.document("relight.agents/1", &Document { agents: rows });
        return Ok(());
    }
    if rows.is_empty() {
        report.note(texts::agents_none(lang));
    }
    let left = |text| (text, Align::Left);
    let mut table = Table::new(&[
        (texts::token_column_number(lang), Align::Right),
        left(texts::agents_column_host(lang)),
        left(texts::agents_column_organisation(lang)),
        left(texts::agents_column_enrolled(lang)),
        left(texts::agents_column_seen(lang)),
        left(texts::agents_column_version(lang)),
        left(texts::agents_column_certificate(lang)),
    ]);
    for row in rows {
        let until = match (row.revoked, row.expires) {
            (Some(at), _) => texts::agents_revoked(lang, &at),
            (None, Some(at)) if row.live => at,
            (None, at) => texts::agents_ended(lang, &at.unwrap_or_default()),
        };
        let seen = row.seen.unwrap_or_else(|| texts::door_never(lang).to_owned());
        let id = row.id.to_string();
        let version = version_words(lang, &row.version.unwrap_or_default());
        table.row(vec![id, row.host, row.organisation, row.enrolled, seen, version, until]);
    }
    table.print(report);
    Ok(())
}
