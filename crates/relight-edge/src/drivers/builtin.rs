//! The built-in edge: its data plane in the server reads the gate directory on each request.

use crate::driver::{Capabilities, CutsTunnels, DriverKind, EdgeDriver, Target};
use crate::error::EdgeError;
use crate::gate_driver::GateDriver;

pub(super) const PLUGIN: Builtin = Builtin {
    capabilities: Capabilities {
        atomic_batch: true,
        reload_free: true,
        durable: true,
        survives_reload: true,
        readback: true,
        verify_bypass: true,
        cuts_tunnels: CutsTunnels::DataPlane,
    },
};

pub(super) struct Builtin {
    capabilities: Capabilities,
}

impl DriverKind for Builtin {
    fn name(&self) -> &'static str {
        "builtin"
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        Ok(Box::new(GateDriver::create(target, self.capabilities, false)?))
    }
}
