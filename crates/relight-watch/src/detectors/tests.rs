//! Runs the detectors over their fixtures.

use std::fmt::Write as _;

use super::*;

/// Every detector fixture is a folder of logs named `org-site.log`. Each is one window; merged in
/// both orders they must be the same bytes and give the expected detections.
pub(crate) fn check(name: &str, detector: &dyn Detector) {
    assert_eq!(name, detector.name());
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let mut out = String::new();
        let windows: Vec<Window> =
            case.files.iter().map(|(file, bytes)| window(file, bytes, &mut out)).collect();
        let forth = merged(windows.iter());
        assert_eq!(forth.to_bytes(), merged(windows.iter().rev()).to_bytes(), "{}", case.name);
        for summary in summaries(&forth) {
            if let Some(found) = detector.judge(&summary) {
                let _ = writeln!(out, "{found:#?}");
            }
        }
        out
    });
}

fn merged<'a>(windows: impl Iterator<Item = &'a Window>) -> Window {
    let mut pool = Window::new(0);
    windows.for_each(|window| pool.merge(window));
    pool
}

fn window(file: &str, bytes: &[u8], out: &mut String) -> Window {
    let (org, site) = file.strip_suffix(".log").unwrap().split_once('-').unwrap();
    let feed = crate::Feed {
        org: OrgId(org.parse().unwrap()),
        site: Some(SiteId(site.parse().unwrap())),
        host: format!("site{site}.example.test"),
    };
    let mut window = Window::new(path_class::hash(file));
    let parser = crate::parsers::named("combined").unwrap();
    for (number, line) in crate::line::Lines::new(bytes).enumerate() {
        match parser.parse(&feed, &line) {
            Ok(event) => window.observe(&event),
            Err(code) => {
                let _ = writeln!(out, "{file}:{} refused: {code}", number + 1);
            }
        }
    }
    window
}
