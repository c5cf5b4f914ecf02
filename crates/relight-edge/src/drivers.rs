//! The registry of drivers: one file each.

use relight_model::registry;

use crate::driver::DriverKind;

registry! {
    /// Every driver, in alphabetical order.
    pub static DRIVERS: dyn DriverKind, check = crate::script::check;
    builtin, haproxy, nginx_file
}
