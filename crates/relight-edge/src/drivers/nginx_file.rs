//! nginx with the file gate of `config::nginx`: each request looks for `$GATE/current/<key>`.

use crate::capability::Capabilities;
use crate::driver::{DriverKind, EdgeDriver, Setting, Target};
use crate::error::EdgeError;
use crate::gate_driver::{GateDriver, reads_as_somebody_else};

pub(super) const PLUGIN: NginxFile = NginxFile { capabilities: Capabilities::FILE_GATE };

pub(super) struct NginxFile {
    capabilities: Capabilities,
}

impl DriverKind for NginxFile {
    fn name(&self) -> &'static str {
        "nginx_file"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::optional("origins"),
                // What the workers run as, where that is not an ordinary user.
                Setting::optional("worker_user"),
                Setting::RELOAD,
                Setting::UPGRADES,
            ]
        }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let foreign_reader = reads_as_somebody_else(target);
        Ok(Box::new(GateDriver::create(target, self.capabilities, foreign_reader)?))
    }
}
