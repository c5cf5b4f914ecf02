//! `/look`: light or dark, and how much contrast; the browser keeps it, so it needs no account and
//! no script.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_web::look::{Light, Look};
use relight_web::texts;
use relight_web::views::{Choice, LookPage};
use serde::Deserialize;

use super::key_form::local;
use super::{Asked, Console};
use crate::access::form::OpenForm;
use crate::page;

/// The cookie. It says nothing about anybody, and no script needs it.
const COOKIE: &str = "__Host-rl-look";

/// How long a browser keeps it, in seconds: a year.
const KEPT_S: u32 = 365 * 86_400;

/// What the form says; what it does not say is as the system.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    light: String,
    #[serde(default)]
    contrast: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    asked: Asked,
) -> Response {
    let lang = console.lang(&asked);
    let switch = format!("/look?lang={}", lang.other().tag());
    let choice = |light: Light| Choice {
        value: light.as_str().to_owned(),
        text: match light {
            Light::System => texts::look_light_system(lang),
            Light::Light => texts::look_light_light(lang),
            Light::Dark => texts::look_light_dark(lang),
        }
        .to_owned(),
        chosen: light == asked.look.light,
    };
    let page = LookPage {
        frame: console.frame(&asked, texts::look_title(lang), "look", switch),
        next: came_from(&headers, &console.door.address.origin).to_owned(),
        lights: Light::ALL.map(choice).into(),
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

/// Keeps what was chosen, and goes back.
pub(super) async fn keep(OpenForm(form): OpenForm<Form>) -> Response {
    let look = Look {
        light: Light::parse(&form.light).unwrap_or_default(),
        more_contrast: form.contrast == "more",
    };
    ([(header::SET_COOKIE, cookie(look))], Redirect::to(local(&form.next))).into_response()
}

/// The header that keeps a choice; what the system says needs no cookie.
fn cookie(look: Look) -> String {
    let seconds = if look == Look::default() { 0 } else { KEPT_S };
    let value = look.as_text();
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

/// What the browser of a request was told to keep.
pub(super) fn look_of(headers: &HeaderMap) -> Look {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim());
    value.and_then(Look::parse).unwrap_or_default()
}

/// The page of ours that led here; the first one where none did.
fn came_from<'a>(headers: &'a HeaderMap, origin: &str) -> &'a str {
    let from = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let path = from.and_then(|from| from.strip_prefix(origin)).map(local).unwrap_or("/");
    if path.starts_with("/look") { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn what_a_browser_keeps_is_a_choice_or_nothing() {
        let dark = Look { light: Light::Dark, more_contrast: true };
        for (cookies, expected) in [
            ("__Host-rl-look=dark-more", dark),
            ("a=b; __Host-rl-look=dark-more; __Host-rl=c", dark),
            ("__Host-rl-look=light", Look { light: Light::Light, more_contrast: false }),
            ("__Host-rl-look=<b>", Look::default()),
            ("rl-look=dark", Look::default()),
            ("__Host-rl-look", Look::default()),
            ("", Look::default()),
        ] {
            assert_eq!(look_of(&headers(header::COOKIE, cookies)), expected, "{cookies}");
        }
        assert_eq!(look_of(&HeaderMap::new()), Look::default());
        let kept = cookie(dark);
        for part in ["__Host-rl-look=dark-more;", "Path=/;", "Secure;", "HttpOnly;", "Strict"] {
            assert!(kept.contains(part), "{kept}");
        }
        assert!(cookie(Look::default()).contains("Max-Age=0;"));
    }

    #[test]
    fn it_leads_back_to_pages_of_ours_only() {
        let origin = "http://localhost:8420";
        for (from, expected) in [
            ("http://localhost:8420/sites?lang=fr&q=a", "/sites?lang=fr&q=a"),
            ("http://localhost:8420/", "/"),
            ("http://localhost:8420/look?lang=fr", "/"),
            ("http://localhost:8420.evil.example/sites", "/"),
            ("http://localhost:8420//evil.example", "/"),
            ("https://evil.example/sites", "/"),
            ("/sites", "/"),
        ] {
            let headers = headers(header::REFERER, from);
            assert_eq!(came_from(&headers, origin), expected, "{from}");
        }
    }
}
