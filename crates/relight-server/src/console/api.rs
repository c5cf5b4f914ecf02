//! The JSON API: the same acts as the pages, for programs.
//!
//! One table of endpoints: the router is built from it, and so is the OpenAPI document, with the
//! types that the handlers read and write. What is not in the table is not there.

mod affected;
mod document;
mod endpoints;
mod incidents;
mod openapi;
mod problem;
mod sites;
pub(crate) mod terminals;
mod types;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use relight_engine::Engine;
use relight_engine::access::Role;
use relight_web::Lang;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::document::Document;
use self::problem::Problem;
use super::{Asked, Console};
use crate::access::SignedIn;
use crate::access::form::Sender;

/// Longest body of a request, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;

/// Longest time in which a body must have come.
const BODY_WAIT_MAX: Duration = Duration::from_secs(10);

/// Who may call an endpoint; the handlers look at the scope as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Whoever is signed in, about what his roles cover.
    Reading,
    /// One of these roles.
    Roles(&'static [&'static str]),
}

impl Needs {
    /// Whether somebody holds a role that an endpoint asks for, somewhere.
    fn are_met(self, signed: &SignedIn) -> bool {
        match self {
            Self::Reading => true,
            Self::Roles(roles) => {
                roles.iter().filter_map(|role| Role::parse(role)).any(|it| signed.account.is(it))
            }
        }
    }
}

/// What a handler works with.
pub(super) struct Call {
    console: Arc<Console>,
    engine: Arc<Engine>,
    signed: SignedIn,
    lang: Lang,
    /// The parts of the address that are in braces.
    parts: BTreeMap<String, String>,
}

impl Call {
    fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }
}

/// What a handler works with that answers whoever asks.
pub(super) struct OpenCall {
    console: Arc<Console>,
    from: Sender,
    lang: Lang,
}

/// Reads what was sent, acts, and writes the answer.
enum Run {
    /// For those who are signed in.
    Signed(Act<Call>),
    /// For everybody.
    Open(Act<OpenCall>),
}

type Act<C> = Arc<dyn Fn(&C, &Sent) -> Result<Vec<u8>, Problem> + Send + Sync>;

/// A request's own part: its query and its body.
struct Sent {
    query: String,
    body: Bytes,
}

impl Sent {
    /// What a body says.
    fn read<I: DeserializeOwned>(&self) -> Result<I, Problem> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        let input = serde_json::from_slice(body);
        input.map_err(|error| Problem::unreadable(&error.to_string()))
    }
}

/// One endpoint.
pub(super) struct Endpoint {
    method: Method,
    path: &'static str,
    /// Name of the operation.
    id: &'static str,
    summary: &'static str,
    needs: Needs,
    /// A token calls it in vain, whatever its role.
    is_for_people: bool,
    status: StatusCode,
    /// Name and schema of what it reads; nothing when it reads nothing.
    input: Option<(&'static str, Value)>,
    output: (&'static str, Value),
    run: Run,
}

/// A handler of one endpoint: what it reads, what it writes.
type Handler<I, O> = fn(&Call, I) -> Result<O, Problem>;

impl Endpoint {
    /// An endpoint that only reads; what it is asked stands in the query.
    fn get<I, O>(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: Handler<I, O>,
    ) -> Self
    where
        I: Document + DeserializeOwned + 'static,
        O: Document + Serialize + 'static,
    {
        let run: Act<Call> = Arc::new(move |call, sent| {
            let input = serde_urlencoded::from_str(&without_lang(&sent.query));
            let input = input.map_err(|error| Problem::unreadable(&error.to_string()))?;
            answer(handler(call, input)?)
        });
        Self::new::<I, O>(Method::GET, path, (id, summary), Run::Signed(run))
    }

    /// An endpoint that acts; what it is asked stands in its body.
    fn post<I, O>(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: Handler<I, O>,
    ) -> Self
    where
        I: Document + DeserializeOwned + 'static,
        O: Document + Serialize + 'static,
    {
        let run: Act<Call> = Arc::new(move |call, sent| answer(handler(call, sent.read()?)?));
        Self::new::<I, O>(Method::POST, path, (id, summary), Run::Signed(run))
    }

    /// An endpoint for whoever asks, signed in or not.
    fn open<I, O>(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: fn(&OpenCall, I) -> Result<O, Problem>,
    ) -> Self
    where
        I: Document + DeserializeOwned + 'static,
        O: Document + Serialize + 'static,
    {
        let run: Act<OpenCall> = Arc::new(move |call, sent| answer(handler(call, sent.read()?)?));
        Self::new::<I, O>(Method::POST, path, (id, summary), Run::Open(run))
    }

    /// Whether everybody may call it.
    const fn is_open(&self) -> bool {
        matches!(self.run, Run::Open(_))
    }

    fn new<I: Document, O: Document>(
        method: Method,
        path: &'static str,
        (id, summary): (&'static str, &'static str),
        run: Run,
    ) -> Self {
        let input = (!I::is_nothing()).then(|| (I::NAME, I::schema()));
        let output = (O::NAME, O::schema());
        let (needs, status) = (Needs::Reading, StatusCode::OK);
        let is_for_people = false;
        Self { method, path, id, summary, needs, is_for_people, status, input, output, run }
    }

    /// The same, for those who hold one of these roles.
    fn roles(self, roles: &'static [&'static str]) -> Self {
        Self { needs: Needs::Roles(roles), ..self }
    }

    /// The same, for people only: what programs may ask for, people decide.
    fn people(self) -> Self {
        Self { is_for_people: true, ..self }
    }

    /// Why somebody may not call it at all.
    fn refuses(&self, signed: &SignedIn, lang: Lang) -> Option<Problem> {
        if self.is_for_people && !signed.is_person() {
            return Some(Problem::token(lang));
        }
        (!self.needs.are_met(signed)).then(Problem::role)
    }

    /// The same, answering with another status than 200.
    fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

/// The language is asked for in every address, and is no part of what one endpoint is asked.
fn without_lang(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.starts_with("lang=") && !pair.is_empty());
    pairs.collect::<Vec<_>>().join("&")
}

fn answer(output: impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(&output).map_err(|error| Problem::internal(&error.to_string()))
}

/// The addresses of the API.
pub(super) fn routes() -> Router<Arc<Console>> {
    let mut router = Router::new();
    for endpoint in endpoints::table() {
        let filter = match endpoint.method {
            Method::POST => MethodFilter::POST,
            _ => MethodFilter::GET,
        };
        let (path, endpoint) = (endpoint.path, Arc::new(endpoint));
        let handler = move |State(console): State<Arc<Console>>, request: Request| {
            serve(console, Arc::clone(&endpoint), request)
        };
        router = router.route(path, on(filter, handler));
    }
    router
}

async fn serve(console: Arc<Console>, endpoint: Arc<Endpoint>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = match Asked::from_request_parts(&mut parts, &()).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let lang = console.lang(&asked);
    let run = match &endpoint.run {
        Run::Signed(run) => Arc::clone(run),
        Run::Open(run) => {
            let (run, status) = (Arc::clone(run), endpoint.status);
            return serve_open(console, (run, status), (parts, body), lang).await;
        }
    };
    let Some(signed) = parts.extensions.get::<SignedIn>().cloned() else {
        return Problem::of(StatusCode::UNAUTHORIZED).into_response();
    };
    if let Some(problem) = endpoint.refuses(&signed, lang) {
        return problem.into_response();
    }
    let Some(engine) = console.engine.clone() else {
        return Problem::of(StatusCode::NOT_FOUND).into_response();
    };
    let body = match read(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    // What was true before the body came counts no more.
    let Some(signed) = console.door.as_now(&signed) else {
        return Problem::of(StatusCode::UNAUTHORIZED).into_response();
    };
    if let Some(problem) = endpoint.refuses(&signed, lang) {
        return problem.into_response();
    }
    let sent = match sent(&parts, body) {
        Ok(sent) => sent,
        Err(problem) => return problem.into_response(),
    };
    let names = RawPathParams::from_request_parts(&mut parts, &()).await;
    let names = names.map(|names| {
        names.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    });
    let call = Call { console, engine, signed, lang, parts: names.unwrap_or_default() };
    super::blocking(move || told(endpoint.status, run(&call, &sent))).await
}

/// Answers whoever asks.
async fn serve_open(
    console: Arc<Console>,
    (run, status): (Act<OpenCall>, StatusCode),
    (mut parts, body): (Parts, Body),
    lang: Lang,
) -> Response {
    let Ok(from) = Sender::from_request_parts(&mut parts, &console).await;
    let body = match read(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let sent = match sent(&parts, body) {
        Ok(sent) => sent,
        Err(problem) => return problem.into_response(),
    };
    let call = OpenCall { console, from, lang };
    super::blocking(move || told(status, run(&call, &sent))).await
}

/// A body, within its limits.
async fn read(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_WAIT_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::of(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => Err(Problem::of(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// What was sent, where it says that it is a document.
fn sent(parts: &Parts, body: Bytes) -> Result<Sent, Problem> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !body.is_empty() && !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Ok(Sent { query: parts.uri.query().unwrap_or_default().to_owned(), body })
}

/// The answer of a handler.
fn told(status: StatusCode, done: Result<Vec<u8>, Problem>) -> Response {
    match done {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// What stands before the API refuses as the API does: with a problem, never with a page.
pub(super) async fn problems(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let is_told = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(problem::MEDIA_TYPE.as_bytes()));
    let is_wrong = status.is_client_error() || status.is_server_error();
    if is_api && is_wrong && !is_told { Problem::of(status).into_response() } else { response }
}

/// An input that says nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}
