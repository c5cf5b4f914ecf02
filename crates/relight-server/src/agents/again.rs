//! Asking a busy server again.

use std::time::Duration;

use super::client::AgentFault;

/// Most times that a busy server is asked.
const ASKS_MAX: u32 = 60;

/// The rest between two of them.
pub(super) const REST: Duration = Duration::from_secs(5);

/// Asks again, after a rest, as long as the server says that it is busy, [`ASKS_MAX`] times.
pub(super) fn until_free<T>(
    mut ask: impl FnMut() -> Result<T, AgentFault>,
    mut rest: impl FnMut(),
) -> Result<T, AgentFault> {
    for _ in 1..ASKS_MAX {
        match ask() {
            Err(fault) if fault.code == "busy" => rest(),
            answer => return answer,
        }
    }
    ask()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &str) -> AgentFault {
        AgentFault { code: code.to_owned(), detail: String::new() }
    }

    #[test]
    fn who_is_busy_is_asked_again_and_not_for_ever() {
        let ask = |busy: u32, then: Result<u32, &str>| {
            let (mut asked, mut rests) = (0, 0);
            let answer = until_free(
                || {
                    asked += 1;
                    if asked <= busy { Err(fault("busy")) } else { then.map_err(fault) }
                },
                || rests += 1,
            );
            (answer.map_err(|fault| fault.code), asked, rests)
        };
        assert_eq!(ask(0, Ok(7)), (Ok(7), 1, 0));
        assert_eq!(ask(3, Ok(7)), (Ok(7), 4, 3));
        assert_eq!(ask(0, Err("not-asked")), (Err("not-asked".to_owned()), 1, 0));
        assert_eq!(ask(u32::MAX, Ok(7)), (Err("busy".to_owned()), ASKS_MAX, ASKS_MAX - 1));
    }
}
