//! Starts console and public page, each on its own listener, behind a blocking handle.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use relight_engine::Engine;
use relight_engine::live::Board;
use relight_web::Lang;
use relight_web::views::{Stage, Theme};
use tokio::runtime::Runtime;

use crate::access::oidc::Provider;
use crate::access::sign_ins::SignInTimes;
use crate::access::{Address, Clock, Door, Entrance, OidcSettings, RSA_BITS_MIN};
use crate::agents::AgentDesk;
use crate::console::book::{Commands, Manual};
use crate::console::meter::Meter;
use crate::console::{self, Console, names, tally};
use crate::listen::Room;
use crate::public::{Identity, PublicFolder, Publication, Publisher, Signer, Source};
use crate::sse::Streams;
use crate::{ServerError, clock, listen, public, runtime};

/// How long [`WebHandle::stop`] waits for the private threads.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// Where to listen and what to show.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// Address of the console; port 0 takes a free one.
    pub console: SocketAddr,
    /// Address of the public page; port 0 takes a free one.
    pub public: SocketAddr,
    /// What both show.
    pub board: Arc<Board>,
    /// The register behind the board; without one the console has no pages about it.
    pub engine: Option<Arc<Engine>>,
    /// The agents of that register; without them none is listened for.
    pub agents: Option<Arc<AgentDesk>>,
    /// Whether what both show is the real thing.
    pub stage: Stage,
    /// In whose colours both are.
    pub theme: Theme,
    /// Who may read the console.
    pub entrance: Entrance,
    /// Address under which browsers reach the console (`https://relight.example`), through a proxy
    /// that speaks TLS; `None`: `http://localhost` and its port. Passkeys are bound to its name.
    pub console_url: Option<String>,
    /// Who else may say who somebody is.
    pub oidc: Option<OidcSettings>,
    /// Bits that an RSA key of a passkey or a provider needs to count.
    pub rsa_bits_min: u32,
    /// Whether codes of an authenticator app bring back commanders and approvers, too.
    pub totp_for_deciders: bool,
    /// How long sign-ins last.
    pub sign_ins: SignInTimes,
    /// The clock of sign-ins.
    pub clock: Clock,
    /// Language of the console without `?lang=`.
    pub lang: Lang,
    /// Languages of the public page; the first is that of `/`. What people publish there is
    /// written in each of them.
    pub languages: Vec<Lang>,
    /// Address under which visitors reach the public page, ending in `/`; `None`: its listener.
    pub public_url: Option<String>,
    /// Where the public page is written as well, for other web servers.
    pub public_folder: Option<PathBuf>,
    /// The file of the key that signs certificates; `None`: a key for this life only.
    pub certificate_key: Option<PathBuf>,
    /// What the commands of the program say of themselves, for its guide.
    pub manual: Option<Manual>,
}

impl WebConfig {
    /// Both on free ports of the loopback, French first.
    pub fn loopback(board: Arc<Board>) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            console: free,
            public: free,
            board,
            engine: None,
            agents: None,
            stage: Stage::Real,
            theme: Theme::Neutral,
            entrance: Entrance::Guarded,
            console_url: None,
            oidc: None,
            rsa_bits_min: RSA_BITS_MIN,
            totp_for_deciders: false,
            sign_ins: SignInTimes::default(),
            clock: clock::now_ms,
            lang: Lang::Fr,
            languages: Lang::ALL.to_vec(),
            public_url: None,
            public_folder: None,
            certificate_key: None,
            manual: None,
        }
    }
}

/// Console and public page; blocking.
#[derive(Debug)]
pub struct WebServer;

impl WebServer {
    /// Starts both. They answer when this returns.
    ///
    /// # Errors
    /// When a listener cannot be opened or threads cannot be started.
    pub fn start(config: WebConfig) -> Result<WebHandle, ServerError> {
        let runtime = runtime::start("relight-web")?;
        let entered = runtime.enter();
        let (console_listener, console_addr) = runtime::listen(config.console)?;
        let (public_listener, public_addr) = runtime::listen(config.public)?;
        let url = config.public_url.clone().unwrap_or_else(|| format!("http://{public_addr}/"));
        let WebConfig { lang, stage, theme, .. } = config;
        let langs = config.languages.clone();
        let identity = Identity { langs: langs.clone(), url: url.clone(), stage, theme };
        let folder = config.public_folder.as_deref().map(PublicFolder::open).transpose()?;
        let signer = match &config.certificate_key {
            Some(path) => Signer::load_or_create(path)?,
            None => Signer::temporary()?,
        };
        let publisher = Publisher::new(Arc::clone(&config.board), identity, signer, folder);
        let publication = Publication::start(publisher)?;
        let door = door(&config, console_addr.port())?;
        let state = Arc::new(Console {
            door,
            known_sectors: tally::Known::default(),
            names: names::Names::default(),
            board: config.board,
            engine: config.engine,
            agents: config.agents,
            lang,
            public_url: url,
            languages: langs,
            life: format!("{:x}-{:x}", clock::now(), std::process::id()),
            streams: Streams::default(),
            loopback: console_addr.ip().is_loopback(),
            stage,
            theme,
            meter: Meter::default(),
            past: console::turns::Turns::default(),
            answers: console::turns::Turns::default(),
            facts: Default::default(),
            meanings: Default::default(),
            resumed: Default::default(),
            commands: Commands::new(config.manual),
        });
        let console = console::router(Arc::clone(&state));
        let public = public::router(Source::Memory(publication.shown()));
        let handles = listen::handles();
        let rooms = [Room::of_console(handles), Room::of_public(handles)];
        let opened = [(console_listener, console), (public_listener, public)];
        for ((listener, router), room) in opened.into_iter().zip(rooms) {
            runtime.spawn(listen::serve(listener, router, listen::WAITS, room));
        }
        drop(entered);
        Ok(WebHandle { runtime, console_addr, public_addr, publication, console: state })
    }

    /// Serves a folder of the public page that another process writes, or wrote while it lived.
    /// It answers when this returns.
    ///
    /// # Errors
    /// When the listener cannot be opened or threads cannot be started.
    pub fn public_only(folder: PathBuf, address: SocketAddr) -> Result<PublicHandle, ServerError> {
        let runtime = runtime::start("relight-public")?;
        let entered = runtime.enter();
        let (listener, address) = runtime::listen(address)?;
        let router = public::router(Source::Folder(folder));
        let room = Room::of_public(listen::handles());
        runtime.spawn(listen::serve(listener, router, listen::WAITS, room));
        drop(entered);
        Ok(PublicHandle { runtime, address })
    }
}

/// The door of a console.
fn door(config: &WebConfig, port: u16) -> Result<Door, ServerError> {
    let url = config.console_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
    let Some(address) = Address::parse(&url) else {
        let what = format!("{url} is no address of a console: https and a name, or localhost");
        return Err(ServerError::new(what));
    };
    let engine = match config.entrance {
        Entrance::Fictional => None,
        Entrance::Guarded => config.engine.clone(),
    };
    let bits = config.rsa_bits_min;
    let open = |settings| Provider::open(settings, &address, bits, config.sign_ins);
    let provider = config.oidc.clone().map(open).transpose()?;
    let door = Door::open(engine, address, config.clock)?;
    let door = door.with_provider(provider).with_apps_for_deciders(config.totp_for_deciders);
    Ok(door.with_rsa_bits(bits).with_times(config.sign_ins))
}

/// Writes the public page of a board into a folder once; a drill has no feeds and no certificates.
///
/// # Errors
/// The page cannot be rendered or the folder cannot be written; it keeps the old page.
pub fn export_public(
    board: Arc<Board>,
    langs: Vec<Lang>,
    url: String,
    (stage, theme): (Stage, Theme),
    signer: Signer,
    folder: PublicFolder,
) -> Result<usize, ServerError> {
    let identity = Identity { langs, url, stage, theme };
    let mut publisher = Publisher::new(board, identity, signer, Some(folder));
    publisher.publish_all(clock::now())?.whole().map(|generation| generation.len())
}

/// A running public page without a console; dropping it stops it.
#[derive(Debug)]
pub struct PublicHandle {
    runtime: Runtime,
    address: SocketAddr,
}

impl PublicHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it and closes its listener.
    pub fn stop(self) {
        self.runtime.shutdown_timeout(STOP_WAIT);
    }
}

/// Running console and public page; dropping it stops them.
#[derive(Debug)]
pub struct WebHandle {
    runtime: Runtime,
    console_addr: SocketAddr,
    public_addr: SocketAddr,
    publication: Publication,
    console: Arc<Console>,
}

impl WebHandle {
    /// A link with which somebody makes the first account, good for ten minutes and one use; each
    /// call replaces the one before. `None` when there is an account, or when nobody signs in here.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn first_link(&self) -> Result<Option<String>, ServerError> {
        self.console.door.first_link()
    }

    /// What kept the last generation of the public page from being written, told once.
    pub fn public_trouble(&self) -> Option<ServerError> {
        self.publication.trouble()
    }

    /// Goes on with plans that relight and came to no end, on a thread of its own: whoever let them
    /// go is gone. Only for who controls the register, once sites may be opened.
    pub fn go_on(&self) {
        if let Some(engine) = self.console.engine.clone() {
            let console = Arc::clone(&self.console);
            let go_on = move || console.resumed.go_on(&engine, &console.board);
            drop(self.runtime.spawn_blocking(go_on));
        }
    }

    /// Where the console listens.
    pub fn console_addr(&self) -> SocketAddr {
        self.console_addr
    }

    /// Where the public page listens.
    pub fn public_addr(&self) -> SocketAddr {
        self.public_addr
    }

    /// Stops both and closes their listeners and streams.
    pub fn stop(self) {
        self.runtime.shutdown_timeout(STOP_WAIT);
    }
}
