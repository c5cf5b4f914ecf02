//! Why "no signs" cannot be said of a site, in words: for the command line, the console and the
//! API alike.

use relight_engine::{Engine, EngineError, SignsGap, SignsOf};
use relight_model::GateKey;
use relight_web::number::date;
use relight_web::{Lang, texts};

/// A site of which "no signs" cannot be said: logs do not cover every day since it had the flaw,
/// nobody looked at what it sent out, or signs were seen.
#[derive(Debug)]
pub struct Unsaid {
    site: String,
    flaw: String,
    found: SignsOf,
}

impl Unsaid {
    /// Of a site in an incident; none where "no signs" can be said of it.
    ///
    /// # Errors
    /// The site is not known, or the store or a list in the data folder cannot be read.
    pub fn of(engine: &Engine, id: &str, site: &GateKey) -> Result<Option<Self>, EngineError> {
        let found = engine.signs_at(id, site)?;
        if found == SignsOf::None {
            return Ok(None);
        }
        let question = engine.with_ledger(|ledger| Some(ledger.incident(id)?.question.clone()));
        let (site, flaw) = (site.to_string(), question.unwrap_or_default());
        Ok(Some(Self { site, flaw, found }))
    }

    /// What cannot be said, and why.
    pub fn text(&self, lang: Lang) -> String {
        let what = texts::signs_refused(lang, &self.site);
        let why = match &self.found {
            SignsOf::None => return what,
            SignsOf::Seen(signs) => texts::signs_were_seen(lang, signs.len()),
            SignsOf::Unknown(SignsGap::Since) => texts::signs_gap_since(lang, &self.flaw),
            SignsOf::Unknown(SignsGap::Inbound(at)) => texts::signs_gap_inbound(lang, &date(*at)),
            SignsOf::Unknown(SignsGap::Outbound(at)) => texts::signs_gap_outbound(lang, &date(*at)),
            SignsOf::Unknown(SignsGap::Unread(line)) => texts::signs_gap_unread(lang, *line),
        };
        texts::labelled(lang, &what, &why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_in_both_languages() {
        let text = |lang, gap| {
            let found = SignsOf::Unknown(gap);
            Unsaid { site: "care".into(), flaw: "CVE-2021-44228".into(), found }.text(lang)
        };
        for (gap, word) in [
            (SignsGap::Since, "CVE-2021-44228"),
            (SignsGap::Inbound(0), "1970-01-01"),
            (SignsGap::Outbound(18_970), "2021-12-09"),
            (SignsGap::Unread(7), "7"),
        ] {
            for lang in Lang::ALL {
                let told = text(lang, gap);
                assert!(told.contains("care") && told.contains(word), "{told}");
            }
        }
        let inbound = text(Lang::En, SignsGap::Inbound(0));
        assert_ne!(inbound, text(Lang::En, SignsGap::Outbound(0)), "which way is told apart");
    }
}
