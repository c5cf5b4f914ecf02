//! Open data: `sites.csv`, and `summary.json` in the shape of Statuspage. Never translated.

use relight_model::Timestamp;
use relight_web::{Lang, number, words};
use serde_json::json;

use super::Seen;

/// Every public site, one line each (RFC 4180): id, names, sector, state, time of the page.
pub(super) fn csv(seen: &Seen<'_>, now: Timestamp) -> String {
    let updated = number::rfc3339(now);
    let mut out = String::from("id,name_fr,name_en,sector,state,updated_at\r\n");
    for (site, lit) in &seen.sites {
        let state = if *lit { "online" } else { "offline-precaution" };
        let fields = [&site.slug, &site.name_fr, &site.name_en, &site.sector, state, &updated];
        out.push_str(&fields.map(field).join(","));
        out.push_str("\r\n");
    }
    out
}

/// Quotes a field where needed. A field that a spreadsheet would run as a formula gets a `'`,
/// because names come from many bodies and the file is opened with a double click.
fn field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// The state of each sector in Statuspage's words: all online `operational`, none
/// `major_outage`, else `partial_outage`.
pub(super) fn summary(seen: &Seen<'_>, now: Timestamp) -> String {
    let updated = number::rfc3339(now);
    let status = |lit: usize, total: usize| match lit {
        all if all == total => "operational",
        0 => "major_outage",
        _ => "partial_outage",
    };
    let components: Vec<_> = seen
        .sectors(Lang::En)
        .into_iter()
        .map(|code| {
            let inside = seen.sector(code);
            let (lit, total) = (inside.lit(), inside.total());
            json!({
                "id": code,
                "name": words::sector(Lang::En, code),
                "status": status(lit, total),
                "updated_at": updated,
                "relight": {"total": total, "online": lit, "offline_precaution": total - lit},
            })
        })
        .collect();
    let (lit, total) = (seen.lit(), seen.total());
    let (indicator, description) = match status(lit, total) {
        "operational" => ("none", "All Systems Operational"),
        "major_outage" => ("critical", "Major System Outage"),
        _ => ("major", "Partial System Outage"),
    };
    let document = json!({
        "schema": "relight.summary/1",
        "page": {"id": "relight", "name": "relight", "updated_at": updated},
        "status": {"indicator": indicator, "description": description},
        "components": components,
        "incidents": [],
        "scheduled_maintenances": [],
        "relight": {"total": total, "online": lit, "offline_precaution": total - lit},
    });
    format!("{document}\n")
}

#[cfg(test)]
mod tests {
    use relight_engine::live::BoardSite;

    use super::*;

    fn site(slug: &str, sector: &str) -> BoardSite {
        BoardSite {
            sector: sector.into(),
            organisation: "o".into(),
            slug: slug.into(),
            name_fr: "Rendez-vous, \"santé\"".into(),
            name_en: "=1+1".into(),
            public: true,
        }
    }

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        let sites = [site("a", "health")];
        assert_eq!(
            csv(&Seen::of(&sites, &[true]), 0),
            "id,name_fr,name_en,sector,state,updated_at\r\n\
             a,\"Rendez-vous, \"\"santé\"\"\",'=1+1,health,offline-precaution,\
             1970-01-01T00:00:00Z\r\n"
        );
    }

    #[test]
    fn a_sector_is_operational_partial_or_out_and_counts_sum() {
        let sites = [site("a", "energy"), site("b", "health"), site("c", "health")];
        let of = |proven: [bool; 3]| -> serde_json::Value {
            serde_json::from_str(&summary(&Seen::of(&sites, &proven), 0)).unwrap()
        };
        let some = of([true, true, false]);
        assert_eq!(some["components"][0]["status"], "major_outage");
        assert_eq!(some["components"][1]["status"], "partial_outage");
        assert_eq!(some["relight"], json!({"total": 3, "online": 1, "offline_precaution": 2}));
        assert_eq!(of([false; 3])["status"]["indicator"], "none");
        assert_eq!(of([true; 3])["status"]["indicator"], "critical");
    }
}
