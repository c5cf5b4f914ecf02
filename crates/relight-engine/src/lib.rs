//! From inventories and advisories to lights: answers, incidents, reconciliation, verification.
//!
//! Decides; never serves HTTP, never scans, never starts a process. The clock is a parameter.

pub mod access;
pub mod actors;
mod acts;
pub mod alike;
pub mod answer;
mod at_once;
mod authority;
pub mod barriers;
pub mod blast;
mod brake;
pub mod checks;
mod commit;
pub mod demo;
pub mod drill;
pub mod drive;
pub mod edges;
mod enclosed;
mod engine;
mod error;
pub mod exhibits;
pub mod exposure;
pub mod feeds;
pub mod fetch;
pub mod fixes;
mod follow;
pub mod grants;
pub mod groups;
mod held_plans;
pub mod import;
pub mod incident;
mod ingest;
mod inventoried;
mod judged;
mod left_lit;
pub mod live;
mod logs;
mod looked;
pub mod measures;
pub mod notify;
mod orders;
mod past;
pub mod plan;
pub mod policy;
pub mod query;
pub mod ranking;
pub mod reconcile;
pub mod refusals;
pub mod replay;
mod revise;
pub mod rollout;
mod select;
mod shown;
pub mod signals;
pub mod silenced;
pub mod sources_policy;
mod spoken;
mod stage;
mod stated;
mod switch;
mod takeover;
mod then;
mod told;
pub mod trust;
mod wall;
pub mod waves;

pub use relight_edge as edge;
pub use relight_match as matching;
pub use relight_store as store;
pub use relight_watch as watch;
pub use then::{INVENTORY_AGE_MAX_S, Since, Then};

pub use acts::{Acted, Approving, Smashing};
pub use brake::REDARK_AUTO_MAX;
pub use engine::{Appended, Clock, Engine, EngineOptions, INVENTORY_TTL_S, Listener, replay};
pub use error::{EngineError, EngineErrorKind};
pub use fixes::{FixWatch, Tries};
pub use follow::{ADVISORIES_SET, leave};
pub use grants::{Agreeing, Asking};
pub use held_plans::{HELD_LOOK_S, HELD_PLAN_AGE_MAX_S, HeldLooks, HeldWords};
pub use ingest::{FunctionalTest, Inventory};
pub use inventoried::{FoundSites, advisories_about, advisories_of};
pub use logs::{
    AnsweredDays, Erasure, ErasureLeft, FOLLOWED_MAX, Faults, FeedPosture, FollowReport, Follower,
    HEAD_BYTES, HITS_MAX, HeatMap, HeatRow, Hunted, Judged, KNOWN_SCANNERS, LOG_BYTES_MAX,
    LOG_GAPS_MAX, LogNotes, LogReport, LogState, MAP_WEEKS_MAX, OUTBOUND, OnThatDay, POSTURE_DAYS,
    Place, Probed, ProbedSite, SEGMENT_BYTES_MAX, SIGNS, SignsGap, SignsOf, SitePosture, TELLING_S,
    ToTell, WATCH_DAYS_MAX, WINDOWS_OF_DAY_MAX, begin_telling, campaigns_of, campaigns_told,
    erase_source, heat_map, hunt_all, judged, keep_days, kept_days, known_scanners, log_files,
    log_notes, never_blocked, note_proxies, outbound, posture, probed, signs_of, signs_seen,
    still_to_tell, tell_campaigns,
};
pub use looked::{PROOF_TTL_S, Unseen, forget_unseen, is_looked_after};
pub use orders::Undone;
pub use revise::{Bare, REMATCH_DEADLINE_MS};
pub use select::{Answers, SiteFacts, Unselected, built_with, verdicts};
pub use stated::{SiteStated, Stated};
pub use wall::board_of;
