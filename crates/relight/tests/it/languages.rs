//! What holds for every command: languages, errors of arguments, colours, closed pipes.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use expect_test::expect;

use crate::place::Place;

#[test]
fn the_help_is_whole_in_both_languages() {
    let place = Place::new();
    expect![[r#"
        See what is affected, take sites dark, prove it, bring each back when it is proven clean.

        Usage: relight [OPTIONS] <COMMAND>

        Commands:
          scan         List what is in folders and files, and what is known about it
          sbom         Write and read inventories
          sites        Keep the register of sites
          affected     Which sites are affected, which are clear, which are unknown
          advisories   Keep advisories up to date and look at them
          incident     Run an incident, from the alarm to the last light
          edge         Keep the edges that switch the sites
          watch        Find in logs who was looking for open doors
          demo         December 2021 in a fictional province, from the first alarm to the last light
          audit        Check the audit log
          completions  Print the completion script of a shell
          help         Show the help of a command

        Global options:
              --data <DIR>    Data folder; /var/lib/relight for root, else relight in your folder for data
                              [env: RELIGHT_DATA]
              --json          JSON instead of text
              --lang <LANG>   Language of texts; else RELIGHT_LANG and the locale decide [values: fr, en]
              --color <WHEN>  Colours; NO_COLOR and CLICOLOR_FORCE count with auto [values: auto, always,
                              never] [default: auto]
              --no-progress   Draw no progress
          -q, --quiet         Only data and what went wrong
          -h, --help          Show this help
          -V, --version       Show the version
        --- stderr
        --- status 0
    "#]].assert_eq(&place.run(&["--help"]).text());
    expect![[r#"
        Voir ce qui est touché, éteindre les sites, le prouver, rallumer chacun une fois prouvé sain.

        Utilisation : relight [OPTIONS] <COMMANDE>

        Commandes :
          scan         Dresser la liste de ce que contiennent dossiers et fichiers, et de ce qu’on en sait
          sbom         Écrire et lire des inventaires
          sites        Tenir le registre des sites
          affected     Quels sites sont touchés, lesquels sont hors de cause, lesquels sont inconnus
          advisories   Tenir les avis à jour et les consulter
          incident     Mener un incident, de l’alarme à la dernière lumière
          edge         Tenir les frontaux qui commandent les sites
          watch        Trouver dans les journaux qui cherchait des portes ouvertes
          demo         Décembre 2021 dans une province fictive, de la première alarme à la dernière lumière
          audit        Vérifier le journal d’audit
          completions  Écrire le script de complétion d’un interpréteur
          help         Montrer l’aide d’une commande

        Options générales :
              --data <DOSSIER>  Dossier de données; /var/lib/relight pour root, sinon relight dans votre
                                dossier de données [variable : RELIGHT_DATA]
              --json            Du JSON au lieu de texte
              --lang <LANGUE>   Langue des textes; sinon RELIGHT_LANG et la locale décident [valeurs : fr,
                                en]
              --color <QUAND>   Couleurs; NO_COLOR et CLICOLOR_FORCE comptent avec auto [valeurs : auto,
                                always, never] [par défaut : auto]
              --no-progress     Ne pas dessiner la progression
          -q, --quiet           Seulement les données et ce qui a mal tourné
          -h, --help            Montrer cette aide; aussi --aide
          -V, --version         Montrer la version
        --- stderr
        --- status 0
    "#]].assert_eq(&place.run(&["--aide", "--lang", "fr"]).text());
}

#[test]
fn the_help_of_a_command_is_found_in_both_ways() {
    let place = Place::new();
    expect![[r#"
        Éteindre des sites, et attendre la preuve

        Utilisation : relight incident off [OPTIONS] --sites <REQUÊTE> --reason <TEXTE>

        Options :
              --sites <REQUÊTE>  Quels sites : affected or unknown, org:… sector:…, avec or, not et
                                 parenthèses
              --incident <ID>    Quel incident, si plusieurs sont ouverts
              --dry-run          Montrer le plan et son empreinte, ne rien changer
              --yes              Ne pas demander de confirmation
              --reason <TEXTE>   Pourquoi; consigné au journal

        Options générales :
              --data <DOSSIER>  Dossier de données; /var/lib/relight pour root, sinon relight dans votre
                                dossier de données [variable : RELIGHT_DATA]
              --json            Du JSON au lieu de texte
              --lang <LANGUE>   Langue des textes; sinon RELIGHT_LANG et la locale décident [valeurs : fr,
                                en]
              --color <QUAND>   Couleurs; NO_COLOR et CLICOLOR_FORCE comptent avec auto [valeurs : auto,
                                always, never] [par défaut : auto]
              --no-progress     Ne pas dessiner la progression
          -q, --quiet           Seulement les données et ce qui a mal tourné
          -h, --help            Montrer cette aide; aussi --aide
        --- stderr
        --- status 0
    "#]].assert_eq(&place.run(&["incident", "off", "--lang=fr", "-h"]).text());
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
          erreur : --set <KEY=VALUE> ne peut pas être « novalue »
        affected a b
          erreur : option inconnue « b »
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
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.expect(0, &["completions", shell]).stdout.contains("affected"), "{shell}");
    }
    assert_eq!(place.expect(0, &["--version"]).stdout, "relight 0.1.0\n");
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
