//! How an edge is looked at from outside: every listener at the same time, and no longer than
//! others can wait.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use relight_edge::spelling::{Spelled, spell_canary, spell_site};
use relight_edge::{EdgeErrorKind, Listener, ProbeResult, ProbeTarget, Prober};

use super::CANARY_HOST;

/// Says that something has to be closed that a look delays.
pub type Hurry = Arc<dyn Fn() -> bool + Send + Sync>;

/// How long a look may take before it is asked whether somebody waits for it.
const UNHURRIED: Duration = Duration::from_millis(500);

/// How often that is asked afterwards.
const HURRY_LOOK: Duration = Duration::from_millis(50);

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

    /// Asks for what is dark in every spelling of its name (INCIDENT 8.1). Eyes that cannot write
    /// a name so know nothing.
    fn spell(&mut self, _: &ProbeTarget, _: Duration) -> Spelled {
        Spelled::Untold
    }

    /// Another process may serve from now on: what is kept of the one before, connections to it
    /// too, would go on showing that one.
    fn forget(&mut self) {}

    /// Gives what is asked during a look that takes long: whether to break it off.
    fn set_hurry(&mut self, _: Hurry) {}
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

    fn spell(&mut self, target: &ProbeTarget, wait_max: Duration) -> Spelled {
        let (begun, (say, said)) = (Instant::now(), mpsc::channel());
        let until = begun + wait_max;
        for prober in &self.probers {
            let (listener, target, say) = (prober.listener().clone(), target.clone(), say.clone());
            // Nobody waits any more where the look was broken off.
            spawn_or_run(move || drop(say.send(spelled(&listener, &target, until))));
        }
        drop(say);
        let mut left = self.probers.len();
        let mut all = if left == 0 { Spelled::Untold } else { Spelled::Shut };
        while left > 0 {
            match said.recv_timeout(HURRY_LOOK) {
                Ok(one) => (all, left) = (all.and(one), left - 1),
                Err(RecvTimeoutError::Disconnected) => return all.and(Spelled::Untold),
                Err(RecvTimeoutError::Timeout) => {
                    let is_pressed = || self.hurry.as_ref().is_some_and(|hurry| hurry());
                    let is_late = begun.elapsed() >= UNHURRIED && is_pressed();
                    if is_late || Instant::now() >= until {
                        return all.and(Spelled::Untold);
                    }
                }
            }
        }
        all
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

fn spelled(listener: &Listener, target: &ProbeTarget, until: Instant) -> Spelled {
    match target.host == CANARY_HOST {
        true => spell_canary(listener, target).unwrap_or(Spelled::Untold),
        false => spell_site(listener, target, until),
    }
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
