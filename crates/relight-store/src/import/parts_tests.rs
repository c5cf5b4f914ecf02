//! Parts of sites in an import: kept in one form, and under keys of their own.

use relight_model::{GateKey, SitePart};

use super::{Conflict, SITE_PARTS_MAX, SiteRow};
use crate::Store;
use crate::testing::{import, open, rows};

/// Sites added, changed and untouched by an import of these rows.
fn planned(store: &Store, rows: &[SiteRow]) -> [usize; 3] {
    let plan = store.plan_import(rows).unwrap();
    [plan.added.len(), plan.changed.len(), plan.untouched.len()]
}

fn with_parts(row: &SiteRow, parts: &[&str]) -> SiteRow {
    let parts = parts.iter().map(|part| SitePart::parse(part).unwrap()).collect();
    SiteRow { parts: Some(parts), ..row.clone() }
}

fn parts(store: &Store) -> Vec<String> {
    let of = |site: relight_model::Site| {
        site.parts.iter().map(SitePart::to_string).collect::<Vec<_>>().join(" ")
    };
    store.sites().unwrap().into_iter().map(of).collect()
}

#[test]
fn parts_are_kept_in_one_way_and_left_where_a_file_says_nothing_of_them() {
    let (_folder, store) = open();
    let plain = rows(2);
    let parted = with_parts(&plain[0], &["@write", "booking=/booking", "@write"]);
    import(&store, &[parted.clone(), plain[1].clone()]);
    assert_eq!(parts(&store), ["booking=/booking @write", ""]);
    assert_eq!(planned(&store, &[parted]), [0, 0, 1]);
    assert_eq!(planned(&store, &plain), [0, 0, 2]);
    import(&store, &[with_parts(&plain[0], &["booking=/rdv"])]);
    assert_eq!(parts(&store), ["booking=/rdv", ""]);
    let change = store.register_changes(0).unwrap().pop().unwrap();
    assert!(change.before.ends_with("\tbooking=/booking @write"), "{}", change.before);
    import(&store, &[with_parts(&plain[0], &[])]);
    assert_eq!(parts(&store), ["", ""]);
}

/// How else a service is reached is kept as it is told, left where a file says nothing of it, taken
/// away by an empty cell, and written down beside parts that there are not.
#[test]
fn a_channel_is_kept_and_left_where_a_file_says_nothing_of_it() {
    let (_folder, store) = open();
    let plain = rows(2);
    let told = |fr: &str, en: &str| SiteRow {
        channel_fr: Some(fr.into()),
        channel_en: Some(en.into()),
        ..plain[0].clone()
    };
    let channels = || {
        let sites = store.sites().unwrap().into_iter();
        sites.map(|site| format!("{}|{}", site.channel.fr, site.channel.en)).collect::<Vec<_>>()
    };
    let both = told("Téléphone : 1 800 555-0100", "Counter");
    import(&store, &[both.clone(), plain[1].clone()]);
    assert_eq!(channels(), ["Téléphone : 1 800 555-0100|Counter", "|"]);
    assert_eq!(planned(&store, &[both]), [0, 0, 1]);
    assert_eq!(planned(&store, &plain), [0, 0, 2]);
    // An English office sends its numbers alone.
    import(&store, &[SiteRow { channel_fr: None, ..told("", "Desk") }]);
    assert_eq!(channels(), ["Téléphone : 1 800 555-0100|Desk", "|"]);
    import(&store, &[told("", "Counter")]);
    assert_eq!(channels(), ["|Counter", "|"]);
    let change = store.register_changes(0).unwrap().pop().unwrap();
    let ends = "\t\tTéléphone : 1 800 555-0100\tDesk";
    assert!(change.before.ends_with(ends), "{:?}", change.before);
    assert!(change.after.ends_with("\t\t\tCounter"), "{:?}", change.after);
    import(&store, &[told("", "")]);
    assert_eq!(channels(), ["|", "|"]);
}

#[test]
fn no_key_is_a_part_and_a_site_and_no_name_two_parts() {
    let (_folder, store) = open();
    let plain = rows(2);
    let named = |slug: &str| SiteRow { slug: GateKey::new(slug).unwrap(), ..plain[1].clone() };
    let part = |row| with_parts(row, &["booking=/b"]);
    let twice = |part: &str| Conflict::PartTwice { part: part.to_owned() };
    let two = with_parts(&plain[0], &["a=/x", "a=/y"]);
    assert_eq!(two.checked(), Err(twice("a=/y")));
    let long = with_parts(&named(&"a".repeat(128)), &["@write"]);
    assert_eq!(long.checked(), Err(twice("@write")));
    let many: Vec<String> = (0..=SITE_PARTS_MAX).map(|n| format!("p{n}=/p{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(with_parts(&plain[0], &many[..SITE_PARTS_MAX]).checked().is_ok());
    assert_eq!(with_parts(&plain[0], &many).checked(), Err(Conflict::TooManyParts));
    // In one file, in either order of the lines; then against what the register holds.
    let both = [part(&plain[0]), named("site-0.booking")];
    let refused = |rows: &[SiteRow]| {
        let conflicts = store.plan_import(rows).unwrap().conflicts;
        conflicts.into_iter().map(|it| it.conflict).collect::<Vec<_>>()
    };
    let of = Conflict::SlugOfPart { of: plain[0].slug.clone() };
    assert_eq!(refused(&both), [twice("site-0.booking"), of.clone()]);
    import(&store, &both[..1]);
    assert_eq!(refused(&both[1..]), [of]);
    assert_eq!(parts(&store), ["booking=/b"]);
}
