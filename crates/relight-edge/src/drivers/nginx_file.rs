//! nginx with the file gate of `config::nginx`: each request looks for `$GATE/current/<key>`.

use crate::capability::Capabilities;
use crate::driver::{DriverKind, EdgeDriver, Setting, Target};
use crate::error::EdgeError;
use crate::gate_driver::GateDriver;

pub(super) const PLUGIN: NginxFile =
    NginxFile { capabilities: Capabilities::FILE_GATE, trusted_workers: &["root", "self"] };

pub(super) struct NginxFile {
    capabilities: Capabilities,
    /// Values of `worker_user` whose workers read whatever we write.
    trusted_workers: &'static [&'static str],
}

impl DriverKind for NginxFile {
    fn name(&self) -> &'static str {
        "nginx_file"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        // `root` or `self` where workers are not an ordinary user.
        const { &[Setting::optional("worker_user")] }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let worker = target.settings.get("worker_user").map_or("", String::as_str);
        let foreign_reader = !self.trusted_workers.contains(&worker);
        Ok(Box::new(GateDriver::create(target, self.capabilities, foreign_reader)?))
    }
}
