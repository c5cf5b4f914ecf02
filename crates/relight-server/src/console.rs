//! The console: the incident wall, the table of sites, and the stream that keeps them alive.

mod accounts;
pub(crate) mod act;
mod actors;
mod affected;
mod agents;
mod api;
mod audit;
mod audit_words;
mod authenticator;
pub(crate) mod book;
pub(crate) mod brief;
pub(crate) mod burn;
pub(crate) mod edges;
mod evidence;
pub(crate) mod facts;
mod heat;
mod incident;
mod key_form;
mod lanes;
mod look;
mod me;
pub(crate) mod meanings;
pub(crate) mod meter;
pub(crate) mod names;
mod oidc;
pub(crate) mod pages;
pub(crate) mod part;
mod posture;
mod ratings;
mod reach;
mod register;
pub(crate) mod reports;
mod rows;
mod share;
mod sign_in;
pub(crate) mod sites;
pub(crate) mod tally;
mod tell;
pub(crate) mod terminal;
pub(crate) mod turns;
pub(crate) mod waits;
pub(crate) mod watch;
pub(crate) mod work;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use relight_engine::Engine;
use relight_engine::access::Scope;
use relight_engine::live::{Board, BoardSite};
use relight_web::look::Look;
use relight_web::views::{Frame, NotFoundPage, Stage, Theme};
use relight_web::{Lang, texts};
use serde::Deserialize;

pub(crate) use self::api::terminals;
use self::meter::Meter;
use self::tally::Sector;
use self::turns::Turns;
use crate::access::Door;
use crate::access::guard::guard;
use crate::access::signed_in::Reader;
use crate::agents::AgentDesk;
use crate::sse::Streams;
use crate::sse::topic::Topic;
use crate::{gzip, page};

/// What every handler of the console shares.
#[derive(Debug)]
pub(crate) struct Console {
    /// The board that it shows.
    pub(crate) board: Arc<Board>,
    /// The register behind it; without one there are no pages about it.
    pub(crate) engine: Option<Arc<Engine>>,
    /// The agents of that, where they are listened for.
    pub(crate) agents: Option<Arc<AgentDesk>>,
    /// Where the sectors of its sites stand, see [`Console::sectors`].
    pub(crate) known_sectors: tally::Known,
    /// What they are called, for filters.
    pub(crate) names: names::Names,
    /// Language without `?lang=`.
    pub(crate) lang: Lang,
    /// Address of the public page, ending in `/`.
    pub(crate) public_url: String,
    /// Languages of the public page, the first one first.
    pub(crate) languages: Vec<Lang>,
    /// Names this life of the server, so that no stream continues across a restart.
    pub(crate) life: String,
    /// Open event streams.
    pub(crate) streams: Streams,
    /// It listens on the loopback, so only this machine's own names are its names.
    pub(crate) loopback: bool,
    /// Who comes in.
    pub(crate) door: Door,
    /// Whether what it shows is the real thing.
    pub(crate) stage: Stage,
    /// What the queries of lists mean.
    pub(crate) meanings: meanings::Meanings,
    /// In whose colours.
    pub(crate) theme: Theme,
    /// What it answered so far.
    pub(crate) meter: Meter,
    /// Who reads a day of the past.
    pub(crate) past: Turns,
    /// Who has a question of a program answered.
    pub(crate) answers: Turns,
    /// What is known of the flaws of incidents.
    pub(crate) facts: facts::Facts,
    /// Plans that are gone on with.
    pub(crate) resumed: act::rollout::Resumed,
    /// The commands of the program.
    pub(crate) commands: book::Commands,
}

/// What an address may ask for; values that mean nothing count as absent.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    pub(crate) since: String,
    /// What a stream is to be about, where it is not the wall.
    #[serde(default)]
    pub(crate) topic: String,
    #[serde(default)]
    sector: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    queue: String,
    #[serde(default)]
    incident: String,
    #[serde(default)]
    screen: String,
    #[serde(default)]
    org: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    at: String,
    /// Why a plan is refused, as `relight incident approve --refuse` writes it into the form.
    #[serde(default)]
    pub(crate) reason: String,
    /// How the lights of the wall stand: at their places, else by their states.
    #[serde(default)]
    pub(crate) order: String,
    /// Who asks.
    #[serde(skip)]
    pub(crate) reader: Reader,
    /// The page that is asked for and what it is asked, without the language; empty for what a form
    /// sends, which is sent again in no other language.
    #[serde(skip)]
    page_asked: Option<(String, String)>,
    /// How pages are to look.
    #[serde(skip)]
    look: Look,
}

impl Asked {
    /// The same, asked for by the reader as he is now.
    pub(crate) fn by(&self, reader: Reader) -> Self {
        Self { reader, ..self.clone() }
    }

    /// The same page in another language, with everything it was asked, where `href` is its plain
    /// address. The pages of the door say themselves what they hand on.
    fn switched(&self, lang: Lang, href: String) -> String {
        let Some((path, query)) = &self.page_asked else { return href };
        let is_plain = href == format!("{path}?lang={}", lang.tag());
        let is_door = ["/sign-in", "/start"].iter().any(|door| path.starts_with(door));
        match is_plain && !is_door && !query.is_empty() {
            true => format!("{href}&{query}"),
            false => href,
        }
    }

    /// Whether the reader may know about a site.
    pub(crate) fn reads(&self, site: &BoardSite) -> bool {
        self.reader.reads(&Scope::of_body(&site.sector, &site.organisation))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let asked = Query::<Self>::from_request_parts(parts, state).await;
        let Query(mut asked) = asked.map_err(IntoResponse::into_response)?;
        // No page is shown that the guard has not let through.
        let reader = parts.extensions.get::<Reader>().cloned();
        asked.reader = reader.ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())?;
        asked.look = look::look_of(&parts.headers);
        asked.page_asked = page_asked(parts);
        Ok(asked)
    }
}

/// The path of a page that was asked for, and its query without the language.
fn page_asked(parts: &Parts) -> Option<(String, String)> {
    let path = parts.uri.path();
    // With two slashes it would be an address elsewhere.
    let is_ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    let kept = pairs.filter(|pair| *pair != "lang" && !pair.starts_with("lang="));
    let kept = kept.filter(|pair| !pair.is_empty()).collect::<Vec<_>>().join("&");
    (is_ours && is_read).then(|| (path.to_owned(), kept))
}

impl Console {
    /// The sectors of these sites of the board.
    pub(crate) fn sectors(&self, sites: &Arc<[BoardSite]>) -> Arc<[Sector]> {
        self.known_sectors.of(sites)
    }

    /// The language that was asked for, else the default.
    pub(crate) fn lang(&self, asked: &Asked) -> Lang {
        Lang::parse(&asked.lang).unwrap_or(self.lang)
    }

    /// What stands around a page: its title, where it is in the navigation, and the same page in
    /// the other language; `switch_href` is where that leads from the answer to a form.
    pub(crate) fn frame(
        &self,
        asked: &Asked,
        title: &str,
        here: &'static str,
        switch_href: String,
    ) -> Frame {
        Frame {
            lang: self.lang(asked),
            title: title.to_owned(),
            here,
            register: self.engine.is_some(),
            audits: audit::sees(&asked.reader),
            display: false,
            stage: self.stage,
            theme: self.theme,
            look: asked.look,
            switch_href: asked.switched(self.lang(asked).other(), switch_href),
            public_url: self.public_page(self.lang(asked)),
            account: asked.reader.name().to_owned(),
            token: self.door.token_of(&asked.reader),
            whole: asked.reader.reads(&Scope::root()),
            notices: self.notices(asked),
            idle_s: self.door.times.idle_s,
            roles: waits::roles(self.lang(asked), &asked.reader),
            glass: self.glass(asked),
            watches: asked.reader.only_reads(),
            fresh: Default::default(),
        }
    }

    /// The same around a page of lists, whose stream says whether it still is as it is shown.
    /// `shown` is the fingerprint of before the page was made: what changes meanwhile is told.
    pub(crate) fn fresh(frame: Frame, topic: &Topic, shown: Option<String>) -> Frame {
        // Without a fingerprint the page would be told to be old at once; it is.
        Frame { fresh: (topic.name(), shown.unwrap_or_default()), ..frame }
    }

    /// The public page in a language, or in its first one where it is not there in that.
    fn public_page(&self, lang: Lang) -> String {
        let shown = self.languages.iter().find(|shown| **shown == lang);
        let shown = shown.or(self.languages.first()).copied().unwrap_or(Lang::Fr);
        format!("{}{}/", self.public_url, shown.tag())
    }

    /// Whether what people publish is published in English.
    pub(crate) fn publishes_english(&self) -> bool {
        self.languages.contains(&Lang::En)
    }

    /// How many notices wait for the reader, in words.
    fn notices(&self, asked: &Asked) -> String {
        match self.door.notices.count(asked.reader.name()) {
            0 => String::new(),
            count => texts::door_notices(self.lang(asked), count),
        }
    }

    /// The answer where nothing is.
    fn nothing(&self, asked: &Asked) -> Response {
        let lang = self.lang(asked);
        let path = asked.page_asked.as_ref().map_or("/", |(path, _)| path);
        let switch = format!("{path}?lang={}", lang.other().tag());
        let frame = self.frame(asked, texts::not_found_title(lang), "", switch);
        page::html(StatusCode::NOT_FOUND, relight_web::render(&NotFoundPage { frame }))
    }
}

/// The name of a site in a language; the other language's or the short name where it is missing.
pub(crate) fn name(site: &BoardSite, lang: Lang) -> &str {
    let (own, other) = match lang {
        Lang::Fr => (&site.name_fr, &site.name_en),
        Lang::En => (&site.name_en, &site.name_fr),
    };
    [own, other].into_iter().find(|name| !name.is_empty()).unwrap_or(&site.slug)
}

/// Every address of the console.
pub(crate) fn router(console: Arc<Console>) -> Router {
    Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .fallback(get(not_found))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&console), guard))
        .layer(axum::middleware::from_fn(api::problems))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&console), own_host))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&console), meter::count))
        .with_state(console)
        .layer(axum::middleware::from_fn(gzip::compress))
        .layer(axum::middleware::map_response(async |response: Response| {
            page::secure(response, page::CONSOLE_POLICY, page::CONSOLE_REFERRER)
        }))
}

/// Refuses names that are not this machine's: otherwise any page in the operator's browser could
/// let its own name point to the loopback and read what is affected (DNS rebinding).
async fn own_host(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let own = &console.door.address;
    let is_own =
        |host: &str| own.is_https() && crate::host::normal(host).as_ref() == Some(&own.host);
    if console.loopback && !host.is_some_and(|host| is_loopback(host) || is_own(host)) {
        let text = Lang::ALL.map(texts::console_foreign_host).join("\n");
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let mut response = next.run(request).await;
    if own.is_https() {
        // Two years, as browsers ask for, also below: whoever could answer for a name below this
        // one without TLS could set cookies that come along here.
        let value = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

/// A `Host` that names the loopback, with any port.
fn is_loopback(host: &str) -> bool {
    let port = |rest: &str| rest.is_empty() || rest.starts_with(':');
    ["localhost", "127.0.0.1", "[::1]"]
        .into_iter()
        .any(|name| host.to_ascii_lowercase().strip_prefix(name).is_some_and(port))
}

async fn not_found(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    console.nothing(&asked)
}

/// Runs what reads the register where it holds nobody else up.
async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR.into_response();
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_loopback() {
        for host in ["localhost", "LOCALHOST:8420", "127.0.0.1:1", "[::1]:8420", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "localhost.evil.example", "127.0.0.1.evil.example:8420", "evil.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_site_without_a_name_is_called_by_its_slug() {
        let mut site = BoardSite {
            sector: String::new(),
            organisation: String::new(),
            slug: "san-005".into(),
            name_fr: String::new(),
            name_en: String::new(),
            public: true,
            channel: Default::default(),
        };
        assert_eq!(name(&site, Lang::Fr), "san-005");
        site.name_en = "Booking".into();
        assert_eq!(name(&site, Lang::Fr), "Booking");
        site.name_fr = "Rendez-vous".into();
        assert_eq!(name(&site, Lang::Fr), "Rendez-vous");
        assert_eq!(name(&site, Lang::En), "Booking");
    }
}
