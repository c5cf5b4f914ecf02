//! A program of our own that works until it is killed: another controller, in a drill.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::error::{EdgeError, EdgeErrorKind};

/// A running program; dropped, it is killed.
#[derive(Debug)]
pub struct Hand {
    child: Child,
}

/// Starts `argv`, whose first word is the path of a program, and waits until it has said a line.
///
/// # Errors
/// `Io` when it cannot be started, `Lint` without a program, `Unreachable` when it says nothing
/// within `wait` or ends before.
pub fn start_hand(argv: &[String], wait: Duration) -> Result<Hand, EdgeError> {
    let [program, arguments @ ..] = argv else {
        return Err(EdgeError::new(EdgeErrorKind::Lint, "start a program without a name"));
    };
    let doing = format!("start {program}");
    #[expect(clippy::disallowed_methods, reason = "the folder of this file is where they start")]
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().map_err(EdgeError::io(doing.clone()))?;
    let mut hand = Hand { child };
    let (said, heard) = mpsc::channel();
    let output = hand.child.stdout.take();
    // Ends with the program, whose output it holds.
    thread::spawn(move || {
        let mut lines = output.map(|output| BufReader::new(output).lines());
        let first = lines.as_mut().and_then(Iterator::next).and_then(Result::ok);
        // Nobody listens any more after the wait.
        let _ = said.send(first.is_some());
        lines.into_iter().flatten().for_each(drop);
    });
    match heard.recv_timeout(wait) {
        Ok(true) => Ok(hand),
        _ => Err(EdgeError::new(EdgeErrorKind::Unreachable, doing).because("it said nothing")),
    }
}

impl Hand {
    /// Kills it at once (`kill -9`), whatever it is doing, and waits until it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_program_that_said_a_line_is_killed_in_the_middle_of_its_work() {
        let wait = Duration::from_secs(20);
        let began = Instant::now();
        let mut hand = start_hand(&shell("echo ready; exec sleep 60"), wait).unwrap();
        hand.kill();
        assert!(began.elapsed() < Duration::from_secs(50));
        assert!(hand.child.try_wait().unwrap().is_some_and(|status| !status.success()));
    }

    #[test]
    fn a_program_that_says_nothing_is_none() {
        let wait = Duration::from_millis(200);
        for argv in [shell("exec sleep 60"), shell("exit 0")] {
            let error = start_hand(&argv, wait).unwrap_err();
            assert_eq!(error.kind, EdgeErrorKind::Unreachable, "{argv:?}");
        }
        let missing = ["/no/such/program".to_owned()];
        assert_eq!(start_hand(&missing, wait).unwrap_err().kind, EdgeErrorKind::Io);
        assert_eq!(start_hand(&[], wait).unwrap_err().kind, EdgeErrorKind::Lint);
    }
}
