//! Archives in archives: every order of jar, war and ear, up to depth 40.
use super::builder::{Builder, Done, Truth, deflated};
use super::zip::{self, Member};

const ORDERS: [[&str; 3]; 6] = [
    ["jar", "war", "ear"],
    ["jar", "ear", "war"],
    ["war", "jar", "ear"],
    ["war", "ear", "jar"],
    ["ear", "jar", "war"],
    ["ear", "war", "jar"],
];

pub(super) fn nesting(b: &mut Builder) -> Done {
    for order in ORDERS {
        let version = b.vulnerable_version();
        let mut bytes = b.jar(&version)?;
        for kind in order {
            bytes = wrap(&format!("{}/inner.{kind}", place(kind)), &bytes, true)?;
        }
        let name = order.join("-in-");
        let file = format!("outer.{}", order[2]);
        b.one(Truth::Vulnerable, [&name, &file, &version, "deflated at each level"], &bytes)?;
    }
    for (depth, truth) in [(2, true), (5, true), (10, true), (40, true), (10, false), (40, false)] {
        deep(b, depth, truth)?;
    }
    layouts(b)
}

/// Where a kind of archive keeps the archives in it.
fn place(kind: &str) -> &'static str {
    match kind {
        "war" => "WEB-INF/lib",
        "ear" => "lib",
        _ => "BOOT-INF/lib",
    }
}

/// An archive with one archive in it.
fn wrap(name: &str, bytes: &[u8], packed: bool) -> Result<Vec<u8>, String> {
    let member = if packed { deflated(name, bytes)? } else { Member::stored(name, bytes) };
    Ok(zip::archive(&[Member::stored("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"), member]))
}

/// A release below this many archives, every other one stored.
fn deep(b: &mut Builder, depth: u32, vulnerable: bool) -> Done {
    let version = if vulnerable { b.vulnerable_version() } else { b.safe_version() };
    let mut bytes = b.jar(&version)?;
    for level in 0..depth {
        bytes = wrap(&format!("level-{level}.jar"), &bytes, level % 2 == 0)?;
    }
    let (truth, prefix) = if vulnerable { (Truth::Vulnerable, "") } else { (Truth::Safe, "safe-") };
    let name = format!("{prefix}depth-{depth}");
    b.one(truth, [&name, "outer.jar", &version, "every other level stored"], &bytes)
}

/// The layouts of real applications.
fn layouts(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let boot = [
        Member::stored("META-INF/MANIFEST.MF", b"Main-Class: org.springframework.boot.loader\n"),
        Member::stored("BOOT-INF/classes/application.properties", b"server.port=8080\n"),
        Member::stored(&format!("BOOT-INF/lib/log4j-core-{version}.jar"), &b.jar(&version)?),
    ];
    let boot = zip::archive(&boot);
    b.one(Truth::Vulnerable, ["spring-boot", "app.jar", &version, "stored library"], &boot)?;

    let version = b.vulnerable_version();
    let mut classes = Vec::new();
    for member in b.members(&version)? {
        classes.push(member.renamed(&format!("WEB-INF/classes/{}", member.text())));
    }
    let note = "the release's members in WEB-INF/classes";
    let war = zip::archive(&classes);
    b.one(Truth::Vulnerable, ["web-classes", "app.war", &version, note], &war)?;

    let (bad, good) = (b.vulnerable_version(), b.safe_version());
    let both = [
        Member::stored("WEB-INF/lib/a.jar", &b.jar(&good)?),
        Member::stored("WEB-INF/lib/b.jar", &b.jar(&bad)?),
    ];
    let note = "a safe and a vulnerable release side by side";
    b.one(Truth::Vulnerable, ["two-versions", "app.war", &bad, note], &zip::archive(&both))?;

    let version = b.vulnerable_version();
    let inner = wrap("data/blob.bin", &b.jar(&version)?, true)?;
    let middle = wrap("stuff/part.0001", &inner, false)?;
    let note = "foreign names at each level";
    b.one(Truth::Vulnerable, ["foreign", "a.dat", &version, note], &wrap("x", &middle, true)?)
}
