//! The engine: one register, its inventory and its incidents, behind one lock.
//!
//! Every change of an incident goes through [`Engine::append`]: checked against the fold, synced to
//! the journal, and only then visible to the loops of the edges (INCIDENT I2).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::resume_unwind;
use std::sync::atomic::AtomicU64;
use std::sync::{
    Arc, Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use relight_match::{Advisories, MATCHER_REVISION, Question};
use relight_model::{
    Digest, Epoch, Finding, GateKey, OrgId, Organisation, Site, SiteId, Timestamp,
};
use relight_store::{IdentityId, Index, JOURNAL_LEASE, JournalRecord, Lease, SiteMark, Store};

use crate::access::Scope;
use crate::answer::{AnswerSet, Ask, Grounds};
use crate::commit::Commits;
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Entry, Ledger, Rejected};
use crate::inventoried::{FoundSites, Inventoried};
use crate::live::Board;
use crate::logs::KeptCampaigns;
use crate::reconcile::{self, Want};
use crate::stage::Stage;
use crate::takeover::{Taken, Trust};

/// The clock of the engine: milliseconds since 1970-01-01T00:00:00Z. Read at the rim, handed in.
pub type Clock = fn() -> i64;

/// Inventories older than this are stale when an incident asks, in seconds (INCIDENT 3.1).
pub const INVENTORY_TTL_S: i64 = 24 * 3_600;

/// Who does what the engine does by itself, in the journal.
pub(crate) const ACTOR: &str = "relight";

/// How an engine is opened.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Name of this process in the lease.
    pub holder: String,
    /// The clock.
    pub clock: Clock,
    /// Inventories older than this, in seconds, are stale.
    pub inventory_ttl_s: i64,
}

/// What the lock protects.
pub(crate) struct State {
    pub(crate) ledger: Ledger,
    pub(crate) seq: u64,
    pub(crate) inventory: Inventoried,
    pub(crate) sites: Vec<Site>,
    /// How often another list of them was read.
    list: u64,
    pub(crate) by_key: HashMap<GateKey, usize>,
    /// Paths of the bodies that answer for sites.
    pub(crate) orgs: BTreeMap<OrgId, String>,
    /// Sites that no plan may take dark.
    pub(crate) protected: BTreeSet<GateKey>,
}

impl State {
    /// The register without its journal and its inventory.
    fn of_register(store: &Store) -> Result<Self, EngineError> {
        let (sites, inventory) = (store.sites()?, Inventoried::unread());
        let (by_key, orgs) = (keys_of(&sites), orgs_of(store)?);
        let protected = store.marked(SiteMark::Protected)?;
        let (ledger, seq, list) = (Ledger::default(), 0, 0);
        Ok(Self { ledger, seq, inventory, sites, list, by_key, orgs, protected })
    }

    /// Takes another list of sites, if it is another one.
    pub(crate) fn take_sites(&mut self, sites: Vec<Site>) {
        if self.sites != sites {
            self.list += 1;
            self.by_key = keys_of(&sites);
            self.sites = sites;
        }
    }
}

/// One register under control.
pub struct Engine {
    pub(crate) store: Arc<Store>,
    pub(crate) lease: Lease,
    pub(crate) options: EngineOptions,
    state: RwLock<State>,
    pub(crate) stage: Stage,
    version: Mutex<u64>,
    changed: Condvar,
    listeners: RwLock<Vec<Listener>>,
    /// Boards that follow the register for as long as somebody looks at them.
    boards: Mutex<Vec<Weak<Board>>>,
    pub(crate) commits: Commits,
    /// Plans whose waves a thread of this process carries out.
    pub(crate) carried: Mutex<BTreeSet<Digest>>,
    /// Held by whoever decides and journals an act of a person.
    pub(crate) acts: Mutex<()>,
    /// Held by whoever decides and journals what news darkens: see [`Engine::one_news`].
    pub(crate) news: Mutex<()>,
    /// Incidents whose sites could not all be matched again, on a full disk say.
    pub(crate) unmatched: Mutex<BTreeSet<String>>,
    /// The releases that advisories spoke of when open incidents were last looked at.
    pub(crate) releases: Mutex<Option<String>>,
    /// Number of the last change of the register that was looked at.
    pub(crate) changes_seen: AtomicU64,
    /// An order that an edge holds and the journal does not, which is not journalled yet.
    pub(crate) lost: Mutex<Option<Epoch>>,
    /// Judged once for all who ask.
    pub(crate) campaigns: KeptCampaigns,
}

/// What one append did.
#[derive(Debug)]
pub struct Appended<'a> {
    /// Before it began: no edge acted on the entries before.
    pub began: Instant,
    /// The entries, by incident, in order.
    pub entries: &'a [(String, Entry)],
    /// Which of them were accepted, in the same order.
    pub results: &'a [Result<(), Rejected>],
}

impl<'a> Appended<'a> {
    /// The entries that were accepted, by incident.
    pub fn accepted(&self) -> impl Iterator<Item = &'a (String, Entry)> {
        let pairs = self.entries.iter().zip(self.results);
        pairs.filter(|(_, result)| result.is_ok()).map(|(entry, _)| entry)
    }
}

/// Called after each append, once it is synced.
pub type Listener = Box<dyn Fn(&Engine, &Appended<'_>) + Send + Sync>;

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens a register: takes the lease of the journal, replays it, builds the index, and matches
    /// the sites of open incidents again where advisories changed meanwhile, or where inventories
    /// were left.
    ///
    /// # Errors
    /// The store cannot be read, or the journal does not replay.
    pub fn open(store: Arc<Store>, options: EngineOptions) -> Result<Self, EngineError> {
        let taken = Self::take_over(&store, &options)?;
        let (inventory, engine) = thread::scope(|scope| {
            let inventory = scope.spawn(|| Inventoried::read(&store));
            let engine = Self::begin(Arc::clone(&store), options, taken);
            // A thread that panicked found a bug of ours: it goes on in this one.
            (inventory.join().unwrap_or_else(|panic| resume_unwind(panic)), engine)
        });
        let engine = engine?;
        engine.take_inventory(inventory?)?;
        Ok(engine)
    }

    /// Takes the register from whoever controls it.
    pub(crate) fn take_over(store: &Store, options: &EngineOptions) -> Result<Taken, EngineError> {
        let now = (options.clock)() / 1_000;
        let lease = store.take_lease(JOURNAL_LEASE, &options.holder, now)?;
        Taken::above_edges(store, lease)
    }

    /// Opens a register before its inventory is there: what the journal says is known, and nothing
    /// else.
    pub(crate) fn begin(
        store: Arc<Store>,
        options: EngineOptions,
        taken: Taken,
    ) -> Result<Self, EngineError> {
        let engine = Self::with_lease(store, options, taken.lease, Trust::Verify)?;
        engine.look_for_lost_orders(taken.epochs)?;
        Ok(engine)
    }

    /// From here on questions are answered, and once the evidence of open incidents follows what
    /// was read, sites may be opened.
    pub(crate) fn take_inventory(&self, inventory: Inventoried) -> Result<(), EngineError> {
        self.journalling().inventory = inventory;
        self.stage.know();
        match self.settle_evidence() {
            // Begins all the same: what darkens needs it. Nothing is opened before there is room.
            Err(_) if self.store.is_short_of_space() => {}
            settled => settled?,
        }
        self.wake();
        Ok(())
    }

    /// Lets sites be opened, once: the evidence of open incidents follows what was read.
    ///
    /// # Errors
    /// The journal cannot be written: what was clear before may not be any more, and stays shut.
    pub(crate) fn settle_evidence(&self) -> Result<(), EngineError> {
        if self.stage.is_ahead() {
            self.fall_back(&mut self.journalling())?;
        }
        if !self.stage.is_settled() {
            self.tell_restored()?;
            let followed = self.follow_advisories();
            let matched = self.follow_matcher();
            followed.and(matched).and(self.take_left())?;
            self.stage.settle();
        }
        Ok(())
    }

    /// Opens a register for work that writes nothing to the journal, beside whoever controls it:
    /// takes no lease, so that nobody is fenced. An entry that is tried all the same is refused.
    ///
    /// # Errors
    /// As for [`Engine::open`].
    pub fn beside(store: Arc<Store>, options: EngineOptions) -> Result<Self, EngineError> {
        // Terms count from 1: no journal takes this one.
        let (name, holder) = (JOURNAL_LEASE.to_owned(), options.holder.clone());
        let lease = Lease { name, holder, term: 0 };
        let engine = Self::with_lease(store, options, lease, Trust::AsItIs)?;
        let inventory = Inventoried::read(&engine.store)?;
        engine.journalling().inventory = inventory;
        engine.stage.know();
        Ok(engine)
    }

    fn with_lease(
        store: Arc<Store>,
        options: EngineOptions,
        lease: Lease,
        trust: Trust,
    ) -> Result<Self, EngineError> {
        // Whoever starts again in the middle of an incident has edges that wait.
        let (replayed, state) = thread::scope(|scope| {
            let intact = scope.spawn(|| trust.check(&store));
            let register = scope.spawn(|| State::of_register(&store));
            let replayed = replay(&store);
            // A thread that panicked found a bug of ours: it goes on in this one.
            let intact = intact.join().unwrap_or_else(|panic| resume_unwind(panic));
            (intact.and(replayed), register.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let (ledger, seq) = replayed?;
        let state = State { ledger, seq, ..state? };
        Ok(Self {
            store,
            lease,
            options,
            state: RwLock::new(state),
            stage: Stage::default(),
            version: Mutex::new(0),
            changed: Condvar::new(),
            listeners: RwLock::default(),
            boards: Mutex::default(),
            commits: Commits::default(),
            carried: Mutex::default(),
            acts: Mutex::new(()),
            news: Mutex::new(()),
            unmatched: Mutex::default(),
            changes_seen: AtomicU64::default(),
            releases: Mutex::default(),
            lost: Mutex::default(),
            campaigns: KeptCampaigns::default(),
        })
    }

    /// Now, in seconds.
    pub fn now(&self) -> Timestamp {
        self.now_ms() / 1_000
    }

    /// Now, in milliseconds.
    pub fn now_ms(&self) -> i64 {
        (self.options.clock)()
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.options.clock
    }

    /// The store below.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Every site of the register, by number.
    pub fn sites(&self) -> Vec<Site> {
        self.journalled().sites.clone()
    }

    /// Every organisation of the register.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn organisations(&self) -> Result<Vec<Organisation>, EngineError> {
        Ok(self.store.organisations()?)
    }

    /// Reads sites, inventory and advisories from nothing after somebody changed the store;
    /// [`Engine::follow_store`] reads what changed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn reload(&self) -> Result<(), EngineError> {
        let sites = self.store.sites()?;
        let inventory = Inventoried::read(&self.store)?;
        let protected = self.store.marked(SiteMark::Protected)?;
        let orgs = orgs_of(&self.store)?;
        let mut state = self.write();
        (state.protected, state.orgs) = (protected, orgs);
        state.take_sites(sites);
        state.inventory = inventory;
        drop(state);
        self.tell_sites()?;
        self.follow_advisories()
    }

    /// Takes in the advisories that came into the store since they were last read, and matches
    /// what they say differently. Costs what changed, not what there is.
    ///
    /// # Errors
    /// The store cannot be read, or the journal cannot be written.
    pub fn follow_feeds(&self) -> Result<(), EngineError> {
        self.write().inventory.follow(&self.store)?;
        self.follow_advisories()
    }

    /// Refuses to go on when another process took the journal: from then on only that one acts.
    ///
    /// # Errors
    /// It did (`Fenced`), or the store cannot be read.
    pub fn check_lease(&self) -> Result<(), EngineError> {
        match self.store.lease(JOURNAL_LEASE)? {
            Some(lease) if lease == self.lease => Ok(()),
            _ => {
                let context = "another process controls the register".to_owned();
                Err(EngineError::new(EngineErrorKind::Fenced, context))
            }
        }
    }

    /// The answer of every site to a question, as an incident asks it.
    pub fn ask(&self, question: &Question) -> AnswerSet {
        let state = self.read();
        let sites: Vec<SiteId> = state.sites.iter().map(|site| site.id).collect();
        self.ask_of(&state, question).sites(sites)
    }

    /// The sites where an advisory finds something, from the match list and the files that are
    /// known to be meant: no version is compared. How far the inventories of the others can be
    /// trusted is for [`Engine::ask`].
    pub fn found(&self, id: &str) -> Arc<FoundSites> {
        self.read().inventory.found(&self.store, id)
    }

    /// What judging the identities that a question may mean gives, version by version.
    pub fn findings(&self, question: &Question) -> Vec<(IdentityId, Finding)> {
        self.ask_of(&self.read(), question).findings()
    }

    /// Matches everything again from nothing, and puts the result in place: nightly, and when the
    /// matcher changed. Where the list that followed each change was another one, which is a bug,
    /// the full list answers from now on, and a line for each flaw says how they differed.
    pub fn rematch(&self) -> Vec<String> {
        let now = self.now();
        self.write().inventory.rematch(now)
    }

    /// Pairs of an asset and an identity that it has.
    pub fn rows(&self) -> u64 {
        self.read().inventory.rows()
    }

    /// Pairs of an asset and an identity that some advisory means.
    pub fn matched_rows(&self) -> u64 {
        self.read().inventory.matched_rows()
    }

    pub(crate) fn ask_of<'a>(&self, state: &'a State, question: &'a Question) -> Ask<'a> {
        Ask {
            question,
            advisories: state.inventory.advisories(),
            index: state.inventory.index(),
            exhibited: state.inventory.exhibited(&self.store, question),
            now: self.now(),
            age_max: self.options.inventory_ttl_s,
            grounds: Grounds::Firm,
        }
    }

    /// Looks at the ledger under the lock; keep it short, the edges wait.
    pub fn with_ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.journalled().ledger)
    }

    /// Looks at the ledger under the lock, and at the advisories that its incidents are about.
    pub fn with_incidents<T>(&self, look: impl FnOnce(&Ledger, &Advisories) -> T) -> T {
        let state = self.read();
        look(&state.ledger, state.inventory.advisories())
    }

    /// Looks at inventory and advisories under the lock.
    pub fn with_inventory<T>(&self, look: impl FnOnce(&Index, &Advisories) -> T) -> T {
        let state = self.read();
        look(state.inventory.index(), state.inventory.advisories())
    }

    /// As [`Engine::append`] for one entry that has to be accepted.
    ///
    /// # Errors
    /// As [`Engine::append`], and when the entry was refused.
    pub fn record(&self, actor: &str, incident: &str, entry: Entry) -> Result<(), EngineError> {
        let results = self.append(actor, vec![(incident.to_owned(), entry)])?;
        results.into_iter().try_for_each(|result| Ok(result?))
    }

    /// What the journal wants of the sites of one edge, and under which epoch. Sites that no open
    /// incident ever touched are not in it.
    pub(crate) fn wants_of(&self, edge: &str) -> (Vec<Want>, Epoch) {
        let state = self.journalled();
        let site_of = |key: &GateKey| state.by_key.get(key).map(|index| &state.sites[*index]);
        let wants = reconcile::wants(&state.ledger, edge, site_of);
        (wants, Epoch { term: self.lease.term, seq: state.seq })
    }

    /// The names of edges that have sites.
    pub(crate) fn edges_of_sites(&self) -> BTreeSet<String> {
        let state = self.journalled();
        let names: BTreeSet<&str> = state.sites.iter().map(|site| site.edge.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// The number of the list of sites: each list that is another one has another number.
    pub(crate) fn list_of_sites(&self) -> u64 {
        self.journalled().list
    }

    /// The sites of one edge.
    pub(crate) fn keys_of(&self, edge: &str) -> BTreeSet<GateKey> {
        let state = self.journalled();
        let here = state.sites.iter().filter(|site| site.edge == edge);
        here.map(|site| site.slug.clone()).collect()
    }

    pub(crate) fn permits(&self, site: &GateKey) -> bool {
        self.stage.is_settled() && self.journalled().ledger.permits(site, self.now())
    }

    /// Whether sites may be opened: the evidence of open incidents follows what was read.
    pub fn is_settled(&self) -> bool {
        self.stage.is_settled()
    }

    /// Calls `listener` after each append from now on. It must not append itself.
    pub fn listen(&self, listener: Listener) {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Tells a board from now on which sites there are.
    pub(crate) fn watch_sites(&self, board: &Arc<Board>) {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        boards.push(Arc::downgrade(board));
    }

    /// The boards that somebody still looks at.
    pub(crate) fn boards(&self) -> Vec<Arc<Board>> {
        let boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        boards.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn tell(&self, appended: &Appended<'_>) {
        for listener in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener(self, appended);
        }
    }

    /// Wakes everybody who waits for a change.
    pub fn wake(&self) {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// The number of changes so far.
    pub fn version(&self) -> u64 {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change after `version`, at most `timeout`; the version then.
    pub fn wait_changed(&self, version: u64, timeout: Duration) -> u64 {
        let guard = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = |current: &mut u64| *current <= version;
        let waited = self.changed.wait_timeout_while(guard, timeout, unchanged);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Everything; waits until the inventory is there, for nothing is answered without it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.stage.wait_known();
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, to change it.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.stage.wait_known();
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the journal and the list of sites say, whether or not the inventory is there: nobody
    /// looks at that one here.
    pub(crate) fn journalled(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for who folds entries in.
    pub(crate) fn journalling(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keys_of(sites: &[Site]) -> HashMap<GateKey, usize> {
    sites.iter().enumerate().map(|(index, site)| (site.slug.clone(), index)).collect()
}

/// The path of each body.
pub(crate) fn orgs_of(store: &Store) -> Result<BTreeMap<OrgId, String>, EngineError> {
    let orgs = store.organisations()?.into_iter();
    Ok(orgs.map(|org| (org.id, Scope::of_body(&org.sector, &org.name).to_string())).collect())
}

/// No matcher has this revision: under it no evidence is current.
const OTHER_MATCHER: u32 = 0;

/// Folds the whole journal. Every entry in it was accepted once, at its recorded time, so it is
/// accepted again; one that is not means that the journal was written by other rules. Each entry
/// was judged by the matcher of its time; only at the end the one that runs now takes over.
///
/// Journals of before do not say which matcher ran between the start of a new program and its first
/// evidence, only that evidence of another one was not current. An entry that does not follow under
/// the matcher that the journal names followed under such a one.
///
/// Takes no lease: whoever controls the register goes on undisturbed.
///
/// # Errors
/// The store cannot be read, or an entry does not follow from those before it.
pub fn replay(store: &Store) -> Result<(Ledger, u64), EngineError> {
    replay_each(store, |_, _| ())
}

/// [`replay`], with a look at the ledger after each entry: its incident, itself, its time.
pub(crate) fn replay_each(
    store: &Store,
    mut look: impl FnMut(&Ledger, (&str, &Entry, Timestamp)),
) -> Result<(Ledger, u64), EngineError> {
    let mut ledger = Ledger::new(MATCHER_REVISION);
    let mut seq = 0;
    for JournalRecord { seq: number, time, incident, body, .. } in store.journal(1)? {
        let entry = Entry::from_body(&body).map_err(|error| {
            EngineError::because(format!("reading journal record {number}"), error)
        })?;
        seq = number;
        if matches!(entry, Entry::Refused { .. }) {
            continue;
        }
        if let Entry::EvidenceAttached { evidence } = &entry {
            ledger.note_matcher(evidence.matcher_revision);
        }
        let applied = ledger.apply(&incident, &entry, time).or_else(|why| {
            ledger.note_matcher(OTHER_MATCHER);
            // What is told is why it did not follow by what the journal says.
            ledger.apply(&incident, &entry, time).map_err(|_| why)
        });
        applied.map_err(|why| {
            EngineError::because(format!("replaying journal record {number}"), why.0)
        })?;
        look(&ledger, (&incident, &entry, time));
    }
    ledger.run_matcher(MATCHER_REVISION);
    Ok((ledger, seq))
}
