//! Runs the script of a fixture against a driver and writes down what it saw.

use crate::driver::DriverKind;

pub(crate) fn check(_name: &str, _plugin: &dyn DriverKind) {}
