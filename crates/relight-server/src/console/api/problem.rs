//! Errors of the API: problem documents (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use relight_engine::EngineError;
use relight_engine::policy::Refusal;
use relight_web::{Lang, texts};
use serde_json::{Value, json};

use crate::access::refusals::because;
use crate::console::act;
use crate::console::act::forms::unfit;
use crate::told_words::Wrong;

/// The media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// Stable name of what went wrong; empty when the status says it all.
    code: String,
    /// The rule that it follows, for the journal, where no code names it.
    rule: &'static str,
    detail: String,
    remedy: String,
}

impl Problem {
    /// A problem that its status describes.
    pub(super) fn of(status: StatusCode) -> Self {
        let [code, detail, remedy] = [const { String::new() }; 3];
        Self { status, code, rule: "", detail, remedy }
    }

    /// Nobody granted it.
    pub(super) fn role() -> Self {
        Self { rule: "no-role", ..Self::of(StatusCode::FORBIDDEN) }
    }

    /// Whoever has a passkey signs it with that, on this page.
    pub(super) fn on_page(lang: Lang, page: &str) -> Self {
        let (code, detail) = ("on-page".to_owned(), texts::act_on_page(lang).to_owned());
        let remedy = texts::act_on_page_remedy(lang, page);
        Self { code, detail, remedy, ..Self::of(StatusCode::FORBIDDEN) }
    }

    /// What was sent cannot be read: where and why.
    pub(super) fn unreadable(why: &str) -> Self {
        let (code, detail) = ("unreadable".to_owned(), why.to_owned());
        Self { code, detail, ..Self::of(StatusCode::UNPROCESSABLE_ENTITY) }
    }

    /// What is asked about is not there.
    pub(super) fn missing(detail: String) -> Self {
        Self { detail, ..Self::of(StatusCode::NOT_FOUND) }
    }

    /// There is no room for it just now.
    pub(super) fn busy(why: &str) -> Self {
        Self { detail: why.to_owned(), ..Self::of(StatusCode::SERVICE_UNAVAILABLE) }
    }

    /// Words are missing in a language of the public page, as a page says it too.
    pub(super) fn untranslated(lang: Lang) -> Self {
        let code = "untranslated".to_owned();
        let unreadable = Self::unreadable(texts::act_untranslated(lang));
        Self { code, ..unreadable }.remedy(texts::act_untranslated_remedy(lang))
    }

    /// Words say what they must not, as a page says it too.
    pub(super) fn words(lang: Lang, wrong: &Wrong) -> Self {
        let (code, what, remedy) = unfit(lang, wrong);
        Self { code: code.to_owned(), ..Self::unreadable(&what) }.remedy(remedy)
    }

    /// The same, with what to do next.
    pub(super) fn remedy(self, remedy: &str) -> Self {
        Self { remedy: remedy.to_owned(), ..self }
    }

    /// A program asks for what people do.
    pub(super) fn token(lang: Lang) -> Self {
        let code = format!("refusal-{}", Refusal::Token.as_str());
        let (detail, remedy) = (texts::refusal_token(lang), texts::refusal_token_remedy(lang));
        let (detail, remedy) = (detail.to_owned(), remedy.to_owned());
        Self { code, detail, remedy, ..Self::of(StatusCode::FORBIDDEN) }
    }

    /// What stands in the way as things are, and what to do.
    pub(super) fn conflict(code: &str, detail: String, remedy: &str) -> Self {
        let (code, remedy) = (code.to_owned(), remedy.to_owned());
        Self { code, detail, remedy, ..Self::of(StatusCode::CONFLICT) }
    }

    /// What the door refuses.
    pub(super) fn refused(status: StatusCode, code: &str, detail: String) -> Self {
        Self { code: code.to_owned(), detail, ..Self::of(status) }
    }

    /// A fault of ours.
    pub(super) fn internal(why: &str) -> Self {
        Self { detail: why.to_owned(), ..Self::of(StatusCode::INTERNAL_SERVER_ERROR) }
    }

    /// What the engine says, in a language.
    pub(super) fn engine(lang: Lang, error: &EngineError) -> Self {
        let (detail, remedy) = act::told(lang, error);
        Self { code: act::code_of(error), detail, remedy, ..Self::of(act::status_of(error)) }
    }

    fn document(&self) -> Value {
        let kind = match self.code.as_str() {
            "" => "about:blank".to_owned(),
            code => format!("urn:relight:problem:{code}"),
        };
        let title = self.status.canonical_reason().unwrap_or_default();
        let mut document = json!({"type": kind, "title": title, "status": self.status.as_u16()});
        for (name, text) in [("detail", &self.detail), ("remedy", &self.remedy)] {
            if !text.is_empty() {
                document[name] = text.as_str().into();
            }
        }
        document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, MEDIA_TYPE)];
        let response = (self.status, kind, self.document().to_string()).into_response();
        // What cannot be read is a mistake of whoever wrote the program; what reading is refused
        // with says its status.
        match self.code.as_str() {
            "" if !self.rule.is_empty() => because(response, self.rule),
            "" | "unreadable" => response,
            code => because(response, code),
        }
    }
}

/// The schema of a problem.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457). `type` ends with a stable code.",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "remedy": {"type": "string", "description": "What to do next."},
        },
        "required": ["type", "title", "status"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_standard() {
        let plain = Problem::of(StatusCode::NOT_FOUND).document();
        let wanted = json!({"type": "about:blank", "title": "Not Found", "status": 404});
        assert_eq!(plain, wanted);
        let told = Problem::unreadable("line 1").document();
        assert_eq!(told["type"], "urn:relight:problem:unreadable");
        assert_eq!((told["status"].as_u64(), told["detail"].as_str()), (Some(422), Some("line 1")));
    }
}
