//! One record of the journal as one line of OCSF or of CEF. Whatever a person wrote stays inside of
//! its field: a line break in a reason never starts another record.

use relight_engine::store::JournalRecord;
use serde_json::{Value, json};

/// The schema of OCSF whose numbers are used.
const OCSF_VERSION: &str = "1.3.0";

/// A record in a form, with its line break.
pub(super) fn of(record: &JournalRecord, format: &str) -> String {
    let mut line = match format {
        "cef" => cef(record),
        _ => one_line(&ocsf(record)),
    };
    line.push('\n');
    line
}

/// JSON without any sign that some reader takes for a line break: the serializer escapes control
/// characters, not the three of Unicode. They stand in strings only, where the escape means the
/// same.
fn one_line(value: &Value) -> String {
    let text = value.to_string();
    let escaped = text.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    escaped.replace('\u{85}', "\\u0085")
}

/// What the record says; a body that is damaged is a text.
fn body(record: &JournalRecord) -> Value {
    serde_json::from_str(&record.body).unwrap_or_else(|_| Value::from(record.body.as_str()))
}

/// What happened, in the words of OCSF.
struct Event {
    /// Class: 3001 account change, 3002 authentication, 3004 entity management, 3005 user access.
    class: u32,
    /// Activity within the class; 99 is another one.
    activity: u32,
    /// Whether it was refused.
    failed: bool,
}

/// Acts of sign-in and accounts, with class and activity.
const ACTS: [(&str, u32, u32); 21] = [
    ("account-added", 3001, 1),
    ("account-ended", 3001, 5),
    ("account-recovered", 3001, 4),
    ("account-renewed", 3001, 4),
    ("grant-proposed", 3005, 99),
    ("grant-refused", 3005, 99),
    ("granted", 3005, 1),
    ("key-added", 3001, 10),
    ("key-removed", 3001, 11),
    ("key-shown", 3002, 1),
    ("link-used", 3002, 1),
    ("policy-confirmed", 3005, 99),
    ("policy-replaced", 3005, 99),
    ("revoked", 3005, 2),
    ("sign-in-refused", 3002, 1),
    ("signed-in", 3002, 1),
    ("signed-out", 3002, 2),
    ("terminal-let-in", 3002, 1),
    ("terminal-refused", 3002, 1),
    ("token-added", 3001, 10),
    ("token-removed", 3001, 11),
];

/// Kinds of entries that tell of something that did not go as it was asked.
const FAILURES: [&str; 4] = ["edge-failed", "plan-refused", "refused", "relight-stopped"];

fn event_of(record: &JournalRecord, body: &Value) -> Event {
    let act = body["act"].as_str().unwrap_or_default();
    let known = ACTS.iter().find(|(name, ..)| record.kind == "access" && *name == act);
    let failed = FAILURES.contains(&record.kind.as_str())
        || act.ends_with("-refused")
        || act.ends_with("-failed")
        || body["passed"] == false;
    match (known, record.kind.as_str()) {
        (Some((_, class, activity)), _) => Event { class: *class, activity: *activity, failed },
        (None, "opened") => Event { class: 3004, activity: 1, failed },
        (None, "closed") => Event { class: 3004, activity: 3, failed },
        _ => Event { class: 3004, activity: 99, failed },
    }
}

fn ocsf(record: &JournalRecord) -> Value {
    let body = body(record);
    let Event { class, activity, failed } = event_of(record, &body);
    let account = body["account"].as_str().unwrap_or_default();
    let mut event = json!({
        "activity_id": activity,
        "actor": { "user": { "name": record.actor } },
        "category_uid": 3,
        "class_uid": class,
        "message": title(record, &body),
        "metadata": {
            "log_name": "journal",
            "product": { "name": "relight", "vendor_name": "relight" },
            "uid": record.seq.to_string(),
            "version": OCSF_VERSION,
        },
        "severity_id": if failed { 3 } else { 1 },
        "status_id": if failed { 2 } else { 1 },
        "time": record.time * 1_000,
        "type_uid": class * 100 + activity,
        "unmapped": {
            "body": body,
            "hash": record.hash.to_string(),
            "prev": record.prev.to_string(),
        },
    });
    match class {
        3004 => event["entity"] = json!({ "type": "incident", "name": record.incident }),
        3005 => {
            let facts = &body["facts"];
            let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
            event["user"] = json!({ "name": account });
            event["privileges"] = json!([format!("{} {}", text("role"), text("scope"))]);
        }
        _ => event["user"] = json!({ "name": account }),
    }
    if let Some(address) = body["facts"]["address"].as_str() {
        event["src_endpoint"] = json!({ "ip": address });
    }
    event
}

/// The kind, or what happened at the door.
fn title(record: &JournalRecord, body: &Value) -> String {
    let act = body["act"].as_str().filter(|_| record.kind == "access");
    act.unwrap_or(&record.kind).to_owned()
}

fn cef(record: &JournalRecord) -> String {
    let body = body(record);
    let failed = event_of(record, &body).failed;
    let title = title(record, &body);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = [
        ("rt", (record.time * 1_000).to_string()),
        ("externalId", record.seq.to_string()),
        ("suser", record.actor.clone()),
        ("duser", text(&body["account"])),
        ("src", text(&body["facts"]["address"])),
        ("outcome", if failed { "failure" } else { "success" }.to_owned()),
        ("cs1Label", if record.incident.is_empty() { "" } else { "incident" }.to_owned()),
        ("cs1", record.incident.clone()),
        ("cs2Label", "hash".to_owned()),
        ("cs2", record.hash.to_string()),
        ("msg", one_line(&body)),
    ];
    let there = fields.iter().filter(|(_, value)| !value.is_empty());
    let extension: Vec<String> =
        there.map(|(name, value)| format!("{name}={}", in_extension(value))).collect();
    let severity = if failed { 6 } else { 3 };
    let (version, title) = (env!("CARGO_PKG_VERSION"), in_header(&title));
    let head = format!("CEF:0|relight|relight|{version}|{}|{title}", in_header(&record.kind));
    format!("{head}|{severity}|{}", extension.join(" "))
}

/// In a header, a bar and a backslash are escaped; nothing else may stand there.
fn in_header(text: &str) -> String {
    let plain: String =
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    plain.replace('\\', "\\\\").replace('|', "\\|")
}

/// In an extension, an equals sign, a backslash and line breaks are escaped.
fn in_extension(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '\\' => out.push_str("\\\\"),
            '=' => out.push_str("\\="),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            sign if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') => out.push(' '),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use relight_model::Digest;

    use super::*;

    fn record(seq: u64, actor: &str, kind: &str, incident: &str, body: &str) -> JournalRecord {
        JournalRecord {
            seq,
            time: 1_800_000_000 + seq as i64,
            actor: actor.into(),
            kind: kind.into(),
            incident: incident.into(),
            body: body.into(),
            prev: Digest([seq as u8 - 1; 32]),
            hash: Digest([seq as u8; 32]),
        }
    }

    /// Ordinary records, and some whose texts try to be another record.
    fn records() -> Vec<JournalRecord> {
        let access = |act: &str, account: &str, facts: &str| {
            let facts = format!("{{{facts}}}");
            format!(r#"{{"account":"{account}","act":"{act}","facts":{facts},"kind":"access"}}"#)
        };
        let signed = access("signed-in", "anna", r#""address":"192.0.2.7","factor":"passkey""#);
        let refused = access("sign-in-refused", "", r#""address":"2001:db8::1","why":"expired""#);
        let granted = access("granted", "zoe", r#""role":"commander","scope":"health/CHU""#);
        let evil =
            r#"{"kind":"fix-started","note":"a=b\\\nCEF:0|x|y|\r\n{\"seq\":9}","site":"care"}"#;
        let line = "CVE-2021-44228\nCEF:0|relight|relight|9|opened|opened|3|";
        vec![
            record(1, "anna", "opened", "CVE-2021-44228", r#"{"kind":"opened","title":"Log4j"}"#),
            record(2, "anna", "access", "", &signed),
            record(3, "unknown", "access", "", &refused),
            record(4, "admin", "access", "", &granted),
            record(5, "anna\r\nadmin", "fix-started", "CVE-2021-44228", evil),
            record(6, "a|b", "opened|x\n", line, r#"{"kind":"opened","title":"\u2028"}"#),
            record(7, "anna", "refused", "CVE-2021-44228", "not JSON\nat all"),
            record(8, "", "closed", "CVE-2021-44228", "{}"),
        ]
    }

    #[test]
    fn lines_are_the_golden_ones_and_as_many_as_records() {
        for format in ["ocsf", "cef"] {
            let lines: String = records().iter().map(|record| of(record, format)).collect();
            assert_eq!(lines.lines().count(), records().len(), "{format}");
            assert_eq!(lines.split(['\r', '\u{2028}', '\u{85}']).count(), 1, "{format}");
            let golden = format!("{}/fixtures/audit/{format}.txt", env!("CARGO_MANIFEST_DIR"));
            if env::var_os("UPDATE_EXPECT").is_some() {
                fs::write(&golden, &lines).unwrap();
            }
            assert_eq!(lines, fs::read_to_string(&golden).unwrap(), "UPDATE_EXPECT=1 rewrites it");
        }
    }

    #[test]
    fn the_number_of_a_type_is_class_and_activity() {
        for record in records() {
            let event: Value = serde_json::from_str(&of(&record, "ocsf")).unwrap();
            let number = |name: &str| event[name].as_u64().unwrap();
            assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"));
            assert_eq!(number("class_uid") / 1_000, number("category_uid"));
        }
    }
}
