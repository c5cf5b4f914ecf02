//! What holds for every command: languages, errors of arguments, colours, closed pipes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use expect_test::expect;

use crate::place::Place;

#[test]
fn the_help_is_whole_in_both_languages() {
    let place = Place::new();
    place.run(&["--help"]).matches("help-en");
    place.run(&["--aide", "--lang", "fr"]).matches("help-fr");
}

#[test]
fn the_help_of_a_command_is_found_in_both_ways() {
    let place = Place::new();
    place.run(&["incident", "off", "--lang=fr", "-h"]).matches("help-incident-off-fr");
    let a = place.expect(0, &["help", "incident", "off", "--lang=fr"]).stdout;
    assert!(a.starts_with("Éteindre des sites, et attendre la preuve\n"), "{a}");
}

#[test]
fn the_environment_chooses_the_language_and_an_option_wins() {
    let place = Place::new();
    let french = "erreur\u{a0}: commande inconnue «\u{a0}zzz\u{a0}»\n";
    let english = "error: unknown command “zzz”\n";
    for (variables, first) in [
        (&[("LC_ALL", "C")][..], english),
        (&[("LANG", "fr_CA.UTF-8")], french),
        (&[("LANG", "fr_CA.UTF-8"), ("RELIGHT_LANG", "en")], english),
        (&[], english),
    ] {
        let said = place.run_with(&["zzz"], variables).stderr;
        assert!(said.starts_with(first), "{variables:?}: {said}");
    }
    let said = place.run_with(&["--lang", "en", "zzz"], &[("LANG", "fr")]).stderr;
    assert!(said.starts_with(english));
    let said = place.run_with(&["zzz", "--lang=fr"], &[("LANG", "en")]).stderr;
    assert!(said.starts_with(french));
}

#[test]
fn arguments_that_cannot_be_used_are_told_in_words() {
    let place = Place::new();
    let mut text = String::new();
    for arguments in [
        &["afected", "X"][..],
        &["scan", "--jsn", "x"],
        &["scan"],
        &["scan", "x", "--fail-on", "hgh"],
        &["scan", "x", "--fail-on"],
        &["scan", "x", "--depth", "deep"],
        &["sites"],
        &["--lang", "de", "scan", "x"],
        &["edge", "add", "builtin", "--name", "a", "--gate", "g", "--listen", "here"],
        &[
            "edge",
            "add",
            "builtin",
            "--name",
            "a",
            "--gate",
            "g",
            "--listen",
            "1.2.3.4:5",
            "--set",
            "novalue",
        ],
        &["affected", "a", "b"],
        &["help", "nothing"],
    ] {
        let outcome = place.expect(2, &[arguments, &["--lang", "fr"]].concat());
        assert_eq!(outcome.stdout, "");
        let first = outcome.stderr.lines().next().unwrap().to_owned();
        text.push_str(&format!("{}\n  {first}\n", arguments.join(" ")));
    }
    expect![[r#"
        afected X
          erreur : commande inconnue « afected »
        scan --jsn x
          erreur : option inconnue « --jsn »
        scan
          erreur : il manque : <CIBLE>...
        scan x --fail-on hgh
          erreur : --fail-on <NIVEAU> ne peut pas être « hgh »
        scan x --fail-on
          erreur : il faut une valeur à --fail-on <NIVEAU>
        scan x --depth deep
          erreur : --depth <N> ne peut pas être « deep »
        sites
          erreur : il manque une commande
        --lang de scan x
          erreur : --lang <LANGUE> ne peut pas être « de »
        edge add builtin --name a --gate g --listen here
          erreur : --listen <ADRESSE>... ne peut pas être « here »
        edge add builtin --name a --gate g --listen 1.2.3.4:5 --set novalue
          erreur : --set <CLÉ=VALEUR> ne peut pas être « novalue »
        affected a b
          erreur : « b » est un mot de trop
        help nothing
          erreur : commande inconnue « nothing »
    "#]]
    .assert_eq(&text);
}

#[test]
fn colours_only_where_asked_for() {
    let place = Place::with_sites();
    let list = |arguments: &[&str], variables: &[(&str, &str)]| {
        place.run_with(&[&["sites", "list"], arguments].concat(), variables).stdout
    };
    assert!(!list(&[], &[]).contains('\u{1b}'), "a pipe");
    assert!(list(&["--color", "always"], &[("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(list(&[], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!list(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(!list(&["--color=never"], &[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    let help = place.run_with(&["--help", "--color=always"], &[]).stdout;
    assert!(help.contains('\u{1b}'));
}

/// A reader that leaves early is no failure.
#[test]
fn a_closed_pipe_is_success() {
    let place = Place::new();
    let mut csv = String::from("slug,origin,organisation\n");
    for site in 0..3_000 {
        csv.push_str(&format!("site-{site},https://site{site}.example,Province\n"));
    }
    place.write("sites.csv", csv);
    place.expect(0, &["sites", "import", "sites.csv"]);
    let mut command = place.command(&["sites", "list", "--limit", "3000", "--json"], &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(first, "{\n");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn completions_and_version() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "nushell", "elvish", "powershell"] {
        assert!(place.expect(0, &["completions", shell]).stdout.contains("affected"), "{shell}");
    }
    assert_eq!(place.expect(0, &["--version"]).stdout, "relight 0.1.0\n");
}

/// Goal: packages have pages of both languages, made by the program that they tell of.
#[test]
fn manual_pages_are_written_where_man_looks_for_them() {
    let place = Place::new();
    let told = place.expect(0, &["man", "share"]).stdout;
    for (page, part) in [
        ("man1/relight.1", ".SH \"GLOBAL OPTIONS\"\n"),
        ("man1/relight-incident-off.1", "relight\\-incident\\-off \\- Take sites dark"),
        ("fr/man1/relight-incident-off.1", "\\- Éteindre des sites"),
        ("fr/man1/relight.1", ".SH \"CODE DE RETOUR\"\n"),
    ] {
        let text = fs::read_to_string(place.path("share").join(page)).unwrap();
        assert!(text.starts_with(".TH \"RELIGHT") && text.contains(part), "{page}: {text}");
    }
    let pages = |folder: &str| fs::read_dir(place.path(folder)).unwrap().count();
    let (english, french) = (pages("share/man1"), pages("share/fr/man1"));
    assert_eq!(english, french);
    assert_eq!(told, format!("{} pages in share\n", english + french));
    place.write("file", "");
    assert!(place.expect(1, &["man", "file"]).stderr.contains("hint: "));
}

/// Goal: every error says what, where, and the next command. Method: errors of all kinds, in both
/// languages: what was meant stands in the first line, and what to do in the last one.
#[test]
fn whatever_fails_names_what_to_do_next() {
    let place = Place::with_sites();
    place.write("full/a", "");
    place.write("shared", "no head\n");
    place.write("broken.json", "{");
    let mut wrong = Vec::new();
    for (status, arguments, part) in [
        (2, &["help", "nothing"][..], "nothing"),
        (2, &["scna"], "scna"),
        (2, &["scan", "x", "--fail-on", "hgh"], "hgh"),
        (2, &["scan", "a", "b", "--site", "san-001"], "--site"),
        (2, &["sbom", "import", "a", "b", "--site", "san-001"], "--site"),
        (2, &["watch", "simulate", "full"], "full"),
        (2, &["edge", "add", "builtin", "--name", "a", "--gate", "g", "--listen", "here"], "here"),
        (2, &["sites", "list", "crt<=2"], "crt"),
        (1, &["login", "--server", "http://relight.example"], ""),
        (1, &["scan", "nowhere"], "nowhere"),
        (1, &["sbom", "lint", "broken.json"], "broken.json"),
        (1, &["sites", "show", "nowhere"], "nowhere"),
        (1, &["sites", "import", "nowhere.csv"], "nowhere.csv"),
        (1, &["watch", "pool", "shared", "shared"], "shared"),
        (1, &["advisories", "show", "CVE-1999-0000"], "CVE-1999-0000"),
        (4, &["incident", "open", "CVE-1999-0000"], ""),
        (1, &["incident", "status", "CVE-1999-0000"], "CVE-1999-0000"),
        (1, &["edge", "test", "nowhere"], "nowhere"),
        (1, &["watch", "explain", "C-1"], "C-1"),
        (1, &["audit", "verify", "nowhere"], "nowhere"),
        (4, &["incident", "off", "--sites", "all", "--reason", "x", "--yes"], ""),
    ] {
        for (lang, error, next) in [
            ("en", "error: ", ["hint: ", "For more: "]),
            ("fr", "erreur\u{a0}: ", ["conseil\u{a0}: ", "Pour en savoir plus\u{a0}: "]),
        ] {
            let told = place.run(&[arguments, &["--lang", lang]].concat());
            let first = told.stderr.lines().find(|line| line.starts_with(error));
            let last = told.stderr.lines().next_back().unwrap_or_default();
            let step = next.iter().find_map(|label| last.strip_prefix(label));
            let is_told = first.is_some_and(|it| it.contains(part))
                && step.is_some_and(|it| it.len() > 8)
                && told.status == status;
            if !is_told {
                wrong.push(format!("{arguments:?}: {}", told.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn quiet_leaves_data_and_errors() {
    let place = Place::with_sites();
    place.write("app/a.txt", "");
    let loud = place.expect(0, &["scan", "app", "--site", "san-001"]);
    let quiet = place.expect(0, &["scan", "app", "--site", "san-001", "--quiet"]);
    assert_eq!((loud.stdout, quiet.stderr.as_str()), (quiet.stdout, ""));
    assert_eq!(loud.stderr, "inventory of san-001 stored\n");
}
