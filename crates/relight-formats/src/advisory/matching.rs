//! What matching uses of a record, as a digest: when it stays, nothing has to be matched again.
//!
//! Prose, ratings, references and signals are left out: they change daily, and evidence must not
//! die of it.

use std::io::Write as _;
use std::ops::Range;

use relight_model::{
    Advisory, Affected, Bound, CpeConfiguration, Digest, Interval, PackageName, Product,
    RangeEvent, RangeStatus, Stance, VexProduct, VexStatement,
};
use sha2::{Digest as _, Sha256};

/// SHA-256 over the matching form: source, id, whether it is in force, what it is attached to,
/// packages with everything said of their versions, products, configurations, statements. The order
/// in which a document lists them means nothing.
pub fn matching_digest(advisory: &Advisory) -> Digest {
    let Advisory { source, id, revision: _, published: _, modified: _, withdrawn, .. } = advisory;
    let Advisory { expires: _, .. } = advisory;
    let Advisory { effect, reviewed, status: _, assigner, aliases, related: _, .. } = advisory;
    let Advisory { upstream, summary: _, affected, products, configurations, .. } = advisory;
    let Advisory { exhibits, statements, severities: _, signals: _, references: _, .. } = advisory;
    let mut form = Form::default();
    form.texts([source, id, assigner]);
    form.debug(&(withdrawn.is_some(), effect, reviewed));
    form.sorted(aliases.iter(), |form, alias| form.text(alias));
    form.sorted(upstream.iter(), |form, id| form.text(id));
    form.sorted(affected.iter(), entry);
    form.sorted(products.iter(), product);
    form.sorted(configurations.iter(), |form, it: &CpeConfiguration| form.debug(it));
    form.sorted(statements.iter(), statement);
    // Nothing of the form changes for records that have none, which are nearly all.
    if !exhibits.is_empty() {
        form.sorted(exhibits.iter(), |form, it| form.debug(it));
    }
    Digest(Sha256::digest(&form.0).into())
}

fn entry(form: &mut Form, affected: &Affected) {
    let Affected { package, stance, ranges, intervals, native, versions, .. } = affected;
    let Affected { rest, arch, module, classes, .. } = affected;
    let PackageName { ecosystem, release, name } = package;
    form.texts([ecosystem.as_str(), name]);
    match (release, stance, rest, module) {
        // Of nearly all records, and formatting costs more than everything else here.
        (None, Stance::Lists, RangeStatus::NotAffected, None) => {
            form.text("(None, Lists, NotAffected, None)");
        }
        all => form.debug(&all),
    }
    form.sorted(ranges.iter(), |form, range| {
        form.debug(&range.kind);
        form.sorted(range.events.iter(), event);
    });
    form.sorted(intervals.iter(), interval);
    form.sorted(native.iter(), |form, range| form.debug(range));
    for list in [versions, arch, classes] {
        form.sorted(list.iter(), |form, text| form.text(text));
    }
}

/// As `debug` writes it. A text without anything to escape is copied: some records have thousands.
fn event(form: &mut Form, event: &RangeEvent) {
    let (name, version) = match event {
        RangeEvent::Introduced(version) => ("Introduced", version),
        RangeEvent::Fixed(version) => ("Fixed", version),
        RangeEvent::LastAffected(version) => ("LastAffected", version),
        RangeEvent::Limit(version) => ("Limit", version),
    };
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if !version.bytes().all(is_plain) {
        return form.debug(event);
    }
    let parts = [name, "(\"", version, "\")"];
    let length = parts.iter().map(|it| it.len() as u64).sum::<u64>();
    form.0.extend(length.to_le_bytes());
    parts.iter().for_each(|it| form.0.extend(it.as_bytes()));
}

fn product(form: &mut Form, product: &Product) {
    let Product { vendor, product, package_name, cpes, platforms, stance, ranges, .. } = product;
    form.texts([vendor, product, package_name]);
    form.debug(&(stance, cpes, platforms, ranges));
}

fn interval(form: &mut Form, interval: &Interval) {
    let Interval { lo, hi, basis, status } = interval;
    for bound in [lo, hi] {
        form.0.push(match bound {
            Bound::Unbounded => 0,
            Bound::Inclusive(_) => 1,
            Bound::Exclusive(_) => 2,
        });
        form.text(bound.version().unwrap_or_default());
    }
    form.debug(&(basis, status));
}

fn statement(form: &mut Form, statement: &VexStatement) {
    let VexStatement { issuer, document: _, vulnerabilities, products, .. } = statement;
    let VexStatement { status, justification, text: _, at: _, .. } = statement;
    form.text(issuer);
    form.debug(&(status, justification));
    form.sorted(vulnerabilities.iter(), |form, id| form.text(id));
    form.sorted(products.iter(), |form, product: &VexProduct| form.debug(product));
}

/// Bytes of a length.
const LENGTH: usize = size_of::<u64>();

/// Bytes in which every part has its length in front, so that no two forms read the same.
#[derive(Default)]
struct Form(Vec<u8>);

impl Form {
    fn text(&mut self, text: &str) {
        self.0.extend((text.len() as u64).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn texts<const N: usize>(&mut self, texts: [&str; N]) {
        texts.iter().for_each(|text| self.text(text));
    }

    fn debug(&mut self, value: &impl std::fmt::Debug) {
        let at = self.0.len();
        self.0.extend([0; LENGTH]);
        // Writing to memory cannot fail.
        let _ = write!(self.0, "{value:?}");
        let length = (self.0.len() - at - LENGTH) as u64;
        self.0[at..at + LENGTH].copy_from_slice(&length.to_le_bytes());
    }

    /// A list, sorted and without doubles.
    fn sorted<'a, T: 'a>(
        &mut self,
        items: impl Iterator<Item = &'a T>,
        write: impl Fn(&mut Self, &'a T),
    ) {
        let (mut all, mut forms) = (Self::default(), Vec::new());
        for item in items {
            let start = all.0.len();
            write(&mut all, item);
            forms.push(start..all.0.len());
        }
        let form = |range: &Range<usize>| &all.0[range.clone()];
        forms.sort_unstable_by(|one, other| form(one).cmp(form(other)));
        forms.dedup_by(|one, other| form(one) == form(other));
        self.0.extend((forms.len() as u64).to_le_bytes());
        for range in &forms {
            let form = form(range);
            self.0.extend((form.len() as u64).to_le_bytes());
            self.0.extend(form);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::read_advisories;

    fn digest(text: &str) -> Digest {
        let (records, warnings) = read_advisories("", "f", text.as_bytes());
        assert_eq!((records.len(), warnings.len()), (1, 0), "{text}");
        matching_digest(&records[0])
    }

    fn record(fields: &str, entry: &str) -> Digest {
        digest(&format!(
            r#"{{"id":"X-1",{fields}"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},{entry}
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"1"}},{{"fixed":"2"}}]}}]}}]}}"#
        ))
    }

    #[test]
    fn what_people_read_is_left_out() {
        let base = record("", "");
        for fields in [
            r#""summary":"other","#,
            r#""details":"other","#,
            r#""modified":"2024-01-01T00:00:00Z","#,
            r#""published":"2024-01-01T00:00:00Z","#,
            r#""references":[{"url":"https://example.org"}],"#,
            r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}],"#,
            r#""database_specific":{"known_exploited":true},"#,
            r#""related":["CVE-1"],"#,
        ] {
            assert_eq!(record(fields, ""), base, "{fields}");
        }
    }

    #[test]
    fn what_decides_is_not() {
        let base = record("", "");
        for (fields, entry) in [
            (r#""withdrawn":"2024-01-01T00:00:00Z","#, ""),
            (r#""aliases":["CVE-1"],"#, ""),
            (r#""upstream":["CVE-1"],"#, ""),
            (r#""database_specific":{"review_status":"REVIEWED"},"#, ""),
            ("", r#""versions":["3"],"#),
            ("", r#""database_specific":{"classes":["a/B"]},"#),
        ] {
            assert_ne!(record(fields, entry), base, "{fields}{entry}");
        }
    }

    #[test]
    fn order_means_nothing() {
        let of = |events: &str, aliases: &str| {
            digest(&format!(
                r#"{{"id":"X-1","aliases":{aliases},"affected":[{{"package":{{"ecosystem":"npm",
                "name":"a"}},"ranges":[{{"type":"SEMVER","events":{events}}}]}}]}}"#
            ))
        };
        let base = of(r#"[{"introduced":"1"},{"fixed":"2"}]"#, r#"["A","B"]"#);
        assert_eq!(of(r#"[{"fixed":"2"},{"introduced":"1"}]"#, r#"["B","A","B"]"#), base);
        assert_ne!(of(r#"[{"fixed":"1"},{"introduced":"2"}]"#, r#"["A","B"]"#), base);
    }

    /// Another form would make every stored record look changed to the next import.
    #[test]
    fn the_form_is_the_one_of_before() {
        let text = r#"{"id":"X-1","aliases":["CVE-2","CVE-1"],"affected":[{"package":{"ecosystem":
            "npm","name":"a"},"versions":["3","1"],"ranges":[{"type":"SEMVER","events":[
            {"introduced":"1"},{"fixed":"2"},{"introduced":"4"},{"last_affected":"5"}]}]}]}"#;
        let form = "976ac929cdb21edbbb6beb1170fd4c24f3c8c68afbbe9b169da72d31c2df4607";
        assert_eq!(digest(text).to_string(), form);
    }

    /// What is copied is what would have been formatted.
    #[test]
    fn texts_that_are_copied_are_as_they_would_be_formatted() {
        for text in ["", "1.0", "2:1~rc\"1", "a\\b", "é", "1\n", "\u{7f}", "~ '", "\u{200b}"] {
            for it in [
                RangeEvent::Introduced(text.into()),
                RangeEvent::Fixed(text.into()),
                RangeEvent::LastAffected(text.into()),
                RangeEvent::Limit(text.into()),
            ] {
                let (mut quick, mut slow) = (Form::default(), Form::default());
                event(&mut quick, &it);
                slow.debug(&it);
                assert_eq!(quick.0, slow.0, "{it:?}");
            }
        }
        let none: (&Option<String>, &Stance, &RangeStatus, &Option<String>) =
            (&None, &Stance::Lists, &RangeStatus::NotAffected, &None);
        assert_eq!(format!("{none:?}"), "(None, Lists, NotAffected, None)");
    }

    /// Goal: a score or a catalogue that changes every day voids nothing.
    #[test]
    fn a_catalogue_changes_no_matching() {
        let entry = |use_: &str| {
            format!(
                r#"{{"catalogVersion":"1","vulnerabilities":[{{"cveID":"CVE-1",
            "knownRansomwareCampaignUse":"{use_}"}}]}}"#
            )
        };
        assert_eq!(digest(&entry("Known")), digest(&entry("Unknown")));
    }
}
