//! `/api/v2`: the page in the shape of Statuspage, for programs that read it already.

use bytes::Bytes;
use relight_engine::incident::Impact;
use relight_engine::live::Words;
use relight_model::Timestamp;
use relight_web::{Lang, number, texts, words};
use serde_json::{Value, json};

use super::episodes::{Episode, Status};
use super::pages::said;
use super::{Files, Identity, Seen, Service};

/// Adds the four documents.
pub(super) fn add(
    files: &mut Files,
    seen: &Seen<'_>,
    episodes: &[Episode],
    identity: &Identity,
    now: Timestamp,
) {
    let api = Api { seen, lang: identity.lang(), now, updated: number::rfc3339(now) };
    let page = json!({
        "id": "relight",
        "name": name(identity),
        "url": identity.url,
        "time_zone": "Etc/UTC",
        "updated_at": api.updated,
    });
    let incidents: Vec<Value> = (0..episodes.len())
        .map(|at| api.incident(&episodes[at], told(seen, episodes, at)))
        .collect();
    let is_open = |(it, _): &(&Episode, &Value)| it.status < Status::Resolved;
    let open = episodes.iter().zip(&incidents).filter(is_open).map(|(_, it)| it.clone());
    let open: Vec<Value> = open.collect();
    let sectors = api.sectors();
    let services = seen.services.iter().map(|service| api.service(service));
    let all: Vec<Value> = sectors.iter().cloned().chain(services).collect();
    let counts = api.counts();
    for (name, schema, document) in [
        ("status", "relight.public-status/1", json!({"page": page, "status": api.status()})),
        ("components", "relight.public-components/1", json!({"page": page, "components": all})),
        ("incidents", "relight.public-incidents/1", json!({"page": page, "incidents": incidents})),
        (
            "summary",
            "relight.public-summary/1",
            json!({
                "page": page,
                "status": api.status(),
                "components": sectors,
                "incidents": open,
                "scheduled_maintenances": [],
                "relight": counts,
            }),
        ),
    ] {
        let mut document = document;
        document["schema"] = schema.into();
        files.insert(format!("api/v2/{name}.json"), Bytes::from(format!("{document}\n")));
    }
}

/// The title of the page; what is no incident says so in it.
fn name(identity: &Identity) -> String {
    identity.stage.marked(identity.lang(), texts::public_title(identity.lang()))
}

struct Api<'a> {
    seen: &'a Seen<'a>,
    lang: Lang,
    now: Timestamp,
    updated: String,
}

impl Api<'_> {
    fn counts(&self) -> Value {
        let (lit, total) = (self.seen.lit(), self.seen.total());
        json!({"total": total, "online": lit, "offline_precaution": total - lit})
    }

    fn status(&self) -> Value {
        let (indicator, description) = match condition(self.seen.lit(), self.seen.total()) {
            "operational" => ("none", "All Systems Operational"),
            "major_outage" => ("critical", "Major System Outage"),
            _ => ("major", "Partial System Outage"),
        };
        json!({"indicator": indicator, "description": description})
    }

    /// Each sector as a group.
    fn sectors(&self) -> Vec<Value> {
        let group = |(position, code): (usize, &str)| {
            let inside = self.seen.sector(code);
            let (lit, total) = (inside.lit(), inside.total());
            json!({
                "id": format!("sector-{code}"),
                "name": words::sector(self.lang, code),
                "status": condition(lit, total),
                "group": true,
                "group_id": null,
                "position": position + 1,
                "updated_at": self.updated,
                "relight": {"total": total, "online": lit, "offline_precaution": total - lit},
            })
        };
        self.seen.sectors(self.lang).into_iter().enumerate().map(group).collect()
    }

    fn service(&self, service: &Service<'_>) -> Value {
        let mut document = json!({
            "id": service.site.slug,
            "name": crate::console::name(service.site, self.lang),
            "status": if service.is_lit() { "operational" } else { "major_outage" },
            "group": false,
            "group_id": format!("sector-{}", service.site.sector),
            "updated_at": self.updated,
        });
        if let Some(since) = service.dark_since {
            let since = number::rfc3339(since);
            document["relight"] = json!({"reason": "precaution", "since": since});
            let channel = words::channel(&service.site.channel, self.lang);
            if let Some((_, channel)) = channel {
                document["relight"]["channel"] = channel.into();
            }
        }
        document
    }
}

/// In Statuspage's words: all online `operational`, none `major_outage`, else `partial_outage`.
const fn condition(lit: usize, total: usize) -> &'static str {
    match lit {
        all if all == total => "operational",
        0 => "major_outage",
        _ => "partial_outage",
    }
}

/// The words that people wrote about one of these episodes.
fn told<'a>(seen: &'a Seen<'_>, episodes: &[Episode], at: usize) -> Vec<&'a Words> {
    seen.words.iter().filter(|words| episode_of(episodes, words) == Some(at)).collect()
}

/// Which of these episodes, the newest first, words are about: the newest that had begun. A report
/// comes late, and is about the newest that was over by then, whatever began meanwhile.
fn episode_of(episodes: &[Episode], words: &Words) -> Option<usize> {
    let was_over =
        |it: &Episode| it.status == Status::Resolved && it.to.is_some_and(|over| over <= words.at);
    let told = episodes.iter().position(was_over).filter(|_| words.particulars.report);
    told.or_else(|| episodes.iter().position(|it| it.from <= words.at))
}

/// One update: its name, how far the episode was, when, and what it says.
struct Update {
    id: String,
    status: Status,
    at: Timestamp,
    body: String,
}

impl Update {
    fn document(&self, incident: &str) -> Value {
        let at = number::rfc3339(self.at);
        json!({
            "id": self.id,
            "incident_id": incident,
            "status": self.status.as_str(),
            "body": self.body,
            "created_at": at,
            "updated_at": at,
            "display_at": at,
        })
    }
}

impl Api<'_> {
    fn incident(&self, episode: &Episode, words: Vec<&Words>) -> Value {
        let id = episode.id();
        let steps = episode.steps();
        // The newest come first; what nobody said is what it always was.
        let chosen = words.iter().find_map(|it| it.particulars.impact);
        let impact = chosen.unwrap_or(Impact::Major).as_str();
        let report = words.iter().find(|it| it.particulars.report);
        let report = report.filter(|_| episode.status == Status::Resolved);
        let status = report.map_or(episode.status, |_| Status::Postmortem);
        let text = report.map(|words| said(self.lang, words).3);
        let told_at = report.map(|words| number::rfc3339(words.at));
        let next = words.first().and_then(|it| it.particulars.next);
        let next = next.filter(|at| *at > self.now).map(number::rfc3339);
        let time = |status: Status| {
            steps.iter().find(|(it, _)| *it == status).map(|(_, at)| number::rfc3339(*at))
        };
        let updates = self.updates(episode, words);
        let last = updates.first().map(|it| number::rfc3339(it.at));
        json!({
            "id": id,
            "name": texts::public_episode(self.lang),
            "status": status.as_str(),
            "impact": impact,
            "created_at": number::rfc3339(episode.from),
            "started_at": number::rfc3339(episode.from),
            "updated_at": last,
            "monitoring_at": time(Status::Monitoring),
            "resolved_at": time(Status::Resolved),
            "incident_updates": updates.iter().map(|it| it.document(&id)).collect::<Vec<_>>(),
            "components": [],
            "postmortem_body": text,
            "postmortem_published_at": told_at,
            "relight": {"services": episode.services, "next_update_at": next},
        })
    }

    /// What the page says by itself, and what people wrote, the newest first.
    fn updates(&self, episode: &Episode, words: Vec<&Words>) -> Vec<Update> {
        let step = |(status, at): (Status, Timestamp)| Update {
            id: format!("{}-{}", episode.id(), status.as_str()),
            status,
            at,
            body: super::feeds::body(status, self.lang).to_owned(),
        };
        let steps = episode.steps();
        let said = words.into_iter().map(|words| Update {
            id: super::feeds::name_of(words),
            status: match words.particulars.report {
                true => Status::Postmortem,
                false => {
                    let step = steps.iter().rfind(|(_, at)| *at <= words.at);
                    step.map_or(episode.status, |it| it.0)
                }
            },
            at: words.at,
            body: said(self.lang, words).3,
        });
        let mut all: Vec<Update> = said.chain(episode.steps().into_iter().map(step)).collect();
        // What people wrote stands before what the page says by itself of the same second.
        all.sort_by_key(|it| std::cmp::Reverse(it.at));
        all
    }
}

#[cfg(test)]
mod tests {
    use relight_engine::incident::Particulars;
    use relight_engine::live::{BoardSite, Outage, Proofs};
    use relight_web::views::{Stage, Theme};

    use super::super::episodes;
    use super::*;

    fn site(slug: &str, sector: &str) -> BoardSite {
        BoardSite {
            sector: sector.into(),
            organisation: "o".into(),
            slug: slug.into(),
            name_fr: format!("Guichet {slug}"),
            name_en: String::new(),
            public: true,
            channel: relight_model::Channel {
                fr: if slug == "b" { "Comptoir".into() } else { String::new() },
                en: String::new(),
            },
        }
    }

    fn documents(dark: [bool; 3], past: &[Outage], is_open: bool) -> impl Fn(&str) -> Value {
        documents_with(dark, past, is_open, Vec::new())
    }

    fn documents_with(
        dark: [bool; 3],
        past: &[Outage],
        is_open: bool,
        words: Vec<Words>,
    ) -> impl Fn(&str) -> Value {
        let sites = [site("a", "energy"), site("b", "health"), site("c", "health")];
        let dark_since = dark.map(|dark| dark.then_some(60)).to_vec();
        let proofs = Proofs {
            version: 1,
            dark_since,
            past: past.to_vec(),
            begun: is_open.then_some(60).into_iter().collect(),
            words,
            ..Proofs::default()
        };
        let seen = Seen::of(&sites, &proofs, 3_600);
        let (url, stage) = ("https://status.example/".into(), Stage::Real);
        let theme = Theme::Neutral;
        let identity = Identity { langs: vec![Lang::En, Lang::Fr], url, stage, theme };
        let mut files = Files::new();
        add(&mut files, &seen, &episodes::of(&seen), &identity, 3_600);
        move |name| serde_json::from_slice(&files[&format!("api/v2/{name}.json")]).unwrap()
    }

    #[test]
    fn a_sector_is_operational_partial_or_out_and_counts_sum() {
        let some = documents([true, true, false], &[], true);
        let summary = some("summary");
        assert_eq!(summary["components"][0]["status"], "major_outage");
        assert_eq!(summary["components"][1]["status"], "partial_outage");
        assert_eq!(summary["relight"], json!({"total": 3, "online": 1, "offline_precaution": 2}));
        assert_eq!(summary["schema"], "relight.public-summary/1");
        let dark = &some("components")["components"][2];
        assert_eq!((&dark["id"], &dark["status"]), (&"a".into(), &"major_outage".into()));
        assert_eq!(
            dark["relight"],
            json!({"reason": "precaution", "since": "1970-01-01T00:01:00Z"})
        );
        let told = &some("components")["components"][3];
        assert_eq!((&told["id"], &told["relight"]["channel"]), (&"b".into(), &"Comptoir".into()));
        assert_eq!(documents([false; 3], &[], false)("status")["status"]["indicator"], "none");
        assert_eq!(documents([true; 3], &[], true)("status")["status"]["indicator"], "critical");
    }

    #[test]
    fn an_incident_goes_from_investigating_to_resolved_and_is_never_identified() {
        let past = [Outage { from: 60, to: 600, site: 0 }];
        let state = |dark, past: &[Outage], is_open| {
            let incidents = documents(dark, past, is_open)("incidents");
            incidents["incidents"][0]["status"].as_str().map(str::to_owned)
        };
        assert_eq!(state([false; 3], &[], true), None);
        assert_eq!(state([true, false, false], &[], true).as_deref(), Some("investigating"));
        assert_eq!(state([false; 3], &past, true).as_deref(), Some("monitoring"));
        assert_eq!(state([false; 3], &past, false).as_deref(), Some("resolved"));
        let summary = documents([false; 3], &past, false)("summary");
        assert_eq!(summary["incidents"], json!([]));
        let over = documents([false; 3], &past, false)("incidents");
        let incident = &over["incidents"][0];
        assert_eq!(incident["resolved_at"], "1970-01-01T00:10:00Z");
        assert_eq!(incident["incident_updates"][0]["status"], "resolved");
        assert_eq!(incident["incident_updates"][1]["status"], "investigating");
    }

    /// Goal: who publishes says how bad it is, when more is said, and what happened. Method: words
    /// of each kind about one episode; before, each was "major" and none had a report.
    #[test]
    fn impact_promise_and_report_are_what_people_chose() {
        let past = [Outage { from: 60, to: 600, site: 0 }];
        let say = |at: Timestamp, particulars: Particulars| Words {
            at,
            fr: format!("fr {at}"),
            en: String::new(),
            particulars,
        };
        let minor = Particulars { impact: Some(Impact::Minor), ..Particulars::default() };
        let next = |at| Particulars { next: Some(at), ..Particulars::default() };
        let report = Particulars { report: true, ..Particulars::default() };
        let first = |words: Vec<Words>, is_open| {
            documents_with([false; 3], &past, is_open, words)("incidents")["incidents"][0].clone()
        };
        let quiet = first(Vec::new(), false);
        assert_eq!((&quiet["impact"], &quiet["status"]), (&"major".into(), &"resolved".into()));
        assert!(quiet["postmortem_body"].is_null() && quiet["relight"]["next_update_at"].is_null());
        let told = first(vec![say(700, next(7_200)), say(300, minor)], true);
        assert_eq!((&told["impact"], &told["status"]), (&"minor".into(), &"monitoring".into()));
        assert_eq!(told["relight"]["next_update_at"], "1970-01-01T02:00:00Z");
        let late = first(vec![say(700, next(900))], true);
        assert!(late["relight"]["next_update_at"].is_null(), "that promise is over");
        let words = vec![say(900, report), say(300, minor)];
        let early = first(words.clone(), true);
        assert_eq!(early["status"], "monitoring", "a report does not end what goes on");
        let over = first(words, false);
        assert_eq!((&over["impact"], &over["status"]), (&"minor".into(), &"postmortem".into()));
        assert_eq!(over["postmortem_body"], "fr 900");
        assert_eq!(over["postmortem_published_at"], "1970-01-01T00:15:00Z");
        assert_eq!(over["incident_updates"][0]["status"], "postmortem");
    }

    /// A report that was written during the next outage stood there, as what that one came to.
    #[test]
    fn a_report_is_about_what_was_over_when_it_was_published() {
        let day = 24 * 3_600;
        let (first, second) = (60, 60 + 2 * day);
        let past = [
            Outage { from: first, to: 600, site: 0 },
            Outage { from: second, to: second + day, site: 1 },
        ];
        let particulars = Particulars { report: true, ..Particulars::default() };
        let report = Words { at: second + 60, fr: "fr".into(), particulars, ..Words::default() };
        let all = documents_with([false; 3], &past, false, vec![report])("incidents");
        let [newer, older] = [0, 1].map(|at| all["incidents"][at].clone());
        assert_eq!(
            (&newer["status"], &older["status"]),
            (&"resolved".into(), &"postmortem".into())
        );
        assert!(newer["postmortem_body"].is_null(), "{newer}");
        assert_eq!(older["postmortem_body"], "fr");
        assert_eq!(newer["incident_updates"].as_array().unwrap().len(), 2);
    }

    /// Goal: programs that read Statuspage see what people published, in its place. Method: words
    /// before, during and after two episodes that are days apart.
    #[test]
    fn words_of_people_stand_among_the_updates_of_their_episode() {
        let day = 24 * 3_600;
        let past = [
            Outage { from: 60, to: 600, site: 0 },
            Outage { from: 60 + 9 * day, to: 600 + 9 * day, site: 1 },
        ];
        let say = |at: Timestamp, en: &str| Words {
            at,
            fr: format!("fr {at}"),
            en: en.into(),
            ..Words::default()
        };
        let words = vec![
            say(700 + 9 * day, ""),
            say(600 + 9 * day, "same"),
            say(300, "During."),
            say(1, "x"),
        ];
        let all = documents_with([false; 3], &past, false, words)("incidents");
        let told = |episode: usize| -> Vec<String> {
            let updates = all["incidents"][episode]["incident_updates"].as_array().unwrap();
            let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
            updates.iter().map(|it| [text(it, "status"), text(it, "body")].join(": ")).collect()
        };
        let body = |status| super::super::feeds::body(status, Lang::En);
        assert_eq!(
            told(0),
            [
                format!("resolved: fr {}", 700 + 9 * day),
                "resolved: same".to_owned(),
                format!("resolved: {}", body(Status::Resolved)),
                format!("investigating: {}", body(Status::Investigating)),
            ]
        );
        assert_eq!(told(1)[1], "investigating: During.");
        assert_eq!(told(1).len(), 3, "what was said before anything was dark is of no episode");
        let ids = |episode: usize| {
            let updates = all["incidents"][episode]["incident_updates"].as_array().unwrap().clone();
            updates
                .into_iter()
                .map(|it| it["id"].to_string())
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!((ids(0).len(), ids(1).len()), (4, 3));
    }
}
