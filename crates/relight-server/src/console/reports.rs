//! `/policy-reports`: what browsers say when a page of ours tried what our policy forbids. That is
//! a fault of ours, or somebody else's text that became more than text: either is for the journal.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::Console;
use crate::access::Noted;
use crate::access::form::{FORM_S_MAX, Sender, body_within};

/// Where browsers send them.
pub(crate) const PATH: &str = "/policy-reports";

/// Longest report, in bytes.
pub(crate) const REPORT_BYTES_MAX: usize = 16 << 10;

/// Longest part of a report that is written down, in bytes.
const PART_BYTES_MAX: usize = 200;

/// As CSP level 2 sends it: what every browser still does for `report-uri`.
#[derive(Debug, Deserialize)]
struct Report {
    #[serde(rename = "csp-report")]
    report: Parts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Parts {
    document_uri: String,
    violated_directive: String,
    effective_directive: String,
    blocked_uri: String,
}

/// Takes a report: within its size, its time and the number that is written down in a minute.
pub(super) async fn take(
    State(console): State<Arc<Console>>,
    from: Sender,
    body: Body,
) -> StatusCode {
    let report = match read(body, Duration::from_secs(FORM_S_MAX)).await {
        Ok(report) => report,
        Err(status) => return status,
    };
    let noted = tokio::task::spawn_blocking(move || write(&console, &from, &report)).await;
    if noted.unwrap_or(false) { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn read(body: Body, most: Duration) -> Result<Parts, StatusCode> {
    let bytes = body_within(body, REPORT_BYTES_MAX, most).await?;
    let read = serde_json::from_slice(&bytes).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY);
    read.map(|Report { report }| report)
}

/// Whether it was written down, or counted.
fn write(console: &Console, from: &Sender, report: &Parts) -> bool {
    let door = &console.door;
    let Some(untold) = door.tells_report() else { return true };
    let directive = match report.effective_directive.as_str() {
        "" => &report.violated_directive,
        effective => effective,
    };
    let (page, blocked) = (part(path_of(&report.document_uri)), part(&report.blocked_uri));
    let directive = part(directive);
    let mut facts: Vec<(&str, &dyn std::fmt::Display)> = vec![
        ("address", &from.address),
        ("blocked", &blocked),
        ("directive", &directive),
        ("page", &page),
    ];
    if untold > 0 {
        facts.push(("untold", &untold));
    }
    door.note("unknown", Noted { act: "policy-broken", account: "", facts: &facts }).is_ok()
}

/// The path alone: what stands behind it may be a secret.
fn path_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

fn part(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let plain: String = text.chars().filter(|sign| !sign.is_control()).collect();
    plain[..plain.floor_char_boundary(PART_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::form::tests::Slow;

    #[test]
    fn of_an_address_the_path_is_kept() {
        for (address, wanted) in [
            ("https://relight.example/start?code=secret", "/start"),
            ("http://localhost:8420/site/a#b", "/site/a"),
            ("http://localhost:8420", "/"),
            ("about", "/"),
            ("", "/"),
        ] {
            assert_eq!(path_of(address), wanted, "{address}");
        }
    }

    #[test]
    fn what_strangers_write_is_cut_and_keeps_to_its_line() {
        assert_eq!(part("https://evil.example/x?y=z"), "https://evil.example/x");
        assert_eq!(part("a\nb\u{0}c"), "abc");
        assert_eq!(part(&"\u{e9}".repeat(PART_BYTES_MAX)).len(), PART_BYTES_MAX);
    }

    #[test]
    fn a_report_that_does_not_come_is_not_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let body = Body::new(Slow(Some(bytes::Bytes::from_static(b"{\"csp-report\":"))));
        let answer = runtime.block_on(read(body, Duration::from_millis(10)));
        assert_eq!(answer.err(), Some(StatusCode::REQUEST_TIMEOUT));
    }

    #[test]
    fn reports_of_browsers_are_read() {
        let text = r#"{"csp-report":{"document-uri":"http://localhost/","violated-directive":
            "script-src-elem","effective-directive":"script-src-elem","blocked-uri":"inline",
            "status-code":200,"source-file":"x","line-number":1}}"#;
        let Report { report } = serde_json::from_str(text).unwrap();
        assert_eq!(
            (&*report.effective_directive, &*report.blocked_uri),
            ("script-src-elem", "inline")
        );
        for bad in ["", "{}", "[]", r#"{"csp-report":1}"#, r#"{"csp-report":{"blocked-uri":1}}"#] {
            assert!(serde_json::from_str::<Report>(bad).is_err(), "{bad}");
        }
    }
}
