//! Who has a file that an advisory of our own means, and where nobody can tell.

use relight_model::{
    Advisory, Basis, ClassNames, Component, Criticality, Flaw, FlawCode, GateKey, Glob, Profile,
    ProfileGap, Purl, Sbom, Scope, SiteId, Values,
};
use relight_store::{SiteRow, SnapshotDraft};

use super::*;
use crate::answer::{Ask, Grounds, SiteAnswer};

const ID: &str = "RLT-test-2026-0001";
const EVIL: Digest = Digest([0xee; 32]);

fn row(number: usize) -> SiteRow {
    SiteRow {
        line: number + 2,
        slug: GateKey::new(&format!("site-{number}")).unwrap(),
        name_fr: String::from("Site"),
        name_en: String::from("Site"),
        origin: format!("https://site-{number}.example"),
        organisation: String::from("Body"),
        sector: String::from("health"),
        criticality: Criticality::Important,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: String::from("edge-a"),
        public: true,
    }
}

fn classes(values: std::ops::Range<u64>) -> Values {
    Values { classes: values.collect(), ..Values::default() }
}

fn like(values: Values) -> Exhibit {
    Exhibit::Like(Example { name: String::from("evil.jar"), values, least: 500 })
}

fn component(evidence: &str, hashes: &[Digest]) -> Component {
    let purl = Purl::parse("pkg:maven/g/a@1").unwrap();
    let component = Component::new(purl, evidence, Basis::Manifest, Scope::Installed);
    Component { hashes: hashes.to_vec(), ..component }
}

/// A register of sites with these inventories; that of the last one is never made.
struct Town {
    _folder: tempfile::TempDir,
    store: Store,
    index: Index,
}

impl Town {
    fn new(inventories: &[(Sbom, Option<Vec<Profile>>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let rows: Vec<SiteRow> = (0..=inventories.len()).map(row).collect();
        store.apply_import(&store.plan_import(&rows).unwrap(), 1, "test").unwrap();
        let index = Index::build(&store).unwrap();
        let mut town = Self { _folder: folder, store, index };
        for (at, (sbom, profiles)) in inventories.iter().enumerate() {
            town.put(at + 1, sbom, profiles.as_deref());
        }
        town
    }

    fn put(&mut self, asset: usize, sbom: &Sbom, profiles: Option<&[Profile]>) {
        let asset = AssetId(u32::try_from(asset).unwrap());
        let draft = SnapshotDraft { asset, sbom, observed_at: 1, recorded_at: 1, profiles };
        self.store.put_snapshots(&[draft]).unwrap();
        self.index.refresh(&self.store, &[asset]).unwrap();
    }

    /// The answer of each site: verdict, reasons and places.
    fn ask(&self, exhibits: Vec<Exhibit>, now: i64) -> Vec<String> {
        let (advisories, question) = asked(exhibits);
        let looked = Exhibited::of(&self.store, &self.index, &advisories, &question);
        self.answers(&advisories, &question, looked.map(Arc::new), now)
    }

    fn answers(
        &self,
        advisories: &Advisories,
        question: &Question,
        exhibited: Option<Arc<Exhibited>>,
        now: i64,
    ) -> Vec<String> {
        let (index, age_max, grounds) = (&self.index, 10, Grounds::Firm);
        let ask = Ask { question, advisories, index, exhibited, now, age_max, grounds };
        let sites: Vec<SiteId> = self.store.sites().unwrap().iter().map(|it| it.id).collect();
        let line = |it: SiteAnswer| {
            let reasons: Vec<&str> = it.reasons.iter().map(|reason| reason.as_str()).collect();
            let verdict = it.answer.verdict().as_str();
            format!("{verdict} [{}] {}", reasons.join(" "), it.places.join(" "))
        };
        ask.sites(sites).sites.into_iter().map(line).collect()
    }
}

fn asked(exhibits: Vec<Exhibit>) -> (Advisories, Question) {
    let record = Advisory { id: ID.into(), exhibits, ..Advisory::default() };
    (Advisories::new(vec![record]), Question::Advisory(ID.to_owned()))
}

fn sbom(components: Vec<Component>) -> Sbom {
    Sbom { tool: String::from("test"), components, ..Sbom::default() }
}

fn profile(place: &str, values: Values) -> Profile {
    Profile { place: place.into(), values, names: None }
}

/// A container with classes of these names.
fn named(place: &str, names: &[&str], is_whole: bool) -> Profile {
    let names = ClassNames::of(names.iter().map(|it| (*it).to_owned()), is_whole);
    Profile { names: Some(names), ..profile(place, classes(700..740)) }
}

fn glob(pattern: &str) -> Glob {
    Glob::of_end(pattern).unwrap()
}

/// The sites: one with both, one with neither, one whose archives nobody looked into, one with an
/// archive that reached a limit, one with a place that could not be read, one without anything.
fn town() -> Town {
    let clean = || Some(vec![profile("good.jar", classes(500..540))]);
    let both = vec![profile("app/renamed.jar", classes(0..40))];
    let cut = Values { gap: ProfileGap::Values, ..classes(500..510) };
    let flaw = Flaw { code: FlawCode::PermissionDenied, evidence: String::from("x"), bytes: 1 };
    Town::new(&[
        (sbom(vec![component("app/evil.jar", &[EVIL])]), Some(both)),
        (sbom(vec![component("good.jar", &[Digest([1; 32])])]), clean()),
        (sbom(vec![component("good.jar", &[])]), None),
        (sbom(vec![]), Some(vec![profile("cut.jar", cut)])),
        (Sbom { flaws: vec![flaw], ..sbom(vec![]) }, clean()),
    ])
}

#[test]
fn an_example_clears_only_where_everything_was_looked_into() {
    let wanted = [
        "affected [] app/renamed.jar",
        "clear [] ",
        "unknown [not-observable] ",
        "unknown [not-observable] ",
        "unknown [partial-permission] ",
        "unknown [never-inventoried not-observable] ",
    ];
    assert_eq!(town().ask(vec![like(classes(0..40))], 5), wanted);
    // An old inventory still says who has it.
    let old = town().ask(vec![like(classes(0..40))], 50);
    assert_eq!(old[..2], ["affected [stale] app/renamed.jar", "unknown [stale] "]);
    // Loose files have no place in a profile.
    let members = Values { members: (0..40).collect(), ..Values::default() };
    assert!(town().ask(vec![like(members)], 5).iter().all(|it| it.starts_with("unknown")));
    // Each example has to be seen, and any that is there counts.
    let two = town().ask(vec![like(classes(900..940)), like(classes(0..40))], 5);
    assert_eq!(two[..2], ["affected [] app/renamed.jar", "clear [] "]);
}

#[test]
fn a_digest_finds_and_never_clears() {
    let hidden = "unknown [not-observable] ";
    let wanted = [
        "affected [not-observable] app/evil.jar",
        hidden,
        hidden,
        hidden,
        "unknown [partial-permission not-observable] ",
        "unknown [never-inventoried not-observable] ",
    ];
    let town = town();
    assert_eq!(town.ask(vec![Exhibit::File(EVIL)], 5), wanted);
    let both = town.ask(vec![Exhibit::File(Digest([9; 32])), like(classes(0..40))], 5);
    assert_eq!(both[..2], ["affected [not-observable] app/renamed.jar", hidden]);
}

/// Goal: a path finds archives and what inventories name, and never clears. Method: a recognised
/// file, an archive in which nothing was recognised, another name, a file that could not be read,
/// and an inventory without any look at archives.
#[test]
fn a_path_finds_and_never_clears() {
    let flaw = |evidence: &str| {
        let evidence = String::from(evidence);
        vec![Flaw { code: FlawCode::PermissionDenied, evidence, bytes: 1 }]
    };
    let whole = || Some(vec![profile("a.war!/lib/log4j-2.jar", classes(0..40))]);
    let town = Town::new(&[
        (sbom(vec![component("lib/log4j-1.jar!/META-INF/pom.xml", &[])]), Some(vec![])),
        (sbom(vec![]), whole()),
        (sbom(vec![component("lib/other.jar", &[])]), Some(vec![])),
        (Sbom { flaws: flaw("lib/log4j-3.jar"), ..sbom(vec![]) }, Some(vec![])),
        (sbom(vec![]), None),
    ]);
    let wanted = [
        "affected [not-observable] lib/log4j-1.jar",
        "affected [not-observable] a.war!/lib/log4j-2.jar",
        "unknown [not-observable] ",
        "affected [partial-permission not-observable] lib/log4j-3.jar",
        "unknown [not-observable] ",
        "unknown [never-inventoried not-observable] ",
    ];
    assert_eq!(town.ask(vec![Exhibit::Path(glob("*/log4j*.jar"))], 5), wanted);
    // Nor does anything beside it clear.
    let both = vec![Exhibit::Path(glob("*.ear")), like(classes(900..940))];
    assert!(town.ask(both, 5).iter().all(|it| it.starts_with("unknown")));
}

/// Goal: the name of a class finds, and clears only where all names are known. Method: an archive
/// and a folder with the class, an archive with others, one of which not all is known, one that was
/// taken in before names were kept, a place that could not be read, no look at archives.
#[test]
fn a_class_clears_only_where_every_name_is_known() {
    let flaw = Flaw { code: FlawCode::PermissionDenied, evidence: String::from("x"), bytes: 1 };
    let clean = || Some(vec![named("good.jar", &["org/x/Other", "org/x/JndiLookup$1"], true)]);
    let has = ["org/apache/JndiLookup", "org/x/Other"];
    let many: Vec<String> = (0..9).map(|number| format!("p{number}/JndiLookup")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let town = Town::new(&[
        (sbom(vec![]), Some(vec![named("a.war!/b.jar", &has, true), named("x/", &has, true)])),
        (sbom(vec![]), clean()),
        (sbom(vec![]), Some(vec![named("cut.jar", &has[1..], false)])),
        (sbom(vec![]), Some(vec![named("good.jar", &[], true), profile("old.jar", classes(0..9))])),
        (Sbom { flaws: vec![flaw], ..sbom(vec![]) }, clean()),
        (sbom(vec![]), None),
        (sbom(vec![]), Some(vec![named("./", &many, false)])),
        (sbom(vec![]), Some(vec![])),
    ]);
    let hidden = "unknown [not-observable] ";
    let wanted = [
        "affected [] a.war!/b.jar!/org/apache/JndiLookup x/org/apache/JndiLookup",
        "clear [] ",
        hidden,
        hidden,
        "unknown [partial-permission] ",
        hidden,
        "affected [not-observable] p0/JndiLookup p1/JndiLookup p2/JndiLookup p3/JndiLookup",
        "clear [] ",
        "unknown [never-inventoried not-observable] ",
    ];
    let class = || Exhibit::Class(glob("*JndiLookup"));
    assert_eq!(town.ask(vec![class()], 5), wanted);
    // Each of several questions has to be seen.
    let both = vec![class(), Exhibit::Path(glob("*/no*.jar"))];
    assert!(town.ask(both, 5).iter().all(|it| !it.starts_with("clear")));
    let both = vec![class(), like(classes(900..940))];
    assert_eq!(town.ask(both, 5)[..3], wanted[..3]);
    // What classes were called in the past is not kept.
    let (advisories, question) = asked(vec![class()]);
    let past = Exhibited::of_past(&town.store, &town.index, &advisories, &question);
    let answers = town.answers(&advisories, &question, past.map(Arc::new), 5);
    assert!(answers.iter().all(|it| it.starts_with("unknown")), "{answers:?}");
}

/// Goal: an inventory that was made before names were kept is clear of no class, also where it kept
/// no container, until the next one is made. Method: the mark of those of before.
#[test]
fn an_inventory_of_before_is_clear_of_no_class() {
    let mut town = Town::new(&[(sbom(vec![]), Some(vec![])), (sbom(vec![]), Some(vec![]))]);
    let behind = rusqlite::Connection::open(town.store.path()).unwrap();
    behind.execute("UPDATE profiled SET has_names = 0", []).unwrap();
    let ask = |town: &Town| town.ask(vec![Exhibit::Class(glob("*Lookup"))], 5)[..2].to_vec();
    assert_eq!(ask(&town), ["unknown [not-observable] "; 2]);
    // What archives are made of was kept.
    let like = town.ask(vec![like(classes(900..940))], 5);
    assert_eq!(like[..2], ["clear [] "; 2]);
    town.put(2, &sbom(vec![]), Some(&[]));
    assert_eq!(ask(&town), ["unknown [not-observable] ", "clear [] "]);
}

/// As for digests: names are not read again, and the answer is that of a first look.
#[test]
fn a_second_look_at_names_reads_only_what_is_new() {
    let jar = |name: &str| Some(vec![named("a.jar", &[name], true)]);
    let mut town = Town::new(&[(sbom(vec![]), jar("x/Bad")), (sbom(vec![]), jar("x/Good"))]);
    let look = |town: &Town, pattern: &str, before: &Exhibited| {
        let class = Exhibit::Class(glob(pattern));
        Exhibited::look(&town.store, &town.index, &[&class], before).unwrap()
    };
    let first = look(&town, "*Bad", &Exhibited::default());
    assert_eq!(first.assets().iter().collect::<Vec<_>>(), [1]);
    let moved = sbom(vec![component("b.jar", &[])]);
    town.put(1, &moved, jar("x/Good").as_deref());
    town.put(2, &moved, jar("y/Bad").as_deref());
    let (next, anew) = (look(&town, "*Bad", &first), look(&town, "*Bad", &Exhibited::default()));
    assert_eq!(next.found, anew.found);
    assert_eq!(next.places(AssetId(2)).collect::<Vec<_>>(), ["a.jar!/y/Bad"]);
    assert!(next.sees(AssetId(1)) && next.named.len() == 2);
    let kept = |digest: &Digest| Arc::ptr_eq(&first.named[digest], &next.named[digest]);
    assert!(first.named.keys().filter(|digest| next.named.contains_key(digest)).all(kept));
    let other = look(&town, "*Good", &first);
    assert_eq!(other.places(AssetId(1)).collect::<Vec<_>>(), ["a.jar!/x/Good"]);
}

/// Goal: what was read of an inventory is not read again, and the answer is that of a first look.
/// Method: the same question before and after inventories changed, with and without what was seen.
#[test]
fn a_second_look_reads_only_what_is_new() {
    let mut town = town();
    let look = |town: &Town, exhibit: &Exhibit, before: &Exhibited| {
        Exhibited::look(&town.store, &town.index, &[exhibit], before).unwrap()
    };
    let (evil, none) = (Exhibit::File(EVIL), Exhibited::default());
    let first = look(&town, &evil, &none);
    assert_eq!(first.assets().iter().collect::<Vec<_>>(), [1]);
    town.put(2, &sbom(vec![component("new/evil.jar", &[EVIL])]), None);
    town.put(1, &sbom(vec![]), None);
    let (next, anew) = (look(&town, &evil, &first), look(&town, &evil, &none));
    assert_eq!((&next.found, &next.read), (&anew.found, &anew.read));
    assert_eq!(next.places(AssetId(2)).collect::<Vec<_>>(), ["new/evil.jar"]);
    assert!(next.found.len() == 1 && !next.sees(AssetId(2)));
    // Other digests are another question.
    let other = look(&town, &Exhibit::File(Digest([9; 32])), &first);
    assert!(other.found.is_empty() && other.read.values().all(|places| places.is_empty()));
}

/// Goal: what is known of the present inventory clears nobody of the past. Method: both kinds of
/// files, asked of the same inventories as if they were old ones.
#[test]
fn the_past_is_not_answered_for_by_what_archives_are_made_of_today() {
    let town = town();
    let past = |exhibits| {
        let (advisories, question) = asked(exhibits);
        let looked = Exhibited::of_past(&town.store, &town.index, &advisories, &question);
        town.answers(&advisories, &question, looked.map(Arc::new), 5)
    };
    let hidden = "unknown [not-observable] ";
    assert_eq!(past(vec![like(classes(0..40))])[..2], [hidden, hidden]);
    let both = past(vec![like(classes(900..940)), Exhibit::File(EVIL)]);
    assert_eq!(both[..2], ["affected [not-observable] app/evil.jar", hidden]);
}

#[test]
fn what_cannot_be_read_leaves_every_site_unknown() {
    let (advisories, question) = asked(vec![Exhibit::File(EVIL)]);
    assert_eq!(question.gap(&advisories), None);
    let answers = town().answers(&advisories, &question, Some(Arc::default()), 5);
    assert!(answers.iter().all(|it| it.starts_with("unknown [")), "{answers:?}");
}

/// Goal: a look that fails takes back nothing that was found, and clears nobody. Method: the
/// inventories of one register are looked for in another, where they are not.
#[test]
fn a_look_that_fails_keeps_what_was_found_and_clears_nobody() {
    let (town, elsewhere) = (town(), Town::new(&[]));
    let exhibits = [Exhibit::File(EVIL), like(classes(900..940))];
    let look = |store: &Store, exhibit: &Exhibit| {
        Exhibited::look(store, &town.index, &[exhibit], &Exhibited::default())
    };
    assert!(look(&elsewhere.store, &exhibits[0]).is_err());
    let [file, example] = exhibits.each_ref().map(|it| look(&town.store, it).unwrap());
    assert!(!file.is_unsure() && example.sees(AssetId(1)));
    let left = file.unsure();
    assert_eq!(left.assets(), file.assets());
    assert!(left.is_unsure() && !example.unsure().sees(AssetId(1)));
    let (advisories, question) = asked(exhibits[..1].to_vec());
    let answers = town.answers(&advisories, &question, Some(Arc::new(left)), 5);
    assert!(answers[0].starts_with("affected [") && answers[1].starts_with("unknown ["));
    let first = Exhibited::of(&elsewhere.store, &town.index, &advisories, &question).unwrap();
    assert!(first.is_unsure() && first.assets().is_empty());
}

#[test]
fn a_withdrawn_advisory_means_no_files_and_each_exhibit_is_a_revision() {
    let record = |exhibits: Vec<Exhibit>, withdrawn| {
        let record = Advisory { id: ID.into(), exhibits, withdrawn, ..Advisory::default() };
        let advisories = Advisories::new(vec![record]);
        let group = advisories.group(ID).unwrap();
        (group.revision(), group.exhibits().len())
    };
    let none = record(Vec::new(), None);
    assert_eq!(record(vec![Exhibit::File(EVIL)], Some(1)), none);
    let named = |least| {
        let name = String::from("other");
        Exhibit::Like(Example { name, values: classes(0..40), least })
    };
    let file = Exhibit::File(EVIL);
    let all = [
        vec![],
        vec![file.clone()],
        vec![like(classes(0..40))],
        vec![like(classes(0..41))],
        vec![named(400)],
        vec![file, named(400)],
        vec![Exhibit::Path(glob("a"))],
        vec![Exhibit::Class(glob("a"))],
        vec![Exhibit::Class(glob("b"))],
    ];
    let revisions: BTreeSet<_> = all.iter().map(|it| record(it.clone(), None).0).collect();
    assert_eq!(revisions.len(), all.len());
    // What the file was called means nothing.
    assert_eq!(record(vec![named(500)], None).0, record(vec![like(classes(0..40))], None).0);
}
