//! What the whole page says and does not say.

#[expect(dead_code, reason = "the tests of the commands need more of it")]
#[path = "../../../relight/tests/it/schema_check.rs"]
mod schema_check;

use relight_engine::live::{Board, Headline};
use relight_model::DisplayState;

use super::certificate::{Certificates, Signer};
use super::*;
use crate::access::secret::decode;

fn board() -> Board {
    let sectors = words::SECTORS;
    let site = |at: usize| BoardSite {
        sector: sectors[at % sectors.len()].into(),
        organisation: format!("Organisme {}", at % 304),
        slug: format!("site-{at:04}"),
        name_fr: format!("Service numéro {at}"),
        name_en: format!("Service number {at}"),
        public: at % 10 != 3,
        channel: Default::default(),
    };
    Board::new(Headline::default(), (0..3992).map(site).collect())
}

fn identity() -> Identity {
    Identity {
        langs: Lang::ALL.to_vec(),
        url: "https://etat.example/".into(),
        stage: Stage::Real,
        theme: Theme::Neutral,
    }
}

/// Goal: a language that is not published is nowhere. Method: every file of a page in French, with
/// an outage that is over.
#[test]
fn a_page_in_one_language_leads_to_no_other() {
    let board = board();
    board.set_at(60, &[(0, DisplayState::Dark, true), (1, DisplayState::Dark, true)]);
    board.set_at(120, &[(0, DisplayState::Online, false)]);
    let identity = Identity { langs: vec![Lang::Fr], ..identity() };
    let proofs = board.proofs();
    let mut seen = Seen::of(&proofs.sites, &proofs, 7_200);
    let place = tempfile::tempdir().unwrap();
    let signer = Signer::load_or_create(&place.path().join("key")).unwrap();
    let mut certificates = Certificates::new(signer, &identity);
    certificates.issue(&seen.past, usize::MAX).unwrap();
    seen.link(&certificates);
    let mut all = files(&seen, &identity, 7_200).unwrap();
    all.extend(certificates.files().iter().map(|(path, file)| (path.clone(), file.clone())));
    for (path, bytes) in all.iter().filter(|(path, _)| !path.starts_with("assets/")) {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(!path.starts_with("en/") && !text.contains("/en/"), "{path}");
        assert!(!text.contains("lang=\"en\""), "{path}");
    }
    assert_eq!(all["index.html"], all["fr/index.html"]);
}

/// Every file of a board at a fixed time, under a fixed key.
pub(super) fn export(board: &Board, certificates: &mut Certificates) -> Files {
    export_with(board, certificates, usize::MAX)
}

/// The same with so many new certificates.
fn export_with(board: &Board, certificates: &mut Certificates, most: usize) -> Files {
    let proofs = board.proofs();
    let mut seen = Seen::of(&proofs.sites, &proofs, 7_200);
    certificates.issue(&seen.past, most).unwrap();
    seen.link(certificates);
    let mut files = files(&seen, &identity(), 7_200).unwrap();
    files.extend(certificates.files().iter().map(|(path, file)| (path.clone(), file.clone())));
    files
}

pub(super) fn certificates() -> Certificates {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("key");
    std::fs::write(&path, [7; 32]).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).unwrap();
    Certificates::new(Signer::load_or_create(&path).unwrap(), &identity())
}

fn set(board: &Board, at: i64, proven: &[bool], states: impl Fn(usize, bool) -> DisplayState) {
    let changes: Vec<_> =
        proven.iter().enumerate().map(|(site, dark)| (site, states(site, *dark), *dark)).collect();
    board.set_at(at, &changes);
}

/// Goal: nobody can tell from the page what is vulnerable. Method: two registers live through the
/// same proofs, one without any verdict, one with verdicts, steps and alarms at random; their
/// exports are the same to the byte. A proof that differs is seen.
#[test]
fn registers_that_differ_in_verdicts_only_have_equal_exports() {
    use DisplayState::{Affected, Analysing, Dark, DarkRequested, Exposed, Fixing, Online};
    use DisplayState::{RelitFixed, Verifying};
    for seed in [44_228, 45_046, 45_105] {
        let mut rng = testkit::Rng::new(seed);
        let (calm, storm) = (board(), board());
        let mut proven = vec![false; 3992];
        for round in 0..3 {
            for dark in &mut proven {
                *dark = rng.below(3) == 0;
            }
            let at = 60 * round;
            set(&calm, at, &proven, |_, dark| if dark { Dark } else { Online });
            let turn = rng.below(20);
            set(&storm, at, &proven, |site, dark| match dark {
                true => [Verifying, Fixing, Affected, Analysing, Dark][(site + turn) % 5],
                false => [DarkRequested, Exposed, RelitFixed, Online][(site + turn) % 4],
            });
        }
        storm.log(0, "log-exposed", vec!["site-0001".into()]);
        let headline = |title: &str| Headline { id: title.into(), title: title.into(), opened: 0 };
        calm.set_headline(headline("CVE-2000-0001"));
        storm.set_headline(headline("CVE-2021-44228"));
        assert_ne!(calm.snapshot().states, storm.snapshot().states, "seed {seed}");
        let one = export(&calm, &mut certificates());
        assert!(one == export(&storm, &mut certificates()), "seed {seed}");
        let text: Vec<u8> = one.values().flat_map(|bytes| bytes.to_vec()).collect();
        assert!(!String::from_utf8(text).unwrap().contains("CVE-"), "seed {seed}");
        let shown = storm.sites().iter().position(|site| site.public).unwrap();
        proven[shown] = !proven[shown];
        set(&storm, 240, &proven, |_, dark| if dark { Dark } else { Online });
        assert!(one != export(&storm, &mut certificates()), "seed {seed}");
    }
}

#[test]
fn a_site_that_is_not_public_is_not_there() {
    let board = board();
    board.set_at(60, &[(0, DisplayState::Dark, true)]);
    let hidden = board.sites().iter().position(|site| !site.public).unwrap();
    board.set_at(60, &[(hidden, DisplayState::Dark, true)]);
    board.set_at(90, &[(hidden, DisplayState::Online, false)]);
    let slug = &board.sites()[hidden].slug.clone();
    for (path, bytes) in export(&board, &mut certificates()) {
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(!path.contains(slug) && !text.contains(slug.as_str()), "{path}");
    }
}

#[test]
fn the_first_view_is_small_and_needs_no_script() {
    let board = board();
    board.set_at(60, &[(0, DisplayState::Dark, true)]);
    let files = export(&board, &mut certificates());
    let style = relight_web::assets::ASSETS.iter().find(|a| a.file == "public.css").unwrap();
    for path in ["index.html", "fr/index.html", "en/index.html"] {
        let size = files[path].len() + style.text.len();
        assert!(size <= 30_000, "{path}: {size}");
    }
    // Only the page with the search has a module, and a list that does the same.
    for (path, bytes) in &files {
        let has = std::str::from_utf8(bytes).unwrap().contains("<script");
        assert_eq!(has, path.ends_with("/a-z/index.html"), "{path}");
    }
}

#[test]
fn every_file_carries_the_same_time_but_certificates_that_never_change() {
    let board = board();
    let site = board.index_of("site-0000").unwrap();
    board.set_at(60, &[(site, DisplayState::Dark, true)]);
    board.set_at(120, &[(site, DisplayState::Online, false)]);
    let mut certificates = certificates();
    let files = export(&board, &mut certificates);
    let timeless = |path: &str| path.starts_with("certificates/") || path.starts_with("assets/");
    for (path, bytes) in files.iter().filter(|(path, _)| !timeless(path)) {
        assert!(std::str::from_utf8(bytes).unwrap().contains("1970-01-01T02:00:00Z"), "{path}");
    }
    let id = "certificates/site-0000-19700101T000100Z.json";
    assert_eq!(export(&board, &mut certificates)[id], files[id]);
}

/// Certificates come after the page: until its own is there, a service leads to none.
#[test]
fn links_lead_to_files() {
    let board = board();
    let shown: Vec<usize> = (0..8).filter(|at| board.sites()[*at].public).collect();
    let set = |at, state: DisplayState, dark| {
        board.set_at(at, &shown.iter().map(|site| (*site, state, dark)).collect::<Vec<_>>());
    };
    set(60, DisplayState::Dark, true);
    set(120, DisplayState::Online, false);
    let mut certificates = certificates();
    for issued in [0, 1, 3, 7, 7] {
        let most = issued - (certificates.files().len() - 1) / 2;
        let files = export_with(&board, &mut certificates, most);
        assert_eq!(certificates.files().len(), 1 + 2 * issued, "and the key");
        let leading = check_links(&files);
        // A service stands in its sector and under its letter, in both languages.
        assert_eq!(leading, 4 * issued);
    }
}

/// How many links lead to certificates.
fn check_links(files: &Files) -> usize {
    let mut leading = 0;
    for (path, bytes) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        let html = std::str::from_utf8(bytes).unwrap();
        let named = html.split("href=\"/").skip(1).chain(html.split("src=\"/").skip(1));
        for href in named.map(|rest| rest.split('"').next().unwrap()) {
            let folder = href.is_empty() || href.ends_with('/');
            let file = if folder { format!("{href}index.html") } else { href.to_owned() };
            assert!(files.contains_key(&file), "{path}: /{href}");
            let is_page = !path.starts_with("certificates/");
            leading += usize::from(is_page && href.starts_with("certificates/"));
        }
    }
    leading
}

/// What is no longer shown is forgotten; what is shown is issued once.
#[test]
fn certificates_are_issued_once_and_forgotten_with_their_outage() {
    let board = board();
    board.set_at(60, &[(0, DisplayState::Dark, true), (1, DisplayState::Dark, true)]);
    board.set_at(120, &[(0, DisplayState::Online, false), (1, DisplayState::Online, false)]);
    let mut certificates = certificates();
    let proofs = board.proofs();
    let seen = Seen::of(&proofs.sites, &proofs, 7_200);
    let mut counts = |outages: &[_]| {
        let issued = certificates.issue(outages, 1).unwrap();
        (issued.new.len(), issued.left, certificates.files().len())
    };
    assert_eq!(counts(&seen.past), (2, 1, 3));
    assert_eq!(counts(&seen.past), (2, 0, 5));
    assert_eq!(counts(&seen.past), (0, 0, 5));
    assert_eq!(counts(&seen.past[1..]), (0, 0, 3));
    assert_eq!(counts(&[]), (0, 0, 1));
}

#[test]
fn sectors_are_in_the_order_of_the_alphabet() {
    let board = board();
    let proofs = board.proofs();
    let seen = Seen::of(&proofs.sites, &proofs, 0);
    let names: Vec<&str> =
        seen.sectors(Lang::Fr).into_iter().map(|code| words::sector(Lang::Fr, code)).collect();
    let at = |name: &str| names.iter().position(|n| *n == name);
    assert_eq!(names.len(), 24);
    assert!(at("Culture") < at("Économie") && at("Économie") < at("Famille"), "{names:?}");
}

/// Goal: a program that reads the page checks what it reads by the name in it. Method: every
/// document of a page with outages, with words and with certificates, and what those certify.
#[test]
fn every_document_is_what_the_schema_of_its_name_says() {
    let board = board();
    let public: Vec<usize> = (0..9).filter(|at| board.sites()[*at].public).collect();
    board.begin("CVE-2021-44228", 60, [board.sites()[public[0]].slug.as_str()]);
    board.set_at(
        60,
        &[(public[0], DisplayState::Dark, true), (public[1], DisplayState::Dark, true)],
    );
    let words = Words { at: 90, fr: "Bonjour".into(), en: "Hello".into(), ..Words::default() };
    board.say(words);
    let mut checked = std::collections::BTreeSet::new();
    let mut check = |path: &str, document: &serde_json::Value| {
        let name = document["schema"].as_str().unwrap_or_else(|| panic!("{path} has no schema"));
        let schema = &schema_check::schemas()[name];
        let faults = schema_check::faults(schema, schema, document, "");
        assert!(faults.is_empty(), "{path}: {faults:#?}");
        checked.insert(name.to_owned());
    };
    for back in [0, 1, 2] {
        let back: Vec<_> =
            public[..back].iter().map(|at| (*at, DisplayState::Online, false)).collect();
        board.set_at(120, &back);
        let files = export(&board, &mut certificates());
        let is_ours = |path: &str| path.ends_with(".json") && path != "certificates/key.json";
        for (path, bytes) in files.iter().filter(|(path, _)| is_ours(path)) {
            let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            if let Some(payload) = document["payload"].as_str() {
                let payload = serde_json::from_slice(&decode(payload).unwrap()).unwrap();
                check(path, &payload);
            }
            let is_feed = path.ends_with("feed.json");
            check(path, if is_feed { &document["_relight"] } else { &document });
        }
    }
    let all = ["feed", "outage", "outage-jws", "public-components", "public-incidents"]
        .into_iter()
        .chain(["public-status", "public-summary", "services"]);
    assert_eq!(checked, all.map(|name| format!("relight.{name}/1")).collect());
}
