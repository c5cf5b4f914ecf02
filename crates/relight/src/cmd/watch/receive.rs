//! Logs over the wire, for `relight watch ingest` and `relight serve`: the listeners, their spool,
//! and what is told about both.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::Args;
use relight_engine::watch::{Feed, Reader, parsers::LogParser};
use relight_engine::{Engine, FollowReport, Follower};
use relight_model::OrgId;
use relight_server::receive::{ReceiveConfig, ReceiveLimits, ReceiveTally, Receiver, TlsFiles};
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::plain::{Plain, is_open};
use crate::report::Report;

/// The folder of spools inside the data folder; each organisation has one of its own.
const SPOOL_FOLDER: &str = "spool";

/// How often files that are followed are looked at. What was written in between is one window of
/// each file, so looking more often costs more windows, and a slow actor does not hurry.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);

/// How soon the end of the program is noticed meanwhile.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// Looks that wait to be told; whoever tells them is never that late.
const LOOKS_MAX: usize = 64;

/// Where to listen.
#[derive(Clone, Debug, Args)]
pub(crate) struct Listeners {
    #[arg(long, value_name = "ADDRESS")]
    syslog_udp: Option<SocketAddr>,
    #[arg(long, value_name = "ADDRESS")]
    syslog_tcp: Option<SocketAddr>,
    #[arg(long, value_name = "ADDRESS")]
    syslog_tls: Option<SocketAddr>,
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS")]
    flows: Option<SocketAddr>,
    #[arg(long)]
    beyond_loopback: bool,
    /// For the public page of a server too.
    #[command(flatten)]
    pub(crate) plain: Plain,
}

impl Listeners {
    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [self.syslog_udp, self.syslog_tcp, self.syslog_tls, self.flows].into_iter().flatten()
    }

    /// Whether somebody wants to receive. A listener with TLS and its files belong together: each
    /// of the three may be set in a file, so clap cannot tell.
    pub(crate) fn wanted(&self, context: &Context) -> Result<bool, Failure> {
        let has_all = self.tls_certificate.is_some() && self.tls_key.is_some();
        let has_any = self.tls_certificate.is_some() || self.tls_key.is_some();
        if self.syslog_tls.is_some() != has_all || has_any != has_all {
            let text = texts::receive_tls_needs(context.lang);
            return Err(Failure::usage(text).hint(texts::receive_tls_needs_remedy(context.lang)));
        }
        Ok(self.addresses().next().is_some())
    }

    /// Other machines are let in only by somebody who says so.
    fn check(&self, context: &Context) -> Result<(), Failure> {
        match self.addresses().find(is_open).filter(|_| !self.beyond_loopback) {
            None => {
                let plain = [self.syslog_udp, self.syslog_tcp, self.flows];
                self.plain.check(plain.into_iter().flatten(), context.lang)
            }
            Some(address) => {
                let text = texts::receive_beyond_loopback(context.lang, &address.to_string());
                let remedy = texts::receive_beyond_loopback_remedy(context.lang);
                Err(Failure::usage(text).hint(remedy))
            }
        }
    }

    /// Opens the listeners; what comes is of this organisation.
    fn start(&self, org: OrgId, context: &Context) -> Result<Spooled, Failure> {
        self.check(context)?;
        let folder = context.data.join(SPOOL_FOLDER).join(format!("org-{}", org.0));
        let files = self.tls_certificate.clone().zip(self.tls_key.clone());
        let files = files.map(|(certificate, key)| TlsFiles { certificate, key });
        let config = ReceiveConfig {
            folder: folder.clone(),
            syslog_udp: self.syslog_udp,
            syslog_tcp: self.syslog_tcp,
            syslog_tls: self.syslog_tls.zip(files),
            flows: self.flows,
            limits: ReceiveLimits::default(),
        };
        let receiver = Receiver::start(&config).map_err(|error| {
            Failure::new(texts::receive_failed(context.lang))
                .because(context.lang, &error)
                .hint(texts::receive_failed_remedy(context.lang))
        })?;
        Ok(Spooled { receiver, folder, told: ReceiveTally::default() })
    }
}

/// What makes the reader of each new file.
#[derive(Clone)]
pub(crate) struct Readers {
    pub(super) feed: Feed,
    pub(super) parser: Option<&'static dyn LogParser>,
}

impl Readers {
    /// A reader of lines that come at this time.
    fn reader(&self, now: i64) -> Reader {
        let feed = Feed { received: now, ..self.feed.clone() };
        match self.parser {
            None => Reader::new(feed),
            Some(parser) => Reader::of(feed, parser),
        }
    }
}

/// Listeners and the folder into which they write.
struct Spooled {
    receiver: Receiver,
    folder: PathBuf,
    /// The count that was told last.
    told: ReceiveTally,
}

/// One look at everything that is followed.
pub(crate) struct Look {
    pub(crate) logs: FollowReport,
    /// What was received since the start, when that changed.
    received: Option<ReceiveTally>,
    /// What kept the spool from being written or emptied.
    trouble: Option<(PathBuf, std::io::Error)>,
}

/// Files, folders and listeners that are followed.
pub(crate) struct Intake {
    engine: Arc<Engine>,
    readers: Readers,
    places: Vec<PathBuf>,
    spooled: Option<Spooled>,
}

impl Intake {
    /// Follows these places, and what the listeners take.
    pub(crate) fn start(
        engine: &Arc<Engine>,
        readers: Readers,
        mut places: Vec<PathBuf>,
        listeners: &Listeners,
        context: &Context,
    ) -> Result<Self, Failure> {
        let org = readers.feed.org;
        let spooled =
            if listeners.wanted(context)? { Some(listeners.start(org, context)?) } else { None };
        places.extend(spooled.as_ref().map(|spooled| spooled.folder.clone()));
        Ok(Self { engine: Arc::clone(engine), readers, places, spooled })
    }

    /// Says where it listens.
    pub(crate) fn tell(&self, context: &Context, report: &mut Report) {
        for (kind, address) in self.spooled.iter().flat_map(|it| it.receiver.addresses()) {
            let address = address.to_string();
            if context.json {
                report.document_line("relight.receive/1", &ListenDocument { kind, address });
            } else {
                report.line(&texts::receive_listening(context.lang, &address, kind));
            }
        }
        report.flush();
    }

    /// Reads what came since the last look.
    fn look(&mut self, follower: &mut Follower) -> Look {
        let (readers, now) = (&self.readers, self.engine.now());
        let mut logs = follower.look(&self.engine, &|| Some(readers.reader(now)));
        let (mut received, mut trouble) = (None, None);
        if let Some(spooled) = &mut self.spooled {
            let removed = follower.remove_read(&self.engine, &spooled.folder, &mut logs);
            let is_ours = |path: &Path| path.starts_with(&spooled.folder);
            // Files of the spool have names that mean nothing to anybody.
            logs.logs.retain_mut(|(path, log)| {
                if is_ours(path) {
                    path.clone_from(&spooled.folder);
                }
                log.tally.lines > log.tally.headers
            });
            let cause = spooled.receiver.trouble().or(removed.err());
            trouble = cause.map(|error| (spooled.folder.clone(), error));
            let tally = spooled.receiver.tally();
            if tally != spooled.told {
                spooled.told.clone_from(&tally);
                received = Some(tally);
            }
        }
        Look { logs, received, trouble }
    }

    /// Closes the listeners, and reads what they took last.
    fn finish(mut self, follower: &mut Follower) -> Look {
        let last = self.spooled.take().map(|spooled| spooled.receiver.stop());
        let mut look = self.look(follower);
        look.received = last;
        look
    }

    /// Looks again and again until the end; `tell` gets each look.
    pub(crate) fn run(mut self, stop: &AtomicBool, mut tell: impl FnMut(Look)) {
        let mut follower = Follower::new(std::mem::take(&mut self.places));
        while !stop.load(Ordering::Relaxed) {
            tell(self.look(&mut follower));
            let mut waited = Duration::ZERO;
            // Nobody tells when a log grows on every kind of disk, so it is looked at.
            while waited < FOLLOW_EVERY && !stop.load(Ordering::Relaxed) {
                thread::sleep(STOP_EVERY);
                waited += STOP_EVERY;
            }
        }
        tell(self.finish(&mut follower));
    }

    /// The same beside other work: what each look gave can be asked for.
    pub(crate) fn spawn(
        self,
        stop: Arc<AtomicBool>,
    ) -> (thread::JoinHandle<()>, mpsc::Receiver<Look>) {
        let (sender, looks) = mpsc::sync_channel(LOOKS_MAX);
        let thread = thread::spawn(move || {
            // Who has no ears any more is ending.
            self.run(&stop, |look| drop(sender.send(look)));
        });
        (thread, looks)
    }
}

#[derive(Serialize)]
struct ListenDocument<'a> {
    kind: &'a str,
    address: String,
}

#[derive(Serialize)]
struct TallyDocument<'a> {
    lines: u64,
    dropped: u64,
    dropped_by_system: Option<u64>,
    cut: u64,
    torn: u64,
    slow: u64,
    crowded: u64,
    failed: u64,
    flow_datagrams: u64,
    flow_records: u64,
    flow_waited: u64,
    flow_dropped: u64,
    flow_lost: u64,
    flow_refused: &'a std::collections::BTreeMap<&'static str, u64>,
}

impl Look {
    /// What the listeners counted, and what is wrong with their spool.
    pub(crate) fn tell_received(&self, context: &Context, report: &mut Report) {
        let lang = context.lang;
        if let Some((folder, error)) = &self.trouble {
            let place = folder.display().to_string();
            let what = texts::receive_spool(lang);
            report.warn_in_detail(
                &place,
                what,
                &error.to_string(),
                texts::receive_spool_remedy(lang),
            );
        }
        let Some(tally) = &self.received else { return };
        if context.json {
            return report.document_line("relight.received/1", &document(tally));
        }
        let by_system = tally.dropped_by_system.unwrap_or_default();
        let lost = tally.dropped + by_system + tally.flows.dropped;
        report.line(&texts::received(lang, tally.lines, lost + tally.flows.lost));
        if tally.dropped_by_system.is_none() {
            report.line(&format!("  {}", texts::received_dropped_untold(lang)));
        }
        for (key, count) in odd(tally).into_iter().filter(|(_, count)| *count > 0) {
            let words = texts::by_code(lang, key).unwrap_or_default();
            report.line(&format!("  {}", texts::labelled(lang, words, &count.to_string())));
        }
    }
}

fn document(tally: &ReceiveTally) -> TallyDocument<'_> {
    let ReceiveTally { flows, .. } = tally;
    TallyDocument {
        lines: tally.lines,
        dropped: tally.dropped,
        dropped_by_system: tally.dropped_by_system,
        cut: tally.cut,
        torn: tally.torn,
        slow: tally.slow,
        crowded: tally.crowded,
        failed: tally.failed,
        flow_datagrams: flows.datagrams,
        flow_records: flows.records,
        flow_waited: flows.waited,
        flow_dropped: flows.dropped,
        flow_lost: flows.lost,
        flow_refused: &flows.refused,
    }
}

/// What is not as it should be, each with the key of its words.
fn odd(tally: &ReceiveTally) -> [(&'static str, u64); 10] {
    let refused = tally.flows.refused.values().sum();
    [
        ("received-dropped", tally.dropped),
        ("received-dropped-by-system", tally.dropped_by_system.unwrap_or_default()),
        ("received-cut", tally.cut),
        ("received-torn", tally.torn),
        ("received-slow", tally.slow),
        ("received-crowded", tally.crowded),
        ("received-failed", tally.failed),
        ("received-flows-dropped", tally.flows.dropped),
        ("received-flows-lost", tally.flows.lost),
        ("received-flows-refused", refused),
    ]
}
