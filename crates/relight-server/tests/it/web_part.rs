//! Who reads a part of the register has the wall, the stream and the answers of that part, and
//! learns nothing of the rest.

use std::sync::Arc;

use relight_engine::live::Board;
use relight_model::DisplayState;
use testkit::Rng;

use crate::door_support::{START, World, clock, person, token};
use crate::web_console::{follow, has};

/// A console, its board, and somebody who reads the two sites of the hospital. On the board `power`
/// of another body stands before them.
fn start(clock: fn() -> i64, role: (&str, &str)) -> (World, Arc<Board>, String) {
    let (mut board, mut reader) = (None, String::new());
    let world = World::start_with(
        clock,
        |config| board = Some(Arc::clone(&config.board)),
        |store| reader = person(store, "anna", 1, &[role]),
    );
    (world, board.unwrap(), reader)
}

/// The first page without what is new in each answer: tokens, and how far the board was.
fn wall(world: &World, cookie: &str) -> (String, String) {
    let (status, _, page) = world.get("/?lang=en", cookie);
    assert_eq!(status, 200, "{page}");
    let cursor = page.split("data-cursor=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let tokens: Vec<String> = page
        .split("name=\"token\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    let mut plain = page.replace(&cursor, "CURSOR");
    for token in tokens {
        plain = plain.replace(&token, "TOKEN");
    }
    (plain, cursor)
}

/// Goal: a wall of a part is the same whatever happens elsewhere. Method: own sites in any states,
/// the other one in two of them; the page is compared to the byte.
#[test]
fn a_wall_of_a_part_is_as_if_there_were_no_others() {
    clock!(now, now_set);
    now_set(START);
    let (world, board, reader) = start(now, ("viewer", "health/Hospital"));
    let mut rng = Rng::new(11);
    let any = |rng: &mut Rng| {
        let state = DisplayState::ALL[rng.below(DisplayState::ALL.len())];
        (state, !matches!(state, DisplayState::Online | DisplayState::Exposed))
    };
    let mut walls = std::collections::BTreeSet::new();
    for round in 0..40 {
        let own = [any(&mut rng), any(&mut rng)];
        let pages: Vec<String> = (0..2)
            .map(|_| {
                let other = any(&mut rng);
                board.set_at(
                    START,
                    &[(0, other.0, other.1), (1, own[0].0, own[0].1), (2, own[1].0, own[1].1)],
                );
                // Nobody's chart may tell when something elsewhere came back.
                let args = vec!["5".into(), "1".into()];
                board.log_of(START, "log-dark-proven", args, &["power".into()]);
                board.log_of(START, "log-relit", vec!["power".into()], &["power".into()]);
                wall(&world, &reader).0
            })
            .collect();
        assert!(!pages[0].contains("power") && !pages[0].contains("Utility"), "{}", pages[0]);
        let letters = format!("data-w=\"{}{}\"", own[0].0.letter(), own[1].0.letter());
        assert!(pages[0].contains(&letters), "{round}: {letters} {}", pages[0]);
        assert!(pages[0] == pages[1], "{round}: {} {}", pages[0], pages[1]);
        walls.insert(letters);
    }
    assert!(walls.len() > 10);
    world.web.stop();
}

/// Goal: the stream of a part is of that part. Method: changes and lines of each body at once.
#[test]
fn a_stream_of_a_part_tells_of_that_part() {
    clock!(now, now_set);
    now_set(START);
    let (world, board, reader) = start(now, ("analyst", "health"));
    let cursor = wall(&world, &reader).1;
    board.set(&[(0, DisplayState::Exposed, false), (2, DisplayState::DarkRequested, false)]);
    board.log_of(START, "log-relit", vec!["power".into()], &["power".into()]);
    let seven = ["power", "a", "b", "c", "d", "e", "f"].map(String::from);
    board.log_of(START, "log-relit-many", vec!["7".into()], &seven);
    // Of a line about several each reader sees how many of his own.
    let three = ["care", "power", "beds"].map(String::from);
    board.log_of(START, "log-dark-proven", vec!["5".into(), "3".into()], &three);
    board.log_of(START, "log-relit-many", vec!["2".into()], &["beds".into(), "care".into()]);
    board.log_of(START, "log-relit", vec!["care".into()], &["care".into()]);
    let request = format!("GET /events?lang=en&since={cursor} HTTP/1.1\r\nCookie: {reader}\r\n");
    let lines = follow(world.address(), &request, |lines| {
        has(lines, "event: queue") || lines.iter().any(|line| line.contains("\"todo\""))
    });
    let told = lines.join("\n");
    assert!(has(&lines, "data: {\"v\":1,\"c\":[[1,\"q\"]]}"), "{told}");
    assert!(told.contains("care is lit again"), "{told}");
    assert!(told.contains("Dark proven for 2 sites in"), "{told}");
    assert!(told.contains("2 sites lit again"), "{told}");
    for hidden in ["power", "7 sites", "3 sites", "0 sites", "energy", "\"e\":\"1\""] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    // A light of the wall leads to the site that it is, and no further.
    for (ordinal, slug) in [(0, "beds"), (1, "care")] {
        let head = world.get(&format!("/sites?lang=en&site={ordinal}"), &reader).1;
        assert!(head.contains(&format!("location: /site/{slug}?")), "{head}");
    }
    assert_eq!(world.get("/sites?site=2", &reader).0, 404);
    world.web.stop();
}

/// A role for a body without sites yet: its wall and its stream are empty, and refused to nobody.
#[test]
fn a_part_without_sites_yet_is_read() {
    clock!(now, now_set);
    now_set(START);
    let (world, _, reader) = start(now, ("site-owner", "town/Library"));
    let (page, cursor) = wall(&world, &reader);
    assert!(page.contains("data-w=\"\"") && !page.contains("power"), "{page}");
    assert_eq!(world.get("/affected", &reader).0, 200);
    let request = format!("GET /events?since={cursor} HTTP/1.1\r\nCookie: {reader}\r\n");
    let lines = follow(world.address(), &request, |lines| has(lines, "event: counts"));
    assert!(has(&lines, "HTTP/1.1 200"), "{lines:?}");
    world.web.stop();
}

/// A page that was read with another role, and a cursor of the whole, start again: places of one
/// part are other sites in another.
#[test]
fn a_cursor_of_other_sites_starts_again() {
    clock!(now, now_set);
    now_set(START);
    let mut cookies = Vec::new();
    let world = World::start(now, |store| {
        for (number, scope) in ["/", "health", "energy"].into_iter().enumerate() {
            let number = u8::try_from(number).unwrap() + 1;
            cookies.push(person(store, &format!("reader {number}"), number, &[("viewer", scope)]));
        }
    });
    for (at, cookie) in cookies.iter().enumerate() {
        let cursor = wall(&world, cookie).1;
        for (other, reader) in cookies.iter().enumerate() {
            let request = format!("GET /events?since={cursor} HTTP/1.1\r\nCookie: {reader}\r\n");
            let lines = follow(world.address(), &request, |lines| has(lines, "data:"));
            assert_eq!(has(&lines, "event: reset"), at != other, "{at} {other}: {lines:?}");
        }
    }
    assert!(!token(&world.get("/?lang=en", &cookies[1]).2).is_empty());
    world.web.stop();
}
