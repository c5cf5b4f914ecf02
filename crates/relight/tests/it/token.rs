//! `relight token`: made with no more than its account holds, listed without its text, ended at
//! once.

use relight_engine::store::{AccountChange, GrantRow, Store};

use crate::place::{Place, visitor};
use crate::serve::Server;

/// A register with an admin who reads as well, and a commander.
fn people(place: &Place) -> Store {
    let store = Store::open(&place.path("data")).unwrap();
    let grant = |role: &str, scope: &str| {
        AccountChange::Grant(GrantRow {
            account: 0,
            role: role.into(),
            scope: scope.into(),
            at: 1,
            by: "test".into(),
        })
    };
    store.add_account("anna", 1, &[grant("admin", "/"), grant("viewer", "health")]).unwrap();
    store.add_account("zoe", 1, &[grant("commander", "/")]).unwrap();
    store
}

fn create<'a>(account: &'a str, role: &'a str, scope: &'a str, days: &'a str) -> Vec<&'a str> {
    vec!["token", "create", account, "--role", role, "--scope", scope, "--days", days]
}

/// Goal: a token never has more rights than its account, ends by itself, and is kept as a digest.
/// Method: what may and may not be asked for; then the database and the journal are looked at.
#[test]
fn a_token_has_no_more_than_its_account_and_an_end() {
    let place = Place::with_sites();
    let store = people(&place);
    for (account, role, scope, days, status) in [
        ("anna", "viewer", "/", "30", 4),
        ("anna", "commander", "health", "30", 4),
        ("anna", "admin", "/", "30", 4),
        ("zoe", "approver", "/", "30", 4),
        ("zoe", "commander", "/", "91", 4),
        ("zoe", "commander", "/", "0", 4),
        ("nobody", "viewer", "/", "30", 4),
        ("zoe", "king", "/", "30", 2),
        ("zoe", "commander", "//", "30", 2),
    ] {
        let refused = place.expect(status, &create(account, role, scope, days));
        assert!(!refused.stdout.contains("rlt_"), "{account} {role}: {}", refused.text());
    }
    place.expect(2, &["token", "create", "zoe", "--role", "commander"]);
    assert!(store.account_tables().unwrap().tokens.is_empty(), "an end has to be named");
    let made = place.expect(0, &create("anna", "viewer", "health", "90"));
    let token = made.stdout.trim();
    assert!(token.starts_with("rlt_") && token.len() == 35, "the token alone: {}", made.text());
    assert!(made.stderr.contains("shown this once"), "{}", made.text());
    let bytes = std::fs::read(store.path()).unwrap();
    assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    let journal = store.journal(1).unwrap();
    let last = journal.last().unwrap();
    assert_eq!((last.actor.as_str(), last.kind.as_str()), ("command-line", "access"));
    assert!(last.body.contains("token-added") && !last.body.contains(token), "{}", last.body);
}

#[test]
fn tokens_are_listed_without_their_texts_and_ended_at_once() {
    let place = Place::with_sites();
    let store = people(&place);
    let empty = place.expect(0, &["token", "list"]);
    assert!(empty.stdout.is_empty() && empty.stderr.contains("no token"), "{}", empty.text());
    place.expect(0, &[&create("anna", "viewer", "health", "90")[..], &["--name", "ci"]].concat());
    let json = place.expect(0, &[&create("zoe", "commander", "/", "1")[..], &["--json"]].concat());
    let document = json.json();
    assert_eq!(document["schema"], "relight.token/1");
    assert!(document["token"].as_str().unwrap().starts_with("rlt_"));
    let listed = place.expect(0, &["token", "list", "--json"]).json();
    assert_eq!(listed["schema"], "relight.tokens/1");
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(listed["tokens"][0]["name"], "ci");
    assert!(!listed.to_string().contains("rlt_"));
    // A role that was taken back leaves a token that is worth nothing, and says so.
    let (role, scope) = ("viewer".to_owned(), "health".to_owned());
    store.change_accounts(&[AccountChange::Revoke { account: 1, role, scope }]).unwrap();
    let listed = place.expect(0, &["token", "list", "--json"]).json();
    assert_eq!(
        (&listed["tokens"][0]["dead"], &listed["tokens"][1]["dead"]),
        (&true.into(), &false.into())
    );
    assert!(place.expect(0, &["token", "list"]).stdout.contains("dead"));
    place.expect(0, &["token", "revoke", "2"]);
    place.expect(4, &["token", "revoke", "2"]);
    assert_eq!(store.account_tables().unwrap().tokens.len(), 1);
    assert!(store.verify_journal().unwrap().is_ok());
}

/// Goal: making a token beside a server neither ends the server nor goes on behind its back.
/// Method: a server runs; the list is read, and what would be journalled is refused.
#[test]
fn beside_a_server_tokens_are_listed_and_the_server_goes_on() {
    let place = Place::with_sites();
    people(&place);
    let made = place.expect(0, &create("zoe", "commander", "/", "1"));
    let free = "127.0.0.1:0";
    let words = ["serve", "--json", "--listen", free, "--public-listen", free];
    let (server, started) = Server::run(&place, &words);
    let console = started["console"].as_str().unwrap();
    let address = console.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let listed = place.expect(0, &["token", "list", "--json"]).json();
    assert_eq!(listed["tokens"][0]["account"], "zoe");
    place.expect(1, &["token", "revoke", "1"]);
    place.expect(1, &create("zoe", "commander", "/", "1"));
    // The server is there, and the token lets in as before.
    let bearer = format!("Bearer {}", made.stdout.trim());
    let mut client = visitor(address);
    let headers = [("Authorization", bearer.as_str())];
    let answer = client.request("GET", "localhost", "/sites", &headers).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(server.terminate(), Some(0));
}
