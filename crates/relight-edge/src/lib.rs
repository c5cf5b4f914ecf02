//! Drivers of the proxies that people run: read back, change, prove. Decides nothing.
//!
//! The only crate that can darken a site, and the only one that starts processes (`exec`).

mod agent_line;
mod capability;
pub mod config;
mod driver;
mod drivers;
mod durable;
mod error;
pub mod exec;
mod fence;
mod gate;
mod gate_driver;
pub mod holding_page;
pub mod http;
mod http2;
mod json_api;
pub mod lint;
mod map_copy;
pub mod probe;
mod runtime_api;
#[cfg(test)]
mod script;
mod sockets;
pub mod spelling;
mod testers;
mod tls;

pub use agent_line::{AgentLine, Ask, Carried, Reply, Trouble, carry, is_elsewhere};
pub use capability::{Basis, Capabilities, CutsTunnels, Maturity, Untried};
pub use driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, LintSeverity, REFUSED, Setting, Stage, Target,
    TunnelCount, UPGRADES, capabilities_of, held_dark, needs_first_generation, newest_epoch, open,
};
pub use drivers::{AGENT, AGENT_SETTING, DRIVERS, GROUP, MEMBERS, Pace, Work, group_with};
pub use error::{EdgeError, EdgeErrorKind};
pub use fence::{Overtaken, is_superseded, superseded};
pub use gate::{GATE_KEYS_MAX, IN_PLACE_MAX};
pub use probe::{DRAINING, Look, ProbeResult, ProbeTarget, Prober, is_shut};
pub use testers::{TESTER, TESTERS_CA, TESTERS_GROUP, TESTERS_SHOWN, Testers, open_to_others};
pub use tls::Listener;
