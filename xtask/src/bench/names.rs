//! Names that a peer lists and relight does not: those that are wrong, each with what stands in
//! the file, and those that are missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::json::Json;
use super::peers::Component;
use super::scan::Goal;
use crate::corpus::builder::write;
use crate::process;

/// Whether every component of a peer is in ours, by kind, name and version. A name that is not is
/// missing, unless a rule shows that it is no name of what stands in the file; each is written to
/// a list with its reason.
pub(super) fn superset(
    name: &str,
    (ours, theirs): (&[Component], &[Component]),
    root: &Path,
    answers: &Path,
) -> Result<Goal, String> {
    let known: BTreeSet<_> = ours.iter().filter_map(key).collect();
    let (mut wanted, mut missing) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for (component, key) in theirs.iter().filter_map(|it| Some((it, key(it)?))) {
        if !known.contains(&key) {
            let text = key.join(" ");
            match why_wrong(component, ours, root) {
                Some(reason) => wrong.insert(format!("{text}: {reason}")),
                None => missing.insert(text),
            };
        }
        wanted.insert(key);
    }
    let lines = |set: &BTreeSet<String>| set.iter().map(|it| format!("{it}\n")).collect::<String>();
    let list = answers.join(format!("missing-{name}.txt"));
    write(&list, format!("missing:\n{}wrong:\n{}", lines(&missing), lines(&wrong)).as_bytes())?;
    wrong.iter().for_each(|line| println!("{name} is wrong about {line}"));
    missing.iter().for_each(|line| println!("missing of {name}: {line}"));
    let got = format!(
        "{} of {name}'s {} are missing, {} more are wrong by what stands in the file; relight \
        lists {}",
        missing.len(),
        wanted.len(),
        wrong.len(),
        known.len()
    );
    Ok(Goal::new(format!("Debian root, all that {name} lists"), got, missing.is_empty()))
}

/// Why a name is none of what stands in its file; `None` when nothing shows that.
fn why_wrong(theirs: &Component, ours: &[Component], root: &Path) -> Option<String> {
    let kind = kind_of(theirs)?;
    let here: Vec<&Component> =
        ours.iter().filter(|it| it.place == theirs.place && kind_of(it) == Some(kind)).collect();
    let same =
        |it: &&&Component| key(it).map(|it| it[1].clone()) == key(theirs).map(|it| it[1].clone());
    match kind {
        // The peers of a dependency stand behind its version in locks of pnpm.
        "npm" if theirs.place.ends_with("pnpm-lock.yaml") => {
            let own = |it: &&&Component| theirs.version.starts_with(&format!("{}-", it.version));
            let own = here.iter().filter(same).find(own)?;
            Some(format!("the lock says version {}, and then its peers", own.version))
        }
        "npm" if theirs.place.ends_with("package-lock.json") => {
            let text = fs::read_to_string(root.join(&theirs.place)).ok()?;
            let is_own = Json::parse(&text)?.get("name").text() == theirs.name;
            is_own.then(|| "the lock is that of it, and nothing says that it is installed".into())
        }
        "golang" => {
            let module =
                |it: &&&Component| whole_path(&it.purl).starts_with(whole_path(&theirs.purl));
            let own = here.iter().find(module).filter(|it| it.version.is_empty())?;
            Some(format!("the program says {} and no version", own.purl))
        }
        "maven" => {
            // What is nested stands at the place of the outer file for some peers: that this is
            // something else shows only where their name is made of its own.
            let is_outer = |it: &Component| {
                let is_spelled = it.version == theirs.version && theirs.name.contains(&it.name);
                it.purl.matches('/').count() > 1 && (is_spelled || is_stem(theirs))
            };
            match here.iter().find(|it| is_outer(it)) {
                Some(own) => Some(format!("the file is {}", own.purl)),
                None if theirs.version == "UNKNOWN" => {
                    Some("only the name of the file, and no version".to_owned())
                }
                None => is_without_code(&root.join(&theirs.place))
                    .then(|| "no class is in it, and nothing that names it".to_owned()),
            }
        }
        _ => None,
    }
}

/// Whether a name is only that of the file, with or without a version.
fn is_stem(component: &Component) -> bool {
    let stem = Path::new(&component.place).file_stem().unwrap_or_default().to_string_lossy();
    let rest = stem.strip_prefix(&component.name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Whether a zip holds no class.
fn is_without_code(file: &Path) -> bool {
    let listed = process::output(Path::new("."), "unzip", &["-Z1", &file.to_string_lossy()]);
    listed.is_ok_and(|names| !names.lines().any(|name| name.ends_with(".class")))
}

fn kind_of(component: &Component) -> Option<&str> {
    component.purl.strip_prefix("pkg:")?.split('/').next()
}

/// Kind, name and version, as far as writers agree on them.
fn key(component: &Component) -> Option<[String; 3]> {
    let kind = component.purl.strip_prefix("pkg:")?.split('/').next()?.to_lowercase();
    let spelled =
        |text: &str| text.to_lowercase().replace('_', "-").replace("%2b", "+").replace("%3a", ":");
    let name = match kind.as_str() {
        // Python's names know no difference between these signs.
        "pypi" => spelled(&component.name).replace('.', "-"),
        // Some write the whole path of a module, or the scope, into the name, some the end of it.
        "golang" | "github" | "npm" => spelled(whole_path(&component.purl)).replace("%40", "@"),
        _ => spelled(&component.name),
    };
    // An epoch is part of the version for some and a qualifier for others.
    let version = spelled(&component.version);
    let version = version.rsplit(':').next().unwrap_or_default();
    // The standard library of Go is "go1.23" for some and "1.23" for others.
    let version = version.strip_prefix("go").unwrap_or(version).to_owned();
    Some([kind, name, version])
}

/// The whole path of a Go module, or of a repository.
fn whole_path(purl: &str) -> &str {
    let path = purl.split(['?', '#', '@']).next().unwrap_or_default();
    path.strip_prefix("pkg:").and_then(|it| it.split_once('/')).map_or(path, |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(purl: &str, name: &str, version: &str) -> Component {
        let (purl, name, version) = (purl.into(), name.into(), version.into());
        Component { purl, name, version, place: "a".into() }
    }

    #[test]
    fn only_what_the_file_shows_is_a_reason() {
        let why =
            |theirs: &Component, ours: &[Component]| why_wrong(theirs, ours, Path::new("/none"));
        let ours = [
            component("pkg:maven/org.g/core@3.8.7", "core", "3.8.7"),
            component("pkg:golang/github.com/o/tool", "tool", ""),
        ];
        let theirs = component("pkg:maven/core3/core3@3.8.7", "core3", "3.8.7");
        assert_eq!(why(&theirs, &ours).as_deref(), Some("the file is pkg:maven/org.g/core@3.8.7"));
        // A library inside the file, which we do not list, is missing.
        let nested = component("pkg:maven/org.n/inner@1.2", "inner", "1.2");
        assert_eq!(why(&nested, &ours), None);
        let stem = Component { place: "guice-5.jar".into(), ..component("", "guice", "5") };
        let stem = Component { purl: "pkg:maven/guice/guice@5".into(), ..stem };
        let own = component("pkg:maven/com.g.inject/guice@5.1", "guice", "5.1");
        let own = Component { place: "guice-5.jar".into(), ..own };
        assert!(why(&stem, &[own]).is_some());
        // A name without a group says no more than theirs.
        let named = [component("pkg:maven/other@1", "other", "1")];
        assert_eq!(why(&theirs, &named), None);
        let elsewhere = Component { place: "b".into(), ..ours[0].clone() };
        assert_eq!(why(&theirs, &[elsewhere]), None);
        let unknown = component("pkg:maven/x/x", "x", "UNKNOWN");
        assert!(why(&unknown, &[]).is_some());
        let tool = component("pkg:golang/github.com/o/tool@v1#cmd", "github.com/o/tool/cmd", "v1");
        assert!(why(&tool, &ours).unwrap().ends_with("and no version"));
        let another = component("pkg:golang/github.com/o/other@v1", "other", "v1");
        assert_eq!(why(&another, &ours), None);
        let lock = |version: &str| Component {
            place: "pnpm-lock.yaml".into(),
            ..component(&format!("pkg:npm/x@{version}"), "x", version)
        };
        assert!(why(&lock("1.2.0-abc"), &[lock("1.2.0")]).is_some());
        assert_eq!(why(&lock("1.3.0-abc"), &[lock("1.2.0")]), None);
    }

    #[test]
    fn components_are_compared_by_what_writers_agree_on() {
        let ours = component(
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64",
            "libstdc%2B%2B6",
            "12.2.0-14",
        );
        let theirs = component("pkg:deb/debian/libstdc++6@12.2.0-14", "libstdc++6", "1:12.2.0-14");
        assert_eq!(key(&ours), key(&theirs));
        assert_eq!(key(&component("", "a", "1")), None);
        let module = "pkg:golang/example.org/Tool/v2@v2.1.0";
        let ours = component(module, "v2", "v2.1.0");
        assert_eq!(key(&ours), key(&component(module, "example.org/Tool/v2", "v2.1.0")));
        let other = component("pkg:golang/example.org/other/v2@v2.1.0", "v2", "v2.1.0");
        assert_ne!(key(&ours), key(&other));
        let scoped = "pkg:npm/%40babel/core@7.18.2";
        let theirs = component(scoped, "@babel/core", "7.18.2");
        assert_eq!(key(&component(scoped, "core", "7.18.2")), key(&theirs));
        assert_ne!(key(&component("pkg:npm/core@7.18.2", "core", "7.18.2")), key(&theirs));
        let library = "pkg:golang/stdlib@1.23.8";
        let theirs = component(library, "stdlib", "go1.23.8");
        assert_eq!(key(&component(library, "stdlib", "1.23.8")), key(&theirs));
    }
}
