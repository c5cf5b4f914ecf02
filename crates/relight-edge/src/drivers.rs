//! The registry of drivers: one file each.

use relight_model::registry;

use crate::driver::DriverKind;

pub(crate) use agent::told_epoch;
pub use agent::{AGENT, AGENT_SETTING};
pub(crate) use apache::MAP as APACHE_MAP;
pub use group::{GROUP, MEMBERS, Pace, Work, group_with};

registry! {
    /// Every driver, in alphabetical order.
    pub static DRIVERS: dyn DriverKind, check = crate::script::check;
    agent, apache, builtin, caddy, command, gateway_api, group, haproxy, nginx_file, traefik
}
