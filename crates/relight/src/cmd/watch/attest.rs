//! `relight watch attest MEASURE=yes|no...`: what only people can say about a site or a body, with
//! who says so, on what evidence and until when.

use clap::{ArgGroup, Args};
use relight_engine::measures::{ATTESTED_DAYS, Attesting, Measure, Subject, attest, fault_of};
use relight_engine::store::Store;
use relight_model::{Organisation, Site};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("subject").required(true).args(["site", "body"])))]
pub(super) struct Attest {
    #[arg(value_name = "MEASURE=yes|no", required = true, value_parser = measure)]
    measures: Vec<(Measure, bool)>,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    #[arg(long, value_name = "NAME")]
    body: Option<String>,
    #[arg(long, value_name = "TEXT")]
    evidence: String,
    #[arg(long = "by", value_name = "NAME")]
    actor: String,
    #[arg(long, value_name = "N", default_value_t = ATTESTED_DAYS)]
    days: i64,
}

#[derive(Serialize)]
struct Document<'a> {
    site: Option<&'a str>,
    body: Option<&'a str>,
    measures: Vec<MeasureRow>,
    evidence: &'a str,
    by: &'a str,
    at: String,
    expires: String,
}

#[derive(Serialize)]
struct MeasureRow {
    measure: String,
    in_place: bool,
}

fn measure(text: &str) -> Result<(Measure, bool), &'static str> {
    let (name, value) = text.split_once('=').ok_or("no equals sign")?;
    let in_place = match value {
        "yes" | "oui" => true,
        "no" | "non" => false,
        _ => return Err("yes or no"),
    };
    Ok((Measure::parse(name).ok_or("mfa, action-1 to action-10")?, in_place))
}

impl Attest {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        let (site, body) = (self.find_site(&store, context)?, self.find_body(&store, context)?);
        let subject = match (&site, &body) {
            (Some(site), _) => Subject::Site(site),
            (None, Some(body)) => Subject::Body(body),
            (None, None) => return Err(refused(lang, "attest-no-subject")),
        };
        let (measures, days) = (self.measures.as_slice(), self.days);
        let (evidence, actor) = (self.evidence.as_str(), self.actor.as_str());
        let what = Attesting { measures, evidence, actor, days };
        if let Some(fault) = fault_of(subject, what) {
            return Err(refused(lang, fault));
        }
        let now = context.now();
        attest(&store, subject, what, now).map_err(|error| Failure::engine(lang, &error))?;
        let expires = rfc3339(now + days * 86_400);
        let row = |(measure, in_place): &(Measure, bool)| MeasureRow {
            measure: measure.code(),
            in_place: *in_place,
        };
        let document = Document {
            site: site.as_ref().map(|site| site.slug.as_str()),
            body: body.as_ref().map(|body| body.name.as_str()),
            measures: measures.iter().map(row).collect(),
            evidence: evidence.trim(),
            by: actor,
            at: rfc3339(now),
            expires,
        };
        if context.json {
            report.document("relight.attestation/1", &document);
        } else {
            report.line(&told(lang, &document));
        }
        Ok(())
    }

    fn find_site(&self, store: &Store, context: &Context) -> Result<Option<Site>, Failure> {
        let Some(slug) = &self.site else { return Ok(None) };
        let found = store.site_by_slug(slug).map_err(|error| context.store_failure(&error))?;
        found.map(Some).ok_or_else(|| refused(context.lang, "attest-no-subject"))
    }

    fn find_body(&self, store: &Store, context: &Context) -> Result<Option<Organisation>, Failure> {
        let Some(name) = &self.body else { return Ok(None) };
        let all = store.organisations().map_err(|error| context.store_failure(&error))?;
        let found = all.into_iter().find(|body| body.name == *name);
        found.map(Some).ok_or_else(|| refused(context.lang, "attest-no-subject"))
    }
}

fn refused(lang: Lang, code: &'static str) -> Failure {
    let text = |code: &str| texts::by_code(lang, code).unwrap_or_default().to_owned();
    Failure::usage(text(code)).hint(text(&format!("{code}-remedy")))
}

fn told(lang: Lang, document: &Document<'_>) -> String {
    let word = |row: &MeasureRow| {
        let value = if row.in_place {
            texts::posture_value_yes(lang)
        } else {
            texts::posture_value_no(lang)
        };
        format!("{} {value}", row.measure)
    };
    let measures: Vec<String> = document.measures.iter().map(word).collect();
    let subject = document.site.or(document.body).unwrap_or_default();
    let until = document.expires.get(..10).unwrap_or_default();
    texts::attest_done(lang, &measures.join(", "), subject, until)
}
