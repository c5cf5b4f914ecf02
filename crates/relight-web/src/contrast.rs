//! Contrast of the declared colours, computed from the style sheets themselves (WCAG 2.2, 1.4.3
//! and 1.4.11).

use std::collections::BTreeMap;

use crate::views::Theme;

type Tokens = BTreeMap<String, [u8; 3]>;

const CONSOLE: &str = include_str!("../assets/console.css");
const DARK: &str = include_str!("../assets/dark.css");
const MORE: &str = include_str!("../assets/contrast.css");

/// What the sheet of the public page says in light, and in dark.
fn public() -> (&'static str, &'static str) {
    let css = include_str!("../assets/public.css");
    let (light, rest) = css.split_once("prefers-color-scheme: dark").unwrap();
    (light, rest.split_once("\n}").unwrap().0)
}

/// Every theme in light and in dark, as a browser puts its colours together: those of `:root`,
/// those of the theme, and in dark those of the dark rules behind.
fn tokens((light, dark): (&str, &str)) -> Vec<(String, Tokens)> {
    let mut all = Vec::new();
    for theme in Theme::ALL.map(Theme::as_str) {
        let own = format!(":root[data-theme=\"{theme}\"] {{");
        let of = |css: &str, start: &str| {
            let rule = css.split(start).nth(1).map(|rest| rest.split('}').next().unwrap());
            rule.map(declared).unwrap_or_default()
        };
        let mut colours = of(light, ":root {");
        colours.extend(of(light, &own));
        all.push((format!("{theme} in light"), colours.clone()));
        let named = of(dark, &own);
        // The rule of a theme is more specific than the dark of ours.
        for token in of(light, &own).keys() {
            assert!(named.contains_key(token), "{theme} names --{token} in light only");
        }
        colours.extend(of(dark, ":root {"));
        colours.extend(named);
        all.push((format!("{theme} in dark"), colours));
    }
    all
}

/// The same with more contrast: its sheet comes last, and gives tokens the colours of others.
fn more_tokens() -> Vec<(String, Tokens)> {
    let rule = MORE.split_once("[data-theme] {").unwrap().1.split('}').next().unwrap();
    let mut all = tokens((CONSOLE, DARK));
    for (_, colours) in &mut all {
        colours.extend(declared(rule));
        for declaration in rule.split(';') {
            let Some((name, other)) = declaration.split_once(": var(--") else { continue };
            let colour = colours[other.trim_end_matches(')')];
            colours.insert(name.trim().trim_start_matches("--").to_owned(), colour);
        }
    }
    all
}

fn declared(css: &str) -> Tokens {
    let mut tokens = Tokens::new();
    for part in css.split("--").skip(1) {
        let Some((name, value)) = part.split_once(": #") else { continue };
        let channel = |at: usize| u8::from_str_radix(&value[at..at + 2], 16).unwrap();
        tokens.insert(name.to_owned(), [channel(0), channel(2), channel(4)]);
    }
    tokens
}

/// Relative luminance.
fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

fn check(all: Vec<(String, Tokens)>, pairs: &[(&str, &str, f64)]) {
    for (theme, tokens) in all {
        for (front, back, least) in pairs {
            let seen = contrast(tokens[*front], tokens[*back]);
            assert!(seen >= *least, "{theme}: --{front} on --{back} is {seen:.2}, not {least}");
        }
    }
}

#[test]
fn themes_are_told_apart() {
    for css in [(CONSOLE, DARK), public()] {
        let links: Vec<_> = tokens(css).into_iter().map(|(_, colours)| colours["link"]).collect();
        assert_eq!(links.len(), 6);
        for (at, link) in links.iter().enumerate() {
            assert!(!links[..at].contains(link), "{links:?}");
        }
    }
}

#[test]
fn black_on_white_is_21() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
}

#[test]
fn lights_stand_out_on_the_wall() {
    let states = ["online", "verifying", "fixing", "affected", "analysing", "dark", "white"];
    for ground in ["wall", "block"] {
        for state in states {
            let name = format!("s-{state}");
            check(tokens((CONSOLE, DARK)), &[(&name, ground, 3.0)]);
            check(more_tokens(), &[(&name, ground, 4.0)]);
        }
    }
    // Inside a lit disc: the hole and the bar's edge are the wall, the diamond is its own red.
    let inside = [("wall", "s-online", 3.0), ("s-exposed", "s-online", 3.0)];
    check(tokens((CONSOLE, DARK)), &inside);
}

#[test]
fn text_of_the_console_can_be_read() {
    check(
        tokens((CONSOLE, DARK)),
        &[
            ("text", "ground", 4.5),
            ("text", "panel", 4.5),
            ("soft", "ground", 4.5),
            ("soft", "panel", 4.5),
            ("link", "panel", 4.5),
            ("bar-text", "bar", 4.5),
            ("live", "bar", 4.5),
            ("wait", "bar", 4.5),
            ("alarm-text", "alarm", 4.5),
            ("wall-text", "wall", 4.5),
            ("wall-text", "block", 4.5),
            ("focus", "ground", 3.0),
            ("link", "ground", 4.5),
            ("good", "panel", 4.5),
            ("todo", "panel", 4.5),
            ("panel", "link", 4.5),
            ("lit", "panel", 3.0),
            ("focus", "panel", 3.0),
        ],
    );
}

/// WCAG 2.2, 1.4.6, for all that is read, and lines that are seen as well as text.
#[test]
fn whoever_asks_for_more_contrast_gets_it() {
    let texts = ["text", "soft", "link", "good"].map(|it| (it, "ground"));
    let panels = ["text", "soft", "link", "good"].map(|it| (it, "panel"));
    let others = [
        ("bar-text", "bar"),
        ("live", "bar"),
        ("wait", "bar"),
        ("alarm-text", "alarm"),
        ("wall-text", "wall"),
        ("wall-text", "block"),
        ("edge", "panel"),
        ("focus", "ground"),
        ("panel", "link"),
    ];
    let pairs = [&texts[..], &panels, &others].concat();
    let pairs: Vec<_> = pairs.into_iter().map(|(front, back)| (front, back, 7.0)).collect();
    check(more_tokens(), &pairs);
}

#[test]
fn text_of_the_public_page_can_be_read() {
    check(
        tokens(public()),
        &[
            ("text", "ground", 4.5),
            ("soft", "ground", 4.5),
            ("link", "ground", 4.5),
            ("lit", "ground", 3.0),
        ],
    );
}
