//! `relight advisories vex`: what suppliers said about a flaw, and whose word has an effect; with
//! `--site` what this register can say.

use clap::Args;
use relight_engine::matching::{Group, Statement};
use relight_engine::trust;
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use super::changes::Hand;
use super::find;
use super::stated::{FORMATS, Request};
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::localise::one_of;
use crate::report::{Report, Style};

#[derive(Debug, Args)]
pub(super) struct Vex {
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[arg(long, value_name = "SITE", requires = "id", conflicts_with_all = ["trust", "distrust"])]
    site: Option<String>,
    #[arg(short, long, value_name = "FORMAT", requires = "site", value_parser = one_of(FORMATS))]
    format: Option<String>,
    #[arg(long, value_name = "NAME", requires = "site")]
    author: Option<String>,
    #[arg(long, value_name = "NAME", conflicts_with = "distrust")]
    trust: Option<String>,
    #[arg(long, value_name = "NAME")]
    distrust: Option<String>,
}

#[derive(Serialize)]
struct StatementsDocument<'a> {
    trusted: Vec<String>,
    statements: Vec<StatementRow<'a>>,
}

#[derive(Serialize)]
struct StatementRow<'a> {
    flaw: &'a str,
    issuer: &'a str,
    trusted: bool,
    status: &'static str,
    effect: &'static str,
    justification: Option<&'a str>,
    text: &'a str,
    products: Vec<&'a str>,
    /// What in the products is meant; empty where all of it is.
    parts: Vec<&'a str>,
    at: Option<String>,
    document: &'a str,
    digest: String,
}

impl Vex {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if let (Some(id), Some(site)) = (&self.id, &self.site) {
            let (format, author) = (self.format.as_deref(), self.author.as_deref());
            return Request { id, site, format, author }.run(context, report);
        }
        self.change(context, report)?;
        let known = inventory::advisories(context)?;
        let groups: Vec<&Group> = match &self.id {
            Some(id) => vec![find(&known, id, context)?],
            None => known.groups().filter(|group| group.statements().next().is_some()).collect(),
        };
        let said = groups.iter().flat_map(|group| group.statements().map(move |it| (*group, it)));
        let document = StatementsDocument {
            trusted: known.policy().trusted.iter().cloned().collect(),
            statements: said.map(|(group, it)| row(group, it)).collect(),
        };
        if context.json {
            report.document("relight.statements/1", &document);
        } else {
            tell(&document, report);
        }
        Ok(())
    }

    /// Changes the list of those who are trusted.
    fn change(&self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = match (&self.trust, &self.distrust) {
            (None, None) => return Ok(()),
            (Some(_), _) => context.store()?,
            (None, Some(_)) => context.existing_store()?,
        };
        let hand = Hand::of(context, &store, report)?;
        let trusted = self.trust.iter().map(|issuer| trust::trust(&store, issuer, hand.by()));
        let others = self.distrust.iter();
        let mut changed =
            trusted.chain(others.map(|issuer| trust::distrust(&store, issuer, hand.by())));
        changed.try_for_each(|it| it.map(drop)).map_err(|error| context.store_failure(&error))
    }
}

fn row<'a>(group: &'a Group, statement: &'a Statement) -> StatementRow<'a> {
    let said = &statement.said;
    StatementRow {
        flaw: &group.id,
        issuer: &said.issuer,
        trusted: statement.is_trusted,
        status: said.status.as_str(),
        effect: statement.effect.as_str(),
        justification: said.justification.as_deref(),
        text: &said.text,
        products: said.products.iter().map(|product| product.id.as_str()).collect(),
        parts: said.products.iter().flat_map(|it| &it.subcomponents).map(|it| &*it.id).collect(),
        at: said.at.map(rfc3339),
        document: &said.document,
        digest: statement.digest.to_string(),
    }
}

fn tell(document: &StatementsDocument<'_>, report: &mut Report) {
    let lang = report.lang();
    if document.statements.is_empty() {
        report.line(texts::vex_none(lang));
    }
    for row in &document.statements {
        let flaw = report.paint(Style::Strong, row.flaw);
        let word = word(lang, row.effect);
        report.line(&format!("{flaw}  {}: {word}", row.issuer));
        let mut products = row.products.join(", ");
        if !row.parts.is_empty() {
            products = format!("{products} → {}", row.parts.join(", "));
        }
        report.line(&format!("  {products}  {}", row.at.as_deref().unwrap_or("-")));
        if !row.trusted {
            report.line(&format!("  {}", texts::vex_untrusted(lang)));
        }
    }
    let trusted = document.trusted.join(", ");
    if !trusted.is_empty() {
        report.line(&texts::vex_trusted(lang, &trusted));
    }
}

fn word(lang: Lang, effect: &'static str) -> &'static str {
    texts::by_code(lang, &format!("effect-{effect}")).unwrap_or(effect)
}
