//! A document of advisories in any form: what it says is matched, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_formats::advisory::{Input, matching_digest, read, read_kept};
use relight_match::Advisories;

fuzz_target!(|bytes: &[u8]| {
    let reading = read(&Input::whole("", "fuzz", bytes));
    for record in &reading.records {
        matching_digest(&record.advisory);
        // What is kept of a record reads back as that record.
        let kept = record.kept(bytes);
        let again = read_kept(&record.advisory.source, &record.advisory.id, kept);
        assert!(again.is_some(), "{} is lost", record.advisory.id);
    }
    Advisories::new(reading.records.into_iter().map(|it| it.advisory).collect());
});
