//! Contrast of the declared colours, computed from the style sheets themselves (WCAG 2.2, 1.4.3
//! and 1.4.11).

use std::collections::BTreeMap;

use crate::views::Theme;

type Tokens = BTreeMap<String, [u8; 3]>;

/// Every theme in light and in dark, as a browser puts its colours together: those of `:root`,
/// those of the theme, and in dark those of the dark rules behind.
fn tokens(css: &str) -> Vec<(String, Tokens)> {
    let (light, rest) = css.split_once("prefers-color-scheme: dark").unwrap();
    let (dark, _) = rest.split_once("\n}").unwrap();
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

fn check(css: &str, pairs: &[(&str, &str, f64)]) {
    for (theme, tokens) in tokens(css) {
        for (front, back, least) in pairs {
            let seen = contrast(tokens[*front], tokens[*back]);
            assert!(seen >= *least, "{theme}: --{front} on --{back} is {seen:.2}, not {least}");
        }
    }
}

#[test]
fn themes_are_told_apart() {
    for css in [include_str!("../assets/console.css"), include_str!("../assets/public.css")] {
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
            check(include_str!("../assets/console.css"), &[(&name, ground, 3.0)]);
        }
    }
    // Inside a lit disc: the hole and the bar's edge are the wall, the diamond is its own red.
    let inside = [("wall", "s-online", 3.0), ("s-exposed", "s-online", 3.0)];
    check(include_str!("../assets/console.css"), &inside);
}

#[test]
fn text_of_the_console_can_be_read() {
    check(
        include_str!("../assets/console.css"),
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

#[test]
fn text_of_the_public_page_can_be_read() {
    check(
        include_str!("../assets/public.css"),
        &[
            ("text", "ground", 4.5),
            ("soft", "ground", 4.5),
            ("link", "ground", 4.5),
            ("lit", "ground", 3.0),
        ],
    );
}
