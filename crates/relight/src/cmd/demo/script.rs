//! The acts of the demo, in order. Each looks at what is there before it does anything, so a demo
//! whose engine was killed goes on where the journal stands.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use relight_engine::demo::{DemoSite, Obstacle, Province};
use relight_engine::drive::Drive;
use relight_engine::edges;
use relight_engine::incident::{Counters, EvidenceKind, Gate, Phase};
use relight_engine::matching::Question;
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::store::{SiteRow, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S};
use relight_model::{Digest, GateKey, Verdict};
use relight_server::clock;

use super::owners::{Owners, Pace};
use super::stage::{EDGE, Layout};

/// The question of December 2021.
pub(super) const QUESTION: &str = "CVE-2021-44228";

/// Who gives the order, as the journal records it.
const COMMAND: &str = "demo command";

/// How long an edge may take to settle before the demo calls it a failure.
const SETTLE_MAX: Duration = Duration::from_secs(60);

/// The answer at the moment of the order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answered {
    pub(super) affected: usize,
    pub(super) clear: usize,
    pub(super) unknown: usize,
    pub(super) micros: u128,
}

/// Opens the engine on the data of the demo.
pub(super) fn open(layout: &Layout) -> anyhow::Result<Arc<Engine>> {
    let data = layout.data();
    let store = Store::open(&data)?;
    let options = EngineOptions {
        holder: format!("demo {}", std::process::id()),
        clock: clock::now_ms,
        inventory_ttl_s: INVENTORY_TTL_S,
    };
    Ok(Arc::new(Engine::open(Arc::new(store), options)?))
}

/// Registers the province.
pub(super) fn register(engine: &Engine, province: &Province) -> anyhow::Result<()> {
    let rows: Vec<SiteRow> = province.sites.iter().map(|site| row(province, site)).collect();
    let plan = engine.store().plan_import(&rows)?;
    anyhow::ensure!(plan.conflicts.is_empty(), "the province contradicts itself");
    engine.store().apply_import(&plan, engine.now(), COMMAND)?;
    engine.store().meta_put("demo", &province.seed.to_string())?;
    Ok(engine.reload()?)
}

fn row(province: &Province, site: &DemoSite) -> SiteRow {
    let body = &province.bodies[site.body];
    SiteRow {
        line: 0,
        slug: site.slug.clone(),
        name_fr: site.name_fr.clone(),
        name_en: site.name_en.clone(),
        origin: format!("http://{}", site.host),
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        organisation: body.name.clone(),
        sector: body.sector.to_owned(),
        criticality: site.criticality,
        exposure: None,
        edge: EDGE.to_owned(),
        public: true,
    }
}

/// Tells the register where the edge is.
pub(super) fn enrol(engine: &Engine, target: &relight_engine::edge::Target) -> anyhow::Result<()> {
    Ok(engine.store().put_edge(&edges::to_row(target)?, engine.now(), COMMAND)?)
}

/// The inventory before the incident: every site but those that nobody ever scanned.
pub(super) fn inventory(owners: &Owners<'_>) -> anyhow::Result<()> {
    let sites: Vec<&DemoSite> = owners
        .province
        .sites
        .iter()
        .filter(|site| site.obstacle != Obstacle::NeverInventoried)
        .collect();
    owners.inventory(&sites)
}

/// Asks which sites are affected.
pub(super) fn ask(engine: &Engine) -> (Answered, Vec<GateKey>) {
    let began = Instant::now();
    let answers = engine.ask(&Question::Advisory(QUESTION.to_owned()));
    let micros = began.elapsed().as_micros();
    let keys: Vec<GateKey> = engine
        .sites()
        .into_iter()
        .zip(&answers.sites)
        .filter(|(_, answer)| answer.answer.verdict() != Verdict::Clear)
        .map(|(site, _)| site.slug)
        .collect();
    let answered = Answered {
        affected: answers.count(Verdict::Affected),
        clear: answers.count(Verdict::Clear),
        unknown: answers.count(Verdict::Unknown),
        micros,
    };
    (answered, keys)
}

/// Opens the incident and orders everything dark that is not proven clear.
pub(super) fn order(engine: &Engine, keys: &[GateKey]) -> anyhow::Result<String> {
    let incident = engine.open_incident(COMMAND, QUESTION, "demo")?;
    let ask = PlanAsk {
        incident: incident.clone(),
        action: Action::Dark,
        part: None,
        reason: "Log4Shell".to_owned(),
        advisory_revision: Digest::default(),
        policy: Digest::default(),
        proposer: COMMAND.to_owned(),
        created: engine.now(),
    };
    let plan = engine.plan(ask, keys)?;
    engine.execute(&plan, COMMAND)?;
    Ok(incident)
}

/// Waits until every site that is wanted dark is proven dark.
pub(super) fn wait_dark(engine: &Engine, incident: &str) -> anyhow::Result<()> {
    wait(engine, incident, "every site to be proven dark", |counters| counters.exposed == 0)
}

/// Journals what is known about every site: the clear ones stay lit on it, the others have their
/// verdict.
pub(super) fn attach(engine: &Engine, incident: &str) -> anyhow::Result<()> {
    let without: Vec<GateKey> = engine.with_ledger(|ledger| {
        let case_of = |key: &GateKey| ledger.incident(incident).and_then(|found| found.case(key));
        let known = |key: &GateKey| case_of(key).is_some_and(|case| case.evidence.is_some());
        let sites = engine.sites().into_iter().map(|site| site.slug);
        sites.filter(|key| !known(key)).collect()
    });
    engine.attach_evidence(COMMAND, incident, &without, EvidenceKind::Scan)?;
    Ok(())
}

/// Waits until what was opened is proven lit.
pub(super) fn wait_lit(engine: &Engine, incident: &str) -> anyhow::Result<()> {
    wait(engine, incident, "every relit site to be proven lit", |counters| {
        counters.phase(Phase::Relighting) == 0 && counters.phase(Phase::RelightEligible) == 0
    })
}

fn wait(
    engine: &Engine,
    incident: &str,
    what: &str,
    done: impl Fn(&Counters) -> bool,
) -> anyhow::Result<()> {
    let sites: Vec<GateKey> = engine.sites().into_iter().map(|site| site.slug).collect();
    let began = Instant::now();
    loop {
        let version = engine.version();
        let counters = engine.with_ledger(|ledger| {
            ledger.incident(incident).map(|i| Counters::of(i, &sites, engine.now()))
        });
        if done(&counters.context("the incident is gone")?) {
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < SETTLE_MAX, "waited in vain for {what}");
        engine.wait_changed(version, Duration::from_millis(100));
    }
}

/// The incident from the order to its end, wherever the journal stands.
pub(super) fn incident(owners: &Owners<'_>) -> anyhow::Result<String> {
    let engine = owners.engine;
    let ordered = engine.with_ledger(|ledger| {
        ledger
            .incident(QUESTION)
            .is_some_and(|incident| incident.cases().values().any(|c| c.ordered))
    });
    let incident = if ordered {
        QUESTION.to_owned()
    } else {
        let (_, keys) = ask(engine);
        order(engine, &keys)?
    };
    wait_dark(engine, &incident)?;
    attach(engine, &incident)?;
    owners.work(&incident, &Pace::default())?;
    wait_lit(engine, &incident)?;
    wait_dark(engine, &incident)?;
    Ok(incident)
}

/// Sites whose gate is not proven although dark is wanted.
pub(super) fn unproven(engine: &Engine, incident: &str) -> usize {
    engine.with_ledger(|ledger| {
        let cases = ledger.incident(incident).map(|incident| incident.cases());
        cases.map_or(0, |cases| {
            let dark = |case: &&relight_engine::incident::Case| {
                case.phase.wants() == relight_model::Light::Dark && case.gate != Gate::Proven
            };
            cases.values().filter(dark).count()
        })
    })
}

/// Starts the loops of the edges.
pub(super) fn drive(engine: &Arc<Engine>) -> anyhow::Result<Drive> {
    Ok(Drive::start(engine)?)
}
