//! How an edge is looked at from outside: every listener at the same time, and no longer than
//! others can wait.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use relight_edge::spelling::{Spelled, spell_canary, spell_site};
use relight_edge::{EdgeErrorKind, Listener, ProbeResult, ProbeTarget, Prober};

use super::{CANARY_HOST, SPELLED_NAMES_MAX};

/// Says that something has to be closed that a look delays.
pub type Hurry = Arc<dyn Fn() -> bool + Send + Sync>;

/// How long a look may take before it is asked whether somebody waits for it.
const UNHURRIED: Duration = Duration::from_millis(500);

/// How often that is asked afterwards.
pub(super) const HURRY_LOOK: Duration = Duration::from_millis(50);

/// What a listener told of spellings that told nothing.
const NOT_IN_TIME: &str = "not in time";

/// Looks at an edge from outside, as a visitor would.
pub trait Eyes: Send {
    /// One result per target, in order; all listeners of the edge must agree.
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult>;

    /// The same while `beside` runs, where both can be done at once.
    fn probe_beside(
        &mut self,
        targets: &[ProbeTarget],
        nonce: u64,
        beside: &mut dyn FnMut(),
    ) -> Vec<ProbeResult> {
        beside();
        self.probe(targets, nonce)
    }

    /// The same within a time: who has not answered by then is not waited for.
    fn glance(&mut self, targets: &[ProbeTarget], nonce: u64, _: Duration) -> Vec<ProbeResult> {
        self.probe(targets, nonce)
    }

    /// Begins to ask for what is dark in every spelling of its names (INCIDENT 8.1), for so long at
    /// most for each of them, and does not wait for the answers. Eyes that cannot write a name so
    /// know nothing.
    fn spell(&mut self, _: &[ProbeTarget], _: Duration) -> Asking {
        Asking::unable()
    }

    /// Another process may serve from now on: what is kept of the one before, connections to it
    /// too, would go on showing that one.
    fn forget(&mut self) {}

    /// Gives what is asked during a look that takes long: whether to break it off.
    fn set_hurry(&mut self, _: Hurry) {}
}

/// Spellings that are asked for beside the loop, at every listener.
#[derive(Debug)]
pub struct Asking {
    said: Receiver<Spelled>,
    left: usize,
    all: Spelled,
    until: Instant,
}

impl Asking {
    /// One that is over.
    pub fn over(all: Spelled) -> Self {
        Self { said: mpsc::channel().1, left: 0, all, until: Instant::now() }
    }

    /// One of somebody who cannot ask.
    pub fn unable() -> Self {
        Self::over(Spelled::Untold(String::new()))
    }

    /// What came of it, once every listener told or its time is over; waits so long for it.
    pub(super) fn within(&mut self, wait: Duration) -> Option<Spelled> {
        let end = Instant::now() + wait;
        while self.left > 0 {
            let left = end.min(self.until).saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(one) => {
                    (self.all, self.left) = (self.all.clone().and(one), self.left - 1);
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < self.until => return None,
                Err(_) => {
                    self.left = 0;
                    self.all = self.all.clone().and(Spelled::Untold(NOT_IN_TIME.to_owned()));
                }
            }
        }
        Some(self.all.clone())
    }
}

/// Every public listener of an edge. They are asked at the same time: one that hangs makes no other
/// later.
pub struct Listeners {
    probers: Vec<Prober>,
    hurry: Option<Hurry>,
}

/// What a listener showed so far.
type Shown = Arc<Mutex<Vec<ProbeResult>>>;

impl Listeners {
    /// The eyes of an edge with these listeners.
    pub fn new(probers: Vec<Prober>) -> Self {
        Self { probers, hurry: None }
    }

    fn look(
        &mut self,
        targets: &[ProbeTarget],
        nonce: u64,
        wait_max: Option<Duration>,
        beside: &mut dyn FnMut(),
    ) -> Vec<ProbeResult> {
        let (begun, all): (Instant, Arc<[ProbeTarget]>) = (Instant::now(), targets.into());
        let (done, ended) = mpsc::channel();
        let mut shown: Vec<Shown> = Vec::with_capacity(self.probers.len());
        for (number, prober) in self.probers.iter_mut().enumerate() {
            let seen = Shown::new(Mutex::new(vec![ProbeResult::default(); all.len()]));
            shown.push(Arc::clone(&seen));
            // Whoever hangs keeps its connections; the next look begins with new ones.
            let fresh = prober.again();
            let mut prober = std::mem::replace(prober, fresh);
            let (all, done) = (Arc::clone(&all), done.clone());
            let ask = move || {
                prober.probe_into(&all, nonce, &seen);
                // Nobody waits any more where the look was broken off.
                drop(done.send((number, prober)));
            };
            // Without a thread for it, the listeners are asked one after the other.
            spawn_or_run(ask);
        }
        drop(done);
        beside();
        let mut is_done = vec![false; shown.len()];
        while is_done.contains(&false) {
            match ended.recv_timeout(HURRY_LOOK) {
                Ok((number, prober)) => {
                    (is_done[number], self.probers[number]) = (true, prober);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let taken = begun.elapsed();
                    let is_over = wait_max.is_some_and(|max| taken >= max);
                    let is_pressed = || self.hurry.as_ref().is_some_and(|hurry| hurry());
                    if is_over || (taken >= UNHURRIED && is_pressed()) {
                        break;
                    }
                }
            }
        }
        let of_all = shown.iter().zip(is_done).map(|(shown, is_done)| {
            let mut shown = std::mem::take(&mut *lock(shown));
            if !is_done {
                unanswered(&mut shown);
            }
            shown
        });
        let together = of_all.reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a.and(*b)).collect());
        together.unwrap_or_else(|| vec![ProbeResult::default(); targets.len()])
    }
}

impl Eyes for Listeners {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        self.look(targets, nonce, None, &mut || ())
    }

    fn probe_beside(
        &mut self,
        targets: &[ProbeTarget],
        nonce: u64,
        beside: &mut dyn FnMut(),
    ) -> Vec<ProbeResult> {
        self.look(targets, nonce, None, beside)
    }

    fn glance(
        &mut self,
        targets: &[ProbeTarget],
        nonce: u64,
        wait_max: Duration,
    ) -> Vec<ProbeResult> {
        self.look(targets, nonce, Some(wait_max), &mut || ())
    }

    fn spell(&mut self, names: &[ProbeTarget], wait_max: Duration) -> Asking {
        let count = u32::try_from(names.len().min(SPELLED_NAMES_MAX)).unwrap_or(1);
        let ((say, said), until) = (mpsc::channel(), Instant::now() + wait_max * count);
        for prober in &self.probers {
            let (listener, names, say) = (prober.listener().clone(), names.to_vec(), say.clone());
            // Nobody waits any more where the loop ended. Where the system gives no thread, nobody
            // asks, which is no answer either.
            let ask = move || drop(say.send(spelled(&listener, &names, wait_max)));
            drop(thread::Builder::new().spawn(ask));
        }
        let (left, all) = (self.probers.len(), Spelled::Shut);
        if left == 0 { Asking::unable() } else { Asking { said, left, all, until } }
    }

    fn forget(&mut self) {
        for prober in &mut self.probers {
            *prober = prober.again();
        }
    }

    fn set_hurry(&mut self, hurry: Hurry) {
        self.hurry = Some(hurry);
    }
}

/// The first name of which is not known that it is shut ends it.
fn spelled(listener: &Listener, names: &[ProbeTarget], wait_max: Duration) -> Spelled {
    for name in names {
        let until = Instant::now() + wait_max;
        let spelled = match name.host == CANARY_HOST {
            true => spell_canary(listener, name, until),
            false => spell_site(listener, name, until),
        };
        if spelled != Spelled::Shut {
            return spelled;
        }
    }
    Spelled::Shut
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A listener that answered nothing until the look was broken off is silent.
fn unanswered(shown: &mut [ProbeResult]) {
    if shown.iter().all(|result| *result == ProbeResult::default()) {
        let trouble = Some(EdgeErrorKind::Unreachable);
        shown.fill(ProbeResult { trouble, ..ProbeResult::default() });
    }
}

/// In a thread of its own, else, where the system gives none, in this one.
fn spawn_or_run(work: impl FnOnce() + Send + 'static) {
    let work = Arc::new(Mutex::new(Some(work)));
    let shared = Arc::clone(&work);
    let begun = thread::Builder::new().spawn(move || {
        let work = lock(&shared).take();
        work.into_iter().for_each(|work| work());
    });
    if begun.is_err() {
        let work = lock(&work).take();
        work.into_iter().for_each(|work| work());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};

    use relight_model::{GateKey, Seen};

    use super::*;

    /// Each waits for the other: one after the other, neither would end.
    #[test]
    fn what_is_done_beside_a_look_is_done_at_the_same_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ((ask, asked), (say, said)) = (mpsc::channel(), mpsc::channel::<()>());
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let head = BufReader::new(stream.try_clone().unwrap()).lines();
            assert!(head.map_while(Result::ok).any(|line| line.is_empty()));
            ask.send(()).unwrap();
            said.recv().unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let mut eyes = Listeners::new(vec![Prober::new(address)]);
        let key = GateKey::new("a").unwrap();
        let targets = [ProbeTarget::site(key, "a.example".to_owned(), None)];
        let mut was_asked = false;
        let mut beside = || {
            was_asked = asked.recv_timeout(Duration::from_secs(10)).is_ok();
            say.send(()).unwrap();
        };
        let seen = eyes.probe_beside(&targets, 1, &mut beside);
        assert!(was_asked, "the listener was not asked before the end of what ran beside");
        assert_eq!(seen[0].seen, Seen::Lit);
        served.join().unwrap();
    }

    /// Goal: nobody waits for spellings. Method: two listeners, of which one never answers.
    #[test]
    fn spellings_are_asked_for_beside_the_loop() {
        let [hangs, ends] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let probers = [&hangs, &ends].map(|it| Prober::new(it.local_addr().unwrap()));
        let mut eyes = Listeners::new(probers.into());
        let key = GateKey::new("a").unwrap();
        let names = [ProbeTarget::site(key, "a.example".to_owned(), None)];
        let mut asking = eyes.spell(&names, Duration::from_secs(600));
        assert_eq!(asking.within(Duration::ZERO), None);
        drop(ends.accept().unwrap());
        drop(hangs.accept().unwrap());
        let spelled = asking.within(Duration::from_secs(600));
        assert!(matches!(spelled, Some(Spelled::Untold(what)) if !what.is_empty()));
        let mut late = eyes.spell(&names, Duration::from_millis(1));
        let spelled = late.within(Duration::from_secs(600));
        assert!(matches!(spelled, Some(Spelled::Untold(_))));
        let mut nobody = Listeners::new(Vec::new()).spell(&names, Duration::from_secs(1));
        assert_eq!(nobody.within(Duration::ZERO), Some(Spelled::Untold(String::new())));
    }

    /// Goal: a name is not untold because those before it took their time. Method: the time for all
    /// of them is that of each, and has a limit.
    #[test]
    fn each_name_has_a_time_of_its_own() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut eyes = Listeners::new(vec![Prober::new(listener.local_addr().unwrap())]);
        let key = GateKey::new("a").unwrap();
        let name = ProbeTarget::site(key, "a.example".to_owned(), None);
        let one = Duration::from_secs(600);
        for (count, times) in [(1, 1), (3, 3), (SPELLED_NAMES_MAX + 1, 4)] {
            let begun = Instant::now();
            let asking = eyes.spell(&vec![name.clone(); count], one);
            let of = |times| begun + one * times..begun + one * (times + 1);
            assert!(of(times).contains(&asking.until), "{count}");
        }
    }

    /// An old process answers on what was kept of it, the one that took over on new connections.
    #[test]
    fn after_a_takeover_nothing_is_asked_on_connections_of_before() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = |stream: TcpStream, answer: &str| {
            let (mut lines, mut stream) =
                (BufReader::new(stream.try_clone().unwrap()).lines(), stream);
            while lines.by_ref().map_while(Result::ok).any(|line| line.is_empty()) {
                stream.write_all(answer.as_bytes()).unwrap();
            }
        };
        let served = thread::spawn(move || {
            let dark = "HTTP/1.1 503 -\r\nX-Relight-Gate: dark=1; site=a\r\n\
                        Cache-Control: no-store\r\nContent-Length: 0\r\n\r\n";
            let lit = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            for text in [dark, lit] {
                answer(listener.accept().unwrap().0, text);
            }
        });
        let mut eyes = Listeners::new(vec![Prober::new(address)]);
        let key = GateKey::new("a").unwrap();
        let targets = [ProbeTarget::site(key, "a.example".to_owned(), None)];
        let mut look = |nonce, is_other| {
            if is_other {
                eyes.forget();
            }
            eyes.probe(&targets, nonce)[0].seen
        };
        let seen = [look(1, false), look(2, false), look(3, true)];
        assert_eq!(seen, [Seen::Dark, Seen::Dark, Seen::Lit]);
        drop(eyes);
        served.join().unwrap();
    }
}
