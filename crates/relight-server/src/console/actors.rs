//! `/watch/actors`: whom the campaigns are made of, a hundred rows a page; which addresses, what
//! they share, and where they knocked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::actors::{Actor, actors};
use relight_engine::{Engine, EngineError};
use relight_model::{OrgId, Severity};
use relight_web::actor_views::{ActorRow, ActorsPage};
use relight_web::register_views::Link;
use relight_web::views::Choice;
use relight_web::{Lang, Number, texts, words};

use super::rows::Pager;
use super::watch::is_within;
use super::{Asked, Console, act, blocking, evidence};
use crate::page::{self, encode};

/// Addresses of one actor in its row; its campaign has more, and its export all.
const SOURCES_MAX: usize = 3;

pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        match view(&console, engine, &asked) {
            Ok(page) => page::html(StatusCode::OK, relight_web::render(&page)),
            Err(error) => act::refused(&console, &asked, &error, "/watch"),
        }
    })
    .await
}

/// What is looked for; what is empty is all.
struct Filter<'a> {
    asked: &'a Asked,
    words: String,
    severity: Option<Severity>,
    sectors: BTreeMap<OrgId, String>,
}

impl<'a> Filter<'a> {
    fn of(engine: &Engine, asked: &'a Asked) -> Result<Self, EngineError> {
        let severity = Severity::ALL.into_iter().find(|it| it.as_str() == asked.state);
        let sectors = engine.organisations()?.into_iter().map(|it| (it.id, it.sector)).collect();
        Ok(Self { asked, words: asked.q.trim().to_lowercase(), severity, sectors })
    }

    fn fits(&self, actor: &Actor<'_>) -> bool {
        let Asked { sector, from, to, .. } = self.asked;
        self.severity.is_none_or(|it| it == actor.campaign.severity)
            && is_within((actor.first, actor.last), from, to)
            && (sector.is_empty() || actor.sectors(&self.sectors).contains(sector.as_str()))
            && actor.mentions(&self.words)
    }

    fn href(&self, lang: Lang, page: usize) -> String {
        let Asked { q, sector, state, from, to, .. } = self.asked;
        let part = |(name, value): (&str, &str)| match value {
            "" => String::new(),
            value => format!("&{name}={}", encode(value)),
        };
        let parts = [("q", q.trim()), ("sector", sector), ("state", state), ("from", from)];
        let parts: String = parts.into_iter().chain([("to", to.as_str())]).map(part).collect();
        format!("/watch/actors?lang={}&page={page}{parts}", lang.tag())
    }
}

fn view(console: &Console, engine: &Engine, asked: &Asked) -> Result<ActorsPage, EngineError> {
    let (lang, filter) = (console.lang(asked), &Filter::of(engine, asked)?);
    let judged = engine.campaigns()?;
    let mut found = actors(&judged.campaigns);
    found.retain(|actor| filter.fits(actor));
    let pager = Pager::of(asked, found.len());
    let [page, previous, next] = pager.around(lang, |to| filter.href(lang, to));
    let switch = filter.href(lang.other(), pager.page);
    Ok(ActorsPage {
        frame: console.frame(asked, texts::actors_title(lang), "watch", switch),
        count: texts::actors_count(lang, found.len()),
        problem: relight_web::campaign::not_judged(lang, judged.sources_kept).unwrap_or_default(),
        words: asked.q.trim().to_owned(),
        sectors: sectors(lang, filter),
        severities: severities(lang, filter),
        days: (asked.from.clone(), asked.to.clone()),
        rows: pager.shown(&found).map(|actor| row(lang, filter, actor)).collect(),
        page,
        previous,
        next,
    })
}

fn row(lang: Lang, filter: &Filter<'_>, actor: &Actor<'_>) -> ActorRow {
    let Actor { campaign, sources, .. } = actor;
    let count = |of: usize| Number::from(of).text(lang);
    let more = sources.len().saturating_sub(SOURCES_MAX);
    let sectors = actor.sectors(&filter.sectors).into_iter().map(|code| words::sector(lang, code));
    ActorRow {
        sources: sources.iter().take(SOURCES_MAX).map(ToString::to_string).collect(),
        more: if more == 0 { String::new() } else { texts::actors_more(lang, more) },
        shared: actor.shared.to_owned(),
        known: campaign.known.join(" "),
        campaign: Link {
            text: campaign.id.clone(),
            href: format!("/watch?lang={}&q={}", lang.tag(), encode(&campaign.id)),
        },
        severity: words::severity(lang, campaign.severity),
        sectors: sectors.collect::<Vec<_>>().join(", "),
        organisations: count(actor.organisations.len()),
        sites: count(actor.sites.len()),
        contacts: count(usize::try_from(actor.contacts).unwrap_or(usize::MAX)),
        first: evidence::day(actor.first),
        last: evidence::day(actor.last),
    }
}

fn sectors(lang: Lang, filter: &Filter<'_>) -> Vec<Choice> {
    let codes: BTreeSet<&String> = filter.sectors.values().collect();
    let choice = |code: &String| Choice {
        value: code.clone(),
        text: words::sector(lang, code).to_owned(),
        chosen: *code == filter.asked.sector,
    };
    let mut choices: Vec<_> = codes.into_iter().map(choice).collect();
    choices.sort_by(|a, b| a.text.cmp(&b.text));
    choices
}

fn severities(lang: Lang, filter: &Filter<'_>) -> Vec<Choice> {
    let choice = |severity: Severity| Choice {
        value: severity.as_str().to_owned(),
        text: words::severity(lang, severity).to_owned(),
        chosen: filter.severity == Some(severity),
    };
    Severity::ALL.into_iter().rev().map(choice).collect()
}
