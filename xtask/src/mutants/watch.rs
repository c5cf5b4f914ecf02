//! Faults of the watch: what would let a slow actor go, or say more than the logs do.

use super::{Mutant, mutant};

/// Each in the form that it would take here.
pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "each organisation is judged alone",
        "detectors/slow_sweep.rs",
        "filter(|contact| contact.class.counts()).copied()",
        "filter(|it| it.class.counts() && it.org == summary.contacts[0].org).copied()",
    ),
    mutant(
        "events count, and not contacts",
        "window.rs",
        "        let Knock { kind, door, text } = knock;\n",
        "        let Knock { kind, door, text } = knock;
        let door = door ^ event.at.cast_unsigned();\n",
    ),
    mutant(
        "ordinary visits count against",
        "detectors/slow_sweep.rs",
        ".map(|detection| less_of_many(detection, summary.homes))",
        ".map(|detection| less_of_many(detection, 100 * summary.homes))",
    ),
    mutant(
        "a new quarter forgets the old one",
        "detectors/slow_sweep.rs",
        ".copied().collect();\n        let doors",
        ".copied().collect();
        let quarter = |at: i64| at.div_euclid(7_889_400);
        let last = contacts.last().map_or(0, |it: &super::Contact<'_>| quarter(it.first));
        let contacts: Vec<_> =
            contacts.into_iter().filter(|it| quarter(it.first) == last).collect();
        let doors",
    ),
    mutant(
        "a pseudonym needs no key",
        "shared.rs",
        "Hmac::<Sha256>::new_from_slice(self.key)",
        "Hmac::<Sha256>::new_from_slice(&[0; KEY_BYTES])",
    ),
    mutant(
        "a site of which nobody knows what it runs runs nothing",
        "severity/matched.rs",
        "Exposure::Unknown => answer = Exposure::Unknown,",
        "Exposure::Unknown => {}",
    ),
    mutant(
        "an attempt is a sign of success",
        "severity.rs",
        "    if !campaign.signs.is_empty() {\n",
        "    if !campaign.signs.is_empty() || campaign.severity >= Severity::ExploitAttempt {\n",
    ),
    mutant(
        "a site of which nobody knows its exposure had the flaw",
        "severity.rs",
        "let affected = |attempt: &Attempt| attempt.exposure == Exposure::Affected;",
        "let affected = |attempt: &Attempt| attempt.exposure != Exposure::Clear;",
    ),
    mutant(
        "a forwarded header is believed from its left",
        "parsers.rs",
        "let parts = forwarded.rsplit(',')",
        "let parts = forwarded.split(',')",
    ),
    mutant(
        "an escaped escape goes past the first look",
        "prefilter.rs",
        "&[b\"24\", b\"25\", b\"26\", b\"5c\", b\"u\"]",
        "&[b\"24\", b\"26\", b\"5c\", b\"u\"]",
    ),
    mutant(
        "an own scanner may attack anybody",
        "known.rs",
        "self.reason.may_attack() && self.scope.is_some()",
        "self.reason.may_attack()",
    ),
];
