//! nginx with the file gate of `config::nginx`: each request looks for `$GATE/current/<key>`.

use crate::driver::{Capabilities, CutsTunnels, DriverKind, EdgeDriver, Target};
use crate::error::EdgeError;
use crate::gate_driver::GateDriver;

pub(super) const PLUGIN: NginxFile = NginxFile {
    capabilities: Capabilities {
        atomic_batch: true,
        reload_free: true,
        durable: true,
        survives_reload: true,
        readback: true,
        verify_bypass: true,
        cuts_tunnels: CutsTunnels::Nobody,
    },
    trusted_workers: &["root", "self"],
};

pub(super) struct NginxFile {
    capabilities: Capabilities,
    /// Values of `worker_user` whose workers read whatever we write.
    trusted_workers: &'static [&'static str],
}

impl DriverKind for NginxFile {
    fn name(&self) -> &'static str {
        "nginx_file"
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let worker = target.settings.get("worker_user").map_or("", String::as_str);
        let foreign_reader = !self.trusted_workers.contains(&worker);
        Ok(Box::new(GateDriver::create(target, self.capabilities, foreign_reader)?))
    }
}
