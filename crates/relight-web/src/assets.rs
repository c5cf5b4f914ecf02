//! Style and modules, embedded, under names that change with their content.

use std::sync::LazyLock;

/// One embedded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Name in the repository (`console.css`).
    pub file: &'static str,
    /// Name in addresses, with a digest of the content (`console.0123456789abcdef.css`).
    pub name: String,
    /// Media type.
    pub media_type: &'static str,
    /// Content.
    pub text: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// (file, media type, content).
const FILES: [(&str, &str, &str); 14] = [
    ("book.css", CSS, include_str!("../assets/book.css")),
    ("console.css", CSS, include_str!("../assets/console.css")),
    ("contrast.css", CSS, include_str!("../assets/contrast.css")),
    ("dark.css", CSS, include_str!("../assets/dark.css")),
    ("public.css", CSS, include_str!("../assets/public.css")),
    ("rl-day.js", JS, include_str!("../assets/rl-day.js")),
    ("rl-find.js", JS, include_str!("../assets/rl-find.js")),
    ("rl-heat.js", JS, include_str!("../assets/rl-heat.js")),
    ("rl-key.js", JS, include_str!("../assets/rl-key.js")),
    ("rl-live.js", JS, include_str!("../assets/rl-live.js")),
    ("rl-pick.js", JS, include_str!("../assets/rl-pick.js")),
    ("rl-stay.js", JS, include_str!("../assets/rl-stay.js")),
    ("rl-table.js", JS, include_str!("../assets/rl-table.js")),
    ("rl-wall.js", JS, include_str!("../assets/rl-wall.js")),
];

/// Every asset.
pub static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(file, media_type, text): (&'static str, &'static str, &'static str)| {
        let (stem, extension) = file.split_once('.').unwrap_or((file, ""));
        let name = format!("{stem}.{:016x}.{extension}", fingerprint(text.as_bytes()));
        Asset { file, name, media_type, text }
    };
    FILES.into_iter().map(asset).collect()
});

/// The asset behind a name in an address.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Address of a file of the repository; empty when there is no such file.
pub fn path(file: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.file == file);
    asset.map(|asset| format!("/assets/{}", asset.name)).unwrap_or_default()
}

/// FNV-1a, 64 bits: it only has to change when our own files change.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_with_content_and_are_found() {
        for asset in ASSETS.iter() {
            assert_eq!(find(&asset.name), Some(asset));
            assert_eq!(path(asset.file), format!("/assets/{}", asset.name));
            assert!(!asset.text.trim().is_empty(), "{}", asset.file);
        }
        assert_ne!(fingerprint(b"a"), fingerprint(b"b"));
        assert_eq!(find("console.css"), None);
        assert_eq!(path("nowhere.css"), "");
    }

    #[test]
    fn style_and_modules_fetch_nothing_from_elsewhere() {
        for asset in ASSETS.iter() {
            for foreign in ["http://", "https://", "@import", "url(", "innerHTML", "eval("] {
                assert!(!asset.text.contains(foreign), "{}: {foreign}", asset.file);
            }
        }
    }

    /// What a browser keeps, runs or takes from another window is nothing that we gave it.
    #[test]
    fn modules_keep_nothing_and_make_no_markup() {
        for asset in ASSETS.iter().filter(|asset| asset.media_type == JS) {
            for word in [
                "localStorage",
                "sessionStorage",
                "indexedDB",
                "caches.",
                ".cookie",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "DOMParser",
                "eval(",
                "Function(",
                "import(",
                "postMessage",
                "'message'",
                "__proto__",
                "Object.assign",
                " == ",
                " != ",
            ] {
                assert!(!asset.text.contains(word), "{}: {word}", asset.file);
            }
        }
    }

    /// What somebody looks at before it is published breaks into lines as visitors read it.
    #[test]
    fn words_break_into_lines_as_their_preview_does() {
        let page = include_str!("../templates/public_home.html");
        let list = page.split("in words").next().and_then(|it| it.rsplit('\n').next());
        assert_eq!(list, Some("<ul class=\"history\">{% for (at, when, lang, text) "));
        for (file, selector) in [("console.css", ".preview p {"), ("public.css", ".history span {")]
        {
            let sheet = ASSETS.iter().find(|asset| asset.file == file).unwrap();
            let rule = sheet.text.split(selector).nth(1).and_then(|it| it.split('}').next());
            assert!(rule.is_some_and(|it| it.contains("white-space: pre-line")), "{file}");
        }
    }

    #[test]
    fn scripts_stay_within_their_budget() {
        let first = include_str!("../templates/incident.html");
        let bytes = |is_meant: &dyn Fn(&Asset) -> bool| -> usize {
            let meant = ASSETS.iter().filter(|it| it.media_type == JS && is_meant(it));
            meant.map(|asset| asset.text.len()).sum()
        };
        // What the console begins with, all of it, and the one module of the public page.
        let begin = bytes(&|it| first.contains(&format!("path(\"{}\")", it.file)));
        let console = bytes(&|it| it.file != "rl-find.js");
        assert!(begin > 10_000 && begin <= 28_000, "{begin}");
        // No page loads all of it; what begins is what somebody waits for.
        assert!(console <= 42_000, "{console}");
        assert!(bytes(&|it| it.file == "rl-find.js") <= 4_000);
    }
}
