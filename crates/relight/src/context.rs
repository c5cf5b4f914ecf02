//! Where a command works: the language, the data folder, the clock.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relight_engine::drive::Drive;
use relight_engine::store::{DATABASE_FILE, Store};
use relight_engine::{Engine, EngineError, EngineOptions, INVENTORY_TTL_S};
use relight_model::Timestamp;
use relight_server::clock;
use relight_server::web::{Lang, texts};

use crate::cli::Global;
use crate::failure::Failure;
use crate::report::Report;
use crate::settings::Settings;

/// Where a service manager puts the secrets of a service (systemd: `LoadCredentialEncrypted=`).
const VAULT_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// What every command is given.
#[derive(Clone)]
pub(crate) struct Context {
    /// The language of people.
    pub(crate) lang: Lang,
    /// JSON instead of text.
    pub(crate) json: bool,
    /// Progress may be drawn (where stderr is a terminal).
    pub(crate) progress: bool,
    /// Only data, errors and what could not be used.
    pub(crate) quiet: bool,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// Somebody named the data folder.
    data_named: bool,
    /// What files, variables and options set.
    pub(crate) settings: Arc<Settings>,
}

impl Context {
    pub(crate) fn new(lang: Lang, global: &Global, settings: Settings) -> Self {
        let (data, data_named) = (global.data.clone(), global.data.is_some());
        let data = data.unwrap_or_else(default_data);
        let json = global.form().is_document();
        let (progress, quiet) = (global.shows_progress(), global.is_quiet());
        Self { lang, json, progress, quiet, data, data_named, settings: Arc::new(settings) }
    }

    /// What this run goes by, for `-v`; each value that was set besides, for `-vv`.
    pub(crate) fn tell_run(&self, verbosity: u8, report: &mut Report) {
        if verbosity == 0 {
            return;
        }
        let files = self.settings.files.iter().map(|path| path.display().to_string());
        let files: Vec<String> = files.collect();
        let files = if files.is_empty() { "—".to_owned() } else { files.join(", ") };
        report.tell(&texts::labelled(self.lang, texts::run_files(self.lang), &files));
        let data = self.data.display().to_string();
        report.tell(&texts::labelled(self.lang, texts::run_data(self.lang), &data));
        if verbosity > 1 {
            for (name, setting) in &self.settings.values {
                let value = setting.words.join(", ");
                let origin = setting.origin.text(self.lang);
                report.tell(&format!("  {name} = {value}  ({origin})"));
            }
        }
    }

    /// Now, in seconds.
    #[expect(clippy::unused_self, reason = "commands ask their context, and nothing else, for it")]
    pub(crate) fn now(&self) -> Timestamp {
        clock::now()
    }

    /// The file of a secret: what a vault unsealed for this process alone (the credentials of a
    /// service manager), else the file of that name in the data folder.
    pub(crate) fn secret(&self, name: &str) -> PathBuf {
        let unsealed = variable(VAULT_VARIABLE).map(|folder| PathBuf::from(folder).join(name));
        // What cannot be looked at is not taken for absent: a new key would be made beside it.
        let unsealed = unsealed.filter(|path| path.try_exists().unwrap_or(true));
        unsealed.unwrap_or_else(|| self.data.join(name))
    }

    /// Where what can be thrown away is kept: in the data folder when it was named, else in the
    /// user's folder for caches (XDG base directories). Without either there is none.
    pub(crate) fn cache_folder(&self) -> Option<PathBuf> {
        if self.data_named {
            return Some(self.data.join("cache"));
        }
        let base = variable("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || variable("HOME").map(PathBuf::from).filter(|home| home.is_dir());
        let base = base.or_else(|| home().map(|home| home.join(".cache")));
        base.map(|base| base.join("relight"))
    }

    /// The user's folder for configuration (XDG base directories).
    pub(crate) fn config_folder() -> Option<PathBuf> {
        Self::config_folder_by(variable)
    }

    /// The same by these variables.
    pub(crate) fn config_folder_by(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let home = || variable("HOME").map(|home| PathBuf::from(home).join(".config"));
        let base = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
        base.map(|base| base.join("relight"))
    }

    /// The store, which is created when it is not there: for commands that fill it.
    pub(crate) fn store(&self) -> Result<Arc<Store>, Failure> {
        let opened = Store::open(&self.data);
        opened.map(Arc::new).map_err(|error| self.store_failure(&error))
    }

    /// The store, if there is one.
    pub(crate) fn store_if_any(&self) -> Result<Option<Arc<Store>>, Failure> {
        if self.data.join(DATABASE_FILE).exists() { self.store().map(Some) } else { Ok(None) }
    }

    /// The store, for commands that have nothing to say without one.
    pub(crate) fn existing_store(&self) -> Result<Arc<Store>, Failure> {
        self.store_if_any()?.ok_or_else(|| {
            let message = texts::no_register(self.lang, &self.data.display().to_string());
            Failure::new(message).hint(texts::no_register_remedy(self.lang, IMPORT))
        })
    }

    /// The engine, for commands that write to the journal: it takes the lease, so a controller
    /// that runs elsewhere on this folder stops. Commands that only read take the store.
    pub(crate) fn engine(&self) -> Result<Arc<Engine>, Failure> {
        self.opened(Engine::open)
    }

    /// The engine with its edges driven, from before its inventory is read.
    pub(crate) fn driven(&self) -> Result<(Arc<Engine>, Drive), Failure> {
        let opened = Drive::open(self.existing_store()?, self.engine_options());
        opened.map_err(|error| Failure::engine(self.lang, &error))
    }

    /// The engine, for commands that write nothing to the journal: a server goes on.
    pub(crate) fn engine_beside(&self) -> Result<Arc<Engine>, Failure> {
        self.opened(Engine::beside)
    }

    fn opened(
        &self,
        open: fn(Arc<Store>, EngineOptions) -> Result<Engine, EngineError>,
    ) -> Result<Arc<Engine>, Failure> {
        let store = self.existing_store()?;
        open(store, self.engine_options())
            .map(Arc::new)
            .map_err(|error| Failure::engine(self.lang, &error))
    }

    fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            holder: format!("relight {}", std::process::id()),
            clock: clock::now_ms,
            inventory_ttl_s: INVENTORY_TTL_S,
        }
    }

    /// Refuses what would take the register from a server that runs: the server would end, and
    /// nobody would keep the edges, read the feeds or answer the console.
    pub(crate) fn refuse_beside_server(&self, store: &Store) -> Result<(), Failure> {
        let control = store.take_control().map_err(|error| self.store_failure(&error))?;
        if control.is_none() {
            let failure = Failure::new(texts::server_runs(self.lang));
            return Err(failure.hint(texts::server_runs_remedy(self.lang)));
        }
        Ok(())
    }

    /// A failed operation on the data folder, in words.
    pub(crate) fn store_failure(&self, error: &relight_engine::store::StoreError) -> Failure {
        Failure::store(self.lang, &self.data.display().to_string(), error)
    }

    /// Reads a file whole, up to a limit in bytes.
    pub(crate) fn read_file(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Failure> {
        let unreadable = |error: &(dyn std::error::Error + 'static)| {
            let message = texts::cannot_read(self.lang, &path.display().to_string());
            Failure::new(message)
                .because(self.lang, error)
                .hint(texts::cannot_read_remedy(self.lang))
        };
        let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        relight_formats::limited::read_all(file, bytes_max).map_err(|error| unreadable(&error))
    }
}

const IMPORT: &str = "relight sites import FILE.csv";

/// `/var/lib/relight` for root, else `relight` below the user's folder for data (XDG base
/// directories).
fn default_data() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/relight");
    }
    let home = || PathBuf::from(variable("HOME").unwrap_or_default()).join(".local/share");
    variable("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("relight")
}

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
