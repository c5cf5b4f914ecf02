//! The guide in `docs/`: what its pages show is what the program says, in both languages.
//!
//! A block of kind `console` is a session: lines after `$ ` are commands of a shell, the others
//! what they print. `…` stands for anything within a line, and alone for any lines. A block whose
//! kind has a file name after it (`csv sites.csv`) is that file. A command that ends in ` &` goes
//! on beside the others. With `UPDATE_EXPECT=1` the sessions that differ are written again.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use relight_engine::edge::exec;
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};

use crate::place::{Place, archive, log4j};

/// Addresses of the pages, each replaced by a free one while they are tried.
const ADDRESSES: [&str; 3] = ["127.0.0.1:8080", "127.0.0.1:8420", "127.0.0.1:8421"];

/// Where the sites of the guide listen.
const SITES_ADDRESS: &str = "127.0.0.1:9000";

/// The hosts of the sites of the guide.
const HOSTS: [&str; 5] = ["biblio", "permis", "piscine", "taxes", "nouvelles"];

#[test]
fn the_guide_in_english() {
    every_page("en");
}

#[test]
fn the_guide_in_french() {
    every_page("fr");
}

fn every_page(lang: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(lang);
    let mut pages: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() >= 2, "{pages:?}");
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let shown = Desk::new(lang).page(&text);
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&page, shown).unwrap();
        } else {
            let at = shown.lines().zip(text.lines()).position(|(said, told)| said != told);
            let line = |text: &str| text.lines().nth(at.unwrap_or(0)).map(str::to_owned);
            let (page, at) = (page.display(), at.unwrap_or(0) + 1);
            assert!(shown == text, "{page}:{at}: {:?} is {:?}", line(&text), line(&shown));
        }
    }
}

/// Where one page is tried.
struct Desk {
    place: Place,
    lang: &'static str,
    /// What the page writes, and what stands for it here.
    real: Vec<(String, String)>,
    beside: Vec<Child>,
    _origin: OriginHandle,
}

impl Drop for Desk {
    fn drop(&mut self) {
        for child in &mut self.beside {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Desk {
    fn new(lang: &str) -> Self {
        let place = Place::new();
        write_sites(&place);
        let listen = "127.0.0.1:0".parse().unwrap();
        let host = |name| format!("{name}.ville.example");
        let sites = HOSTS.map(|name| OriginSite { host: host(name), name: name.to_owned() });
        let origin = Origin::start(OriginConfig { listen, sites: sites.into() }).unwrap();
        let free = || exec::free_address().unwrap().to_string();
        let mut real: Vec<_> = ADDRESSES.map(|address| (address.to_owned(), free())).into();
        real.push((SITES_ADDRESS.to_owned(), origin.address().to_string()));
        let folder = place.path("").display().to_string();
        real.push(("/srv/ville/".to_owned(), folder));
        let lang = if lang == "fr" { "fr" } else { "en" };
        Self { place, lang, real, beside: Vec::new(), _origin: origin }
    }

    /// The page with its sessions as they really go.
    fn page(&mut self, text: &str) -> String {
        let mut shown = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            shown += &format!("{line}\n");
            let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else {
                continue;
            };
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            if kind == "console" {
                shown += &self.session(&block);
            } else {
                let body: String = block.iter().map(|line| format!("{line}\n")).collect();
                if let Some((_, name)) = kind.split_once(' ') {
                    self.place.write(name, self.here(&body));
                }
                shown += &body;
            }
            shown += "```\n";
        }
        shown
    }

    /// A session as it goes; what fits with `…` stays as it was.
    fn session(&mut self, block: &[&str]) -> String {
        let mut shown = String::new();
        let mut at = 0;
        while at < block.len() {
            let command = block[at].strip_prefix("$ ").expect("a session begins with a command");
            let rest = &block[at + 1..];
            let count = rest.iter().position(|line| line.starts_with("$ ")).unwrap_or(rest.len());
            let expected = &rest[..count];
            at += count + 1;
            let said = self.run(command);
            let actual: Vec<&str> = said.lines().collect();
            let lines = if fits(expected, &actual) { expected } else { &actual[..] };
            writeln!(shown, "$ {command}").unwrap();
            lines.iter().for_each(|line| writeln!(shown, "{line}").unwrap());
        }
        shown
    }

    /// What a command says on both streams, and its status unless it is 0.
    #[expect(clippy::disallowed_methods, reason = "the guide is of the real program, in a shell")]
    fn run(&mut self, command: &str) -> String {
        let (beside, line) = match command.strip_suffix(" &") {
            Some(line) => (true, format!("exec {line} 2>&1")),
            None => (false, format!("({command}) 2>&1")),
        };
        let program = Path::new(env!("CARGO_BIN_EXE_relight")).parent().unwrap();
        let path = format!("{}:{}", program.display(), env::var("PATH").unwrap());
        let mut child = Command::new("sh")
            .args(["-c", &self.here(&line)])
            .current_dir(self.place.path(""))
            .env_clear()
            .env("PATH", path)
            .env("RELIGHT_DATA", "data")
            .env("RELIGHT_LANG", self.lang)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        if beside {
            stdout.read_line(&mut said).unwrap();
            self.beside.push(child);
            return self.there(&said);
        }
        stdout.read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap().code().unwrap();
        if status != 0 {
            writeln!(said, "({status})").unwrap();
        }
        self.there(&said)
    }

    fn here(&self, text: &str) -> String {
        let swap = |text: String, (page, real): &(String, String)| text.replace(page, real);
        self.real.iter().fold(text.to_owned(), swap)
    }

    fn there(&self, text: &str) -> String {
        let swap = |text: String, (page, real): &(String, String)| text.replace(real, page);
        self.real.iter().fold(text.to_owned(), swap)
    }
}

/// The five sites of a town: one library by name, one inside another archive, one repaired, one
/// that cannot be read whole, one without Java.
fn write_sites(place: &Place) {
    place.write("www/biblio/lib/log4j-core-2.17.1.jar", log4j("2.17.1"));
    let inner = log4j("2.14.1");
    let war = archive(&[("WEB-INF/lib/renamed.jar", inner.as_slice())]);
    place.write("www/permis/permis.war", archive(&[("permis.war", war.as_slice())]));
    place.write("www/piscine/app.jar", log4j("2.14.1"));
    place.write("www/taxes/taxes.jar", &log4j("2.14.1")[..120]);
    let installed = r#"{"packages":[{"name":"twig/twig","version":"v3.3.2"}],"dev":false}"#;
    place.write("www/nouvelles/vendor/composer/installed.json", installed);
}

/// Whether lines are as expected; a line `…` stands for any number of lines.
fn fits(expected: &[&str], actual: &[&str]) -> bool {
    match (expected, actual) {
        ([], []) => true,
        (["…", rest @ ..], _) => (0..=actual.len()).any(|skip| fits(rest, &actual[skip..])),
        ([line, rest @ ..], [said, more @ ..]) => line_fits(line, said) && fits(rest, more),
        _ => false,
    }
}

/// Whether a line is as expected; `…` stands for any text within it.
fn line_fits(expected: &str, said: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else { return expected == said };
    let Some(said) = said.strip_prefix(start) else { return false };
    let ends = said.char_indices().map(|(at, _)| at).chain([said.len()]);
    ends.into_iter().any(|at| line_fits(rest, &said[at..]))
}

#[test]
fn lines_fit_as_the_head_says() {
    for (expected, said) in [("a", "a"), ("a…", "a"), ("a…c", "abc"), ("…", ""), ("a…b…d", "aXbYd")]
    {
        assert!(line_fits(expected, said), "{expected} {said}");
    }
    for (expected, said) in [("a", "b"), ("a…c", "ab"), ("", "x"), ("a…", "b")] {
        assert!(!line_fits(expected, said), "{expected} {said}");
    }
    assert!(fits(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(fits(&["…"], &[]));
    assert!(!fits(&["a", "…", "d"], &["a", "b"]));
}
