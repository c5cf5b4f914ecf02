//! What files and variables set, what wins, and what is refused.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn read(folder: &TempDir, text: &str, more: &[(&str, &str)]) -> (Settings, Option<Wrong>) {
    let path = folder.path().join("own.toml");
    fs::write(&path, text).unwrap();
    let variables = more.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    let arguments = ["relight", "--config", path.to_str().unwrap(), "status"].map(OsString::from);
    Settings::read(&arguments, &variables.collect())
}

fn told(text: &str, more: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (_, wrong) = read(&folder, text, more);
    let failure = wrong.expect("it is wrong").failure(Lang::En);
    let text = format!("{}\n{}", failure.message, failure.hint.unwrap_or_default());
    text.replace(folder.path().to_str().unwrap(), "DIR")
}

#[test]
fn a_variable_wins_over_a_file_and_both_say_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let text = "lang = \"fr\"\n\n[scan]\ndepth = 1_0\nexclude = [\"*.iso\"]\nfollow = true\n";
    let variables = [
        ("RELIGHT_SCAN__DEPTH", "7"),
        ("RELIGHT_SCAN__REDACT_PATHS", "[\"a=b\", \"c=d\"]"),
        ("RELIGHT_SERVICE_HOST", "10.0.0.1"),
        ("RELIGHT_PORT_8420_TCP", "tcp://10.0.0.1:8420"),
        ("OTHER_SCAN__DEPTH", "x"),
    ];
    let (settings, wrong) = read(&folder, text, &variables);
    assert!(wrong.is_none(), "{wrong:?}");
    let of = |name: &str| &settings.values[name];
    assert_eq!(of("scan.depth").words, ["7"]);
    assert_eq!(of("scan.depth").origin, Origin::Variable("RELIGHT_SCAN__DEPTH".into()));
    assert_eq!(of("scan.exclude").words, ["*.iso"]);
    assert_eq!(of("scan.exclude").origin, Origin::File(folder.path().join("own.toml"), 5));
    assert_eq!(of("scan.follow").words, ["true"]);
    assert_eq!(of("scan.redact_paths").words, ["a=b", "c=d"]);
    assert_eq!(settings.lang().as_deref(), Some("fr"));
}

#[test]
fn what_is_wrong_names_its_place_and_what_to_do() {
    assert_eq!(
        told("lang = \"fr\"\n[scan]\ndeth = 3\n", &[]),
        "DIR/own.toml:3: unknown key “scan.deth”\nthe nearest that exists: scan.depth"
    );
    assert_eq!(
        told("[nonsense]\na = 1\n", &[]),
        "DIR/own.toml:2: unknown key “nonsense.a”\nrelight config show lists all keys"
    );
    assert_eq!(
        told("[scan]\n\nmode = \"slow\"\n", &[]),
        "DIR/own.toml:3: scan.mode cannot be “slow”\npossible: fast, deep"
    );
    assert_eq!(
        told("", &[("RELIGHT_SCAN__DEPTH", "100000")]),
        "RELIGHT_SCAN__DEPTH: scan.depth cannot be “100000”\npossible: relight scan --help"
    );
    let secret = "put it into a file that only you read, and name that with token_file";
    assert_eq!(
        told("token = \"rlt_x\"\n", &[]),
        format!("DIR/own.toml:1: “token” would hold a secret in the clear\n{secret}")
    );
    assert!(told("", &[("RELIGHT_TOKEN", "rlt_x")]).starts_with("RELIGHT_TOKEN: “token” would"));
    assert!(told("", &[("RELIGHT_DTA", "x")]).contains("the nearest that exists: data"));
    assert!(told("a = \n", &[]).starts_with("DIR/own.toml:1: this is not TOML: "));
    assert!(told("scan = 3\n", &[]).starts_with("DIR/own.toml:1: unknown key “scan”"));
    assert!(told("[scan]\nfollow = 1\n", &[]).contains("scan.follow cannot be “1”"));
    assert!(told("[scan.mode]\nfast = 1\n", &[]).contains(":1: scan.mode cannot be “table”"));
    let large = "#".repeat(usize::try_from(file::FILE_BYTES_MAX).unwrap() + 1);
    assert!(told(&large, &[]).starts_with("DIR/own.toml: the configuration cannot be read"));
}

/// Goal: a page of the guide for each key, in both languages.
#[test]
fn every_key_is_in_the_guide() {
    for lang in ["en", "fr"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(lang);
        let guide = fs::read_to_string(folder.join("settings.md")).unwrap();
        for key in all_keys() {
            assert!(guide.contains(&format!("`{}`", key.name)), "{lang}: {}", key.name);
        }
    }
}

#[test]
fn every_key_sets_an_option_that_exists() {
    let tree = crate::localise::command(Lang::En);
    for key in all_keys() {
        assert!(!key.places.is_empty());
        let values = BTreeMap::from([(
            key.name.clone(),
            Setting { words: vec!["x".into()], origin: Origin::Option },
        )]);
        // Clap would make an option of its own out of a name that is not there.
        for place in &key.places {
            let mut command = &tree;
            for name in &place.path {
                command = command.find_subcommand(name).unwrap();
            }
            let found = command.get_arguments().any(|it| it.get_id() == place.option.as_str());
            assert!(found, "{}: {place:?}", key.name);
        }
        drop(Settings { values, files: Vec::new() }.applied(tree.clone()));
    }
}

/// Commands below this one that may be told of a server, and take a token for it from a file.
fn asking(command: &Command, path: &str, found: &mut Vec<String>) {
    let argument = |name: &str| command.get_arguments().find(|it| it.get_id() == name);
    if argument("token_file").is_some()
        && argument("server").is_some_and(|it| !it.is_required_set())
    {
        found.push(path.to_owned());
    }
    for below in command.get_subcommands() {
        asking(below, format!("{path} {}", below.get_name()).trim(), found);
    }
}

/// Goal: none takes a token and asks nobody. Method: those that there are, from their tree.
#[test]
fn each_command_that_takes_a_token_needs_a_server_and_has_its_keys() {
    let mut found = Vec::new();
    asking(&crate::localise::command(Lang::En), "", &mut found);
    assert!(found.len() > 5, "{found:?}");
    for command in &found {
        for option in ["token_file", "ca"] {
            let is_needed = needs().any(|it| (it.0, it.1, it.2) == (command, option, "server"));
            assert!(is_needed, "{command} {option}");
            let path: Vec<&str> = command.split(' ').collect();
            let is_set = all_keys().iter().flat_map(|key| &key.places);
            let is_set = is_set.filter(|it| it.option == option).any(|it| it.path == path);
            assert!(is_set, "{command} {option}");
        }
    }
}
