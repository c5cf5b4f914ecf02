//! Open data: `sites.csv`, `services.json`, and their catalogue record. Never translated, and each
//! says whether it is the real thing: who reads it sees no stripes.

use relight_model::Timestamp;
use relight_web::views::Stage;
use relight_web::{Lang, number, texts};
use serde_json::json;

use super::{Identity, Seen, Service};
use crate::console::name;

/// Every public site, one line each (RFC 4180): id, names, sector, state, since when, time of the
/// page, and whether it is the real thing.
pub(super) fn csv(seen: &Seen<'_>, stage: Stage, now: Timestamp) -> String {
    let updated = number::rfc3339(now);
    let mut out = String::from("id,name_fr,name_en,sector,state,since,updated_at,stage\r\n");
    for service in &seen.services {
        let site = service.site;
        let state = if service.is_lit() { "online" } else { "offline-precaution" };
        let since = since(service, stage).unwrap_or_default();
        let fields = [
            site.slug.as_str(),
            &site.name_fr,
            &site.name_en,
            &site.sector,
            state,
            &since,
            &updated,
            stage.code(),
        ];
        out.push_str(&fields.map(field).join(","));
        out.push_str("\r\n");
    }
    out
}

/// Since when a service is as it is; a drill tells nobody of what was back before.
fn since(service: &Service<'_>, stage: Stage) -> Option<String> {
    let past = service.past.filter(|_| stage != Stage::Drill);
    service.dark_since.or(past.map(|past| past.to)).map(number::rfc3339)
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

/// Every public site for the search of the page where scripts run: names, sector, state, since
/// when.
pub(super) fn services(seen: &Seen<'_>, stage: Stage, now: Timestamp) -> String {
    let service = |service: &Service<'_>| {
        json!({
            "id": service.site.slug,
            "name": {
                "fr": name(service.site, Lang::Fr),
                "en": name(service.site, Lang::En),
            },
            "sector": service.site.sector,
            "online": service.is_lit(),
            "since": since(service, stage),
        })
    };
    let services: Vec<_> = seen.services.iter().map(service).collect();
    let document = json!({
        "schema": "relight.services/1",
        "stage": stage.code(),
        "updated_at": number::rfc3339(now),
        "services": services,
    });
    format!("{document}\n")
}

/// The record of the data set for portals (DCAT 3).
pub(super) fn catalogue(identity: &Identity, now: Timestamp) -> String {
    let url = &identity.url;
    let title = |lang: Lang| {
        let value = identity.stage.marked(lang, texts::public_title(lang));
        json!({"@language": lang.tag(), "@value": value})
    };
    let file = |path: &str, media: &str| {
        json!({
            "@type": "dcat:Distribution",
            "dcat:downloadURL": {"@id": format!("{url}{path}")},
            "dcat:mediaType": media,
        })
    };
    let document = json!({
        "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
        "@id": format!("{url}dcat.jsonld"),
        "@type": "dcat:Dataset",
        "dct:title": identity.langs.iter().copied().map(title).collect::<Vec<_>>(),
        "dct:modified": number::rfc3339(now),
        "dcat:distribution": [
            file("sites.csv", "text/csv"),
            file("api/v2/components.json", "application/json"),
            file("services.json", "application/json"),
        ],
    });
    format!("{document}\n")
}

#[cfg(test)]
mod tests {
    use relight_engine::live::{BoardSite, Outage, Proofs};

    use super::*;

    #[test]
    fn services_have_names_in_both_languages_and_nothing_but_what_visitors_see() {
        let site = |slug: &str, name_en: &str| BoardSite {
            sector: "health".into(),
            organisation: "o".into(),
            slug: slug.into(),
            name_fr: "Rendez-vous".into(),
            name_en: name_en.into(),
            public: true,
            channel: Default::default(),
        };
        let mut sites = [site("a", "Booking"), site("b", ""), site("hidden", "")];
        sites[2].public = false;
        let proofs = Proofs { dark_since: vec![Some(60), None, Some(1)], ..Proofs::default() };
        let text = services(&Seen::of(&sites, &proofs, 120), Stage::Real, 120);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["schema"], "relight.services/1");
        assert_eq!(document["stage"], "real");
        assert_eq!(document["updated_at"], "1970-01-01T00:02:00Z");
        let names = |fr: &str, en: &str| json!({"fr": fr, "en": en});
        assert_eq!(
            document["services"],
            json!([
                {"id": "a", "name": names("Rendez-vous", "Booking"), "sector": "health",
                    "online": false, "since": "1970-01-01T00:01:00Z"},
                {"id": "b", "name": names("Rendez-vous", "Rendez-vous"), "sector": "health",
                    "online": true, "since": null},
            ])
        );
    }

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        let site = BoardSite {
            sector: "health".into(),
            organisation: "o".into(),
            slug: "a".into(),
            name_fr: "Rendez-vous, \"santé\"".into(),
            name_en: "=1+1".into(),
            public: true,
            channel: Default::default(),
        };
        let sites = [site.clone(), BoardSite { slug: "b".into(), ..site }];
        let past = vec![Outage { from: 1, to: 60, site: 1 }];
        let proofs = Proofs { dark_since: vec![Some(0), None], past, ..Proofs::default() };
        let text = csv(&Seen::of(&sites, &proofs, 120), Stage::Real, 120);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "id,name_fr,name_en,sector,state,since,updated_at,stage");
        assert_eq!(
            lines[1],
            "a,\"Rendez-vous, \"\"santé\"\"\",'=1+1,health,offline-precaution,\
             1970-01-01T00:00:00Z,1970-01-01T00:02:00Z,real"
        );
        assert!(lines[2].ends_with(",online,1970-01-01T00:01:00Z,1970-01-01T00:02:00Z,real"));
        assert_eq!(lines[3], "");
    }
}
