//! The built-in edge: its data plane in the server reads the gate directory on each request.

use crate::capability::{Capabilities, CutsTunnels};
use crate::driver::{DriverKind, EdgeDriver, Setting, Target};
use crate::error::EdgeError;
use crate::gate_driver::GateDriver;

pub(super) const PLUGIN: Builtin = Builtin {
    capabilities: Capabilities { cuts_tunnels: CutsTunnels::DataPlane, ..Capabilities::FILE_GATE },
};

pub(super) struct Builtin {
    capabilities: Capabilities,
}

impl DriverKind for Builtin {
    fn name(&self) -> &'static str {
        "builtin"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        Ok(Box::new(GateDriver::create(target, self.capabilities, false)?))
    }
}
