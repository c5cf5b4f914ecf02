//! Words before they are public: what they may not name, and what only Command stands for.

/// Beginnings of words that say something about data or a compromise, in both languages, without
/// accents. Rather too many: whoever is of Command ticks that it is meant.
const ABOUT_DATA: &[&str] = &[
    "attack",
    "attaqu",
    "breach",
    "compromi",
    "confidentiel",
    "cyber",
    "data",
    "derob",
    "divulg",
    "donnee",
    "exfiltr",
    "fuite",
    "hack",
    "intrus",
    "leak",
    "malware",
    "pirat",
    "ransom",
    "rancon",
    "stolen",
    "theft",
    "vole",
];

/// Beginnings of names of flaws: a page for visitors never says which one is looked for.
const FLAWS: &[&str] = &["cve-", "ghsa-", "log4", "osv-", "rlt-"];

/// What is wrong with words as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// This names a flaw or a component.
    NamesFlaw(String),
    /// This says something about data or a compromise, and nobody of Command stands for it.
    AboutData(String),
}

/// Looks through words of any language; what Command ticked may speak of data.
pub fn wrong(words: &[&str], about_data: bool) -> Option<Wrong> {
    let all = || words.iter().flat_map(|text| text.split(is_gap)).filter(|word| !word.is_empty());
    let begins = |word: &str, with: &[&str]| {
        let plain = plain(word);
        // An article before a vowel is no part of the word ("d'attaque"), nor is what follows it
        // ("the data's").
        let mut parts = plain.split(['\'', '\u{2019}']);
        parts.any(|part| with.iter().any(|start| part.starts_with(start)))
    };
    if let Some(word) = all().find(|word| begins(word, FLAWS)) {
        return Some(Wrong::NamesFlaw(word.to_owned()));
    }
    let found = all().find(|word| begins(word, ABOUT_DATA)).filter(|_| !about_data);
    found.map(|word| Wrong::AboutData(word.to_owned()))
}

fn is_gap(sign: char) -> bool {
    !(sign.is_alphanumeric() || is_accent(sign) || matches!(sign, '-' | '\'' | '\u{2019}'))
}

/// An accent that is a sign of its own behind its letter, as some systems write them.
fn is_accent(sign: char) -> bool {
    matches!(sign, '\u{300}'..='\u{36f}')
}

/// Small letters without the accents of French.
pub(crate) fn plain(word: &str) -> String {
    let sign = |sign: char| match sign {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        other => other,
    };
    word.to_lowercase().chars().filter(|it| !is_accent(*it)).map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_of_data_or_names_a_flaw_is_found_in_both_languages() {
        let of = |text: &str| wrong(&[text], false);
        for (text, word) in [
            ("Aucune donnée n’a été touchée.", "donnée"),
            ("Il n’y a pas eu d’intrusion.", "d’intrusion"),
            ("No DATA was taken", "DATA"),
            ("Rien n'a été VOLÉ !", "VOLÉ"),
            ("We were hacked.", "hacked"),
            ("Aucune donne\u{301}e perdue.", "donne\u{301}e"),
            ("The attackers\u{2019} traces", "attackers\u{2019}"),
            ("It is the data's owner", "data's"),
            ("Les mots 'donnée' et autres", "'donnée'"),
        ] {
            assert_eq!(of(text), Some(Wrong::AboutData(word.into())), "{text}");
            assert_eq!(wrong(&["Bonjour", text], true), None, "{text}");
        }
        for (text, word) in [
            ("À cause de CVE-2021-44228.", "CVE-2021-44228"),
            ("Because of (log4j-core)", "log4j-core"),
            ("CVE-2021-44228's fix", "CVE-2021-44228's"),
            ("Voir RLT-local-2026-0001.", "RLT-local-2026-0001"),
        ] {
            assert_eq!(wrong(&[text], true), Some(Wrong::NamesFlaw(word.into())), "{text}");
        }
        let quiet = "Par précaution, ce service est hors ligne. Il reviendra vers 16 h 30; \
                     téléphonez au 311. We fly, and volunteers help.";
        assert_eq!(of(quiet), None);
    }
}
