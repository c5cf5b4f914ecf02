//! The fictional province of `relight demo`: 3,992 sites of 304 bodies, written as real files.
//!
//! Everything follows from one seed. The ground truth (what each site really runs) is kept here
//! and in a file beside the trees; the program under demonstration never reads it, the demo
//! checks itself against it at the end.

mod archive;
mod names;
mod tree;

use relight_model::{Criticality, GateKey};
use relight_watch::sim::Random;

pub use tree::{Deployment, recover_site, release_of, write_site};

use names::{BODY_NAMES, SECTORS, SERVICES};

/// Sites that Québec closed in December 2021 (La Presse, 2021-12-15).
pub const SITES_DEFAULT: usize = 3_992;

/// Public bodies that ran them (ibid.).
pub const BODIES_DEFAULT: usize = 304;

/// Most sites of a demo.
pub const SITES_MAX: usize = 20_000;

/// What a site really runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stack {
    /// A Node.js application.
    Node,
    /// A Python application.
    Python,
    /// A Java application without Log4j.
    Java,
    /// A Java application with Log4j 2.17.1.
    JavaPatched,
    /// A Java application with the API of Log4j only, which is not affected.
    JavaApiOnly,
    /// Log4j 2.14.1 as a plain jar beside others.
    Plain,
    /// The same inside a war inside an ear.
    Nested,
    /// The same merged into one jar that keeps its metadata.
    Shaded,
    /// The same under another file name.
    Renamed,
    /// The same with its JNDI class deleted: a mitigation, still affected.
    Mitigated,
    /// A jar that only its file name gives away.
    NameOnly,
}

impl Stack {
    /// Has an affected version of log4j-core for CVE-2021-44228.
    pub const fn is_vulnerable(self) -> bool {
        match self {
            Self::Node | Self::Python | Self::Java | Self::JavaPatched | Self::JavaApiOnly => false,
            Self::Plain
            | Self::Nested
            | Self::Shaded
            | Self::Renamed
            | Self::Mitigated
            | Self::NameOnly => true,
        }
    }

    /// The stable name used in the truth file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Java => "java",
            Self::JavaPatched => "java-patched",
            Self::JavaApiOnly => "java-api-only",
            Self::Plain => "plain",
            Self::Nested => "nested",
            Self::Shaded => "shaded",
            Self::Renamed => "renamed",
            Self::Mitigated => "mitigated",
            Self::NameOnly => "name-only",
        }
    }
}

/// What stands between a scanner and the truth on the day of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// Nothing.
    None,
    /// Nobody ever took an inventory of it.
    NeverInventoried,
    /// Its main archive was cut while it was copied.
    Truncated,
    /// An archive in it is encrypted; the owner will bring a readable copy.
    Encrypted,
    /// The same, and the owner does not answer.
    EncryptedForGood,
}

impl Obstacle {
    /// The stable name used in the truth file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NeverInventoried => "never-inventoried",
            Self::Truncated => "truncated",
            Self::Encrypted => "encrypted",
            Self::EncryptedForGood => "encrypted-for-good",
        }
    }
}

/// How the repair of an affected site goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// The first attempt is right.
    Right,
    /// The first attempt leaves a second copy of the old library behind.
    LeavesACopy,
    /// The first attempt breaks the application.
    BreaksTheSite,
}

/// One site of the province.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoSite {
    /// Short name and gate key.
    pub slug: GateKey,
    /// Name in French.
    pub name_fr: String,
    /// Name in English.
    pub name_en: String,
    /// Host name, below `exemple.invalid`: it can never be a real one (RFC 2606).
    pub host: String,
    /// Index into [`Province::bodies`].
    pub body: usize,
    /// How much depends on it.
    pub criticality: Criticality,
    /// What it really runs.
    pub stack: Stack,
    /// What hides that.
    pub obstacle: Obstacle,
    /// How its repair will go.
    pub repair: Repair,
    /// Seed of its files.
    pub seed: u64,
}

/// A public body of the province.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its name.
    pub name: String,
    /// Code of its sector.
    pub sector: &'static str,
}

/// The whole province.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Province {
    /// The seed everything follows from.
    pub seed: u64,
    /// Public bodies.
    pub bodies: Vec<Body>,
    /// Sites, sorted by slug.
    pub sites: Vec<DemoSite>,
}

impl Province {
    /// A province of `sites` sites (at least 1, at most [`SITES_MAX`]) from a seed.
    pub fn generate(sites: usize, seed: u64) -> Self {
        let sites = sites.clamp(1, SITES_MAX);
        let bodies = (sites * BODIES_DEFAULT).div_ceil(SITES_DEFAULT).max(1);
        let mut rng = Random::new(seed, 0);
        let bodies = make_bodies(bodies, &mut rng);
        let mut counts = vec![0_usize; SECTORS.len()];
        let mut list: Vec<DemoSite> =
            (0..sites).map(|index| make_site(index, &bodies, &mut counts, &mut rng)).collect();
        list.sort_by(|a, b| a.slug.cmp(&b.slug));
        Self { seed, bodies, sites: list }
    }

    /// How many sites are really affected when the order comes.
    pub fn vulnerable(&self) -> usize {
        self.sites.iter().filter(|site| site.stack.is_vulnerable()).count()
    }
}

fn make_bodies(count: usize, rng: &mut Random) -> Vec<Body> {
    let weights: Vec<u32> = SECTORS.iter().map(|sector| sector.weight).collect();
    (0..count)
        .map(|index| {
            // The first 24 bodies cover every sector, so that no block of the wall is empty.
            let sector = if index < SECTORS.len() { index } else { rng.weighted(&weights) };
            let place = BODY_NAMES[(index * 7 + sector) % BODY_NAMES.len()];
            let round = index / BODY_NAMES.len();
            let suffix = if round == 0 { String::new() } else { format!(" {}", round + 1) };
            let name = format!("{} {place}{suffix}", SECTORS[sector].body);
            Body { name, sector: SECTORS[sector].code }
        })
        .collect()
}

fn make_site(index: usize, bodies: &[Body], counts: &mut [usize], rng: &mut Random) -> DemoSite {
    let body = if index < bodies.len() { index } else { rng.below(bodies.len() as u32) as usize };
    let sector =
        SECTORS.iter().position(|sector| sector.code == bodies[body].sector).unwrap_or_default();
    counts[sector] += 1;
    let text = format!("{}-{:03}", SECTORS[sector].short, counts[sector]);
    let slug = GateKey::new(&text).unwrap_or_else(|_| fallback_key(index));
    let (service_fr, service_en) = rng.pick(&SERVICES).copied().unwrap_or_default();
    let stack = STACKS[rng.weighted(&STACKS.map(|(_, weight)| weight))].0;
    let obstacle = match stack {
        Stack::NameOnly => Obstacle::None,
        _ => OBSTACLES[rng.weighted(&OBSTACLES.map(|(_, weight)| weight))].0,
    };
    let repair = match rng.below(100) {
        0..2 => Repair::LeavesACopy,
        2..4 => Repair::BreaksTheSite,
        _ => Repair::Right,
    };
    let criticality = match rng.below(100) {
        0..4 => Criticality::Vital,
        4..24 => Criticality::Essential,
        24..60 => Criticality::Important,
        _ => Criticality::Normal,
    };
    DemoSite {
        host: format!("{slug}.exemple.invalid"),
        name_fr: format!("{service_fr} — {}", bodies[body].name),
        name_en: format!("{service_en} — {}", bodies[body].name),
        slug,
        body,
        criticality,
        stack,
        obstacle,
        repair,
        seed: rng.next(),
    }
}

/// Never reached: short names and numbers are valid keys. Kept total instead of a panic.
fn fallback_key(index: usize) -> GateKey {
    GateKey::new(&format!("site-{index}")).unwrap_or_else(|_| fallback_key(0))
}

/// Weights in parts of 1,000; chosen so that about a tenth is affected, as the incident of 2021
/// is usually told (design choice: nobody published the real share).
const STACKS: [(Stack, u32); 11] = [
    (Stack::Node, 300),
    (Stack::Python, 190),
    (Stack::Java, 250),
    (Stack::JavaPatched, 90),
    (Stack::JavaApiOnly, 55),
    (Stack::Plain, 40),
    (Stack::Nested, 30),
    (Stack::Shaded, 18),
    (Stack::Renamed, 12),
    (Stack::Mitigated, 8),
    (Stack::NameOnly, 7),
];

const OBSTACLES: [(Obstacle, u32); 5] = [
    (Obstacle::None, 930),
    (Obstacle::NeverInventoried, 40),
    (Obstacle::Truncated, 22),
    (Obstacle::Encrypted, 6),
    (Obstacle::EncryptedForGood, 2),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_province() {
        assert_eq!(Province::generate(200, 1), Province::generate(200, 1));
        assert_ne!(Province::generate(200, 1), Province::generate(200, 2));
    }

    #[test]
    fn the_default_has_the_numbers_of_2021() {
        let province = Province::generate(SITES_DEFAULT, 20_211_210);
        assert_eq!((province.sites.len(), province.bodies.len()), (3_992, 304));
        let slugs: BTreeSet<_> = province.sites.iter().map(|site| &site.slug).collect();
        assert_eq!(slugs.len(), 3_992, "short names are unique");
        let names: BTreeSet<_> = province.bodies.iter().map(|body| &body.name).collect();
        assert_eq!(names.len(), 304, "bodies have different names");
        let sectors: BTreeSet<_> = province.bodies.iter().map(|body| body.sector).collect();
        assert_eq!(sectors.len(), 24);
        let with_site: BTreeSet<_> = province.sites.iter().map(|site| site.body).collect();
        assert_eq!(with_site.len(), 304, "every body has a site");
        let vulnerable = province.vulnerable();
        assert!((300..=650).contains(&vulnerable), "{vulnerable}");
    }

    #[test]
    fn every_stack_and_every_obstacle_occurs() {
        let province = Province::generate(SITES_DEFAULT, 20_211_210);
        for (stack, _) in STACKS {
            assert!(province.sites.iter().any(|site| site.stack == stack), "{stack:?}");
        }
        for (obstacle, _) in OBSTACLES {
            assert!(province.sites.iter().any(|site| site.obstacle == obstacle), "{obstacle:?}");
        }
        for repair in [Repair::LeavesACopy, Repair::BreaksTheSite] {
            let hit = |site: &&DemoSite| site.stack.is_vulnerable() && site.repair == repair;
            assert!(province.sites.iter().find(hit).is_some(), "{repair:?}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(Province::generate(0, 1).sites.len(), 1);
        assert_eq!(Province::generate(SITES_MAX + 1, 1).sites.len(), SITES_MAX);
    }
}
