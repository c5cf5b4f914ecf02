//! Random versions: published ones with mistakes, marks and numbers in odd places.

/// Numbers without end from one seed (xorshift64*).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % end.max(1)
    }

    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Versions as published, and the pieces that mean something in the scheme.
struct Words {
    versions: &'static [&'static str],
    pieces: &'static [&'static str],
}

const MAVEN: Words = Words {
    versions: &[
        "2.0-beta9",
        "2.14.1",
        "1.0.0.Final",
        "3.7.0.rc.3",
        "1.2.48.sec10",
        "1.0.0-beta.9",
        "4.1.0.CR1",
        "1.0-alpha-1-SNAPSHOT",
        "20200101.1",
        "1.0.0-jre",
        "31.1-android",
        "2.12.0-1",
        "1-ga-1",
        "1.0-m2",
        "9.4.0.v20161208",
        "1.1.0-01-glassfish",
        "5.3.0.RELEASE",
        "1.0.0-rc1",
        "0.0.1-a1",
        "1-1.foo-bar1",
    ],
    pieces: &[
        ".",
        "-",
        "_",
        "0",
        "1",
        "10",
        "00",
        "a",
        "b",
        "m",
        "x",
        "rc",
        "cr",
        "alpha",
        "beta",
        "milestone",
        "ga",
        "final",
        "release",
        "sp",
        "snapshot",
        "SNAPSHOT",
        "Final",
        "99999999999999999999",
        "é",
    ],
};

const PEP440: Words = Words {
    versions: &[
        "1.0",
        "2.1.0+cu118",
        "1.0.dev1",
        "1.0a1",
        "1.0b2.post3.dev4",
        "1!2.0",
        "1.0.post1",
        "1.0-1",
        "2013.1",
        "0.9.pre",
        "1.0rc1",
        "v1.0",
        "1.0+local.1",
        "1.0c2",
        "3.0.0.0",
        "1.0.post.2",
        "1.0-r4",
        "1.0+ubuntu.1-2_3",
    ],
    pieces: &[
        ".",
        "-",
        "_",
        "+",
        "!",
        "0",
        "1",
        "10",
        "00",
        "a",
        "b",
        "c",
        "rc",
        "alpha",
        "beta",
        "pre",
        "preview",
        "post",
        "rev",
        "r",
        "dev",
        "DEV",
        "99999999999999999999",
        " ",
    ],
};

const NPM: Words = Words {
    versions: &[
        "1.2.3",
        "1.0.0-alpha.1",
        "v1.2.3",
        "1.2.3-beta.11+build.5",
        "0.0.0-0",
        "2.0.0-rc.1",
        "1.2.3beta",
        "=1.2.3",
        "10.20.30",
        "1.0.0-0A.is.legal",
        "1.0.0--",
        "1.2.3-r100",
        "0.10.0-x.7.z.92",
    ],
    pieces: &[".", "-", "+", "0", "1", "10", "01", "a", "alpha", "rc", "A", "x", "v", "=", " "],
};

// Of longer numbers the Perl module of dpkg loses the last digits.
const DEB: Words = Words {
    versions: &[
        "1.0",
        "1:2.3-4",
        "2.36-9+deb12u9",
        "1.0~rc1-1",
        "5.10.0~bpo12+1",
        "0.9.8zh-1",
        "1.2.3-4.1+b1",
        "2:8.2.2367-1ubuntu4",
        "1.0+dfsg-2~exp1",
        "20230311",
        "1.36.1-1.1",
        "9.0.1378-2",
        "0-0",
    ],
    pieces: &[".", "-", "~", "+", ":", "0", "1", "10", "00", "a", "z", "Z", "deb", "99999"],
};

const RPM: Words = Words {
    versions: &[
        "1.0-1.el9",
        "1:2.3-4.fc38",
        "4.18.0~rc1-2",
        "1.0^git1-3",
        "0:3.10.0-229.1.2.ael7b",
        "5.5p10",
        "1.0.2k-25.el7_9",
        "2.0.1a",
        "1.0~rc1^git1",
        "20101121",
        "xyz10",
        "10.0001",
        "a:1",
        "1-",
    ],
    pieces: &[
        ".",
        "-",
        "~",
        "^",
        "_",
        "+",
        ":",
        "0",
        "1",
        "10",
        "00",
        "a",
        "z",
        "Z",
        "el",
        "rc",
        "99999999999999999999",
    ],
};

const GEM: Words = Words {
    versions: &[
        "1.0.0",
        "1.0.0.rc4",
        "3.2.0.beta2",
        "1.0.a.2",
        "2.0.0.pre1",
        "1.0-1",
        "7.0.4.3",
        "0.0.1",
        "1.0.b1",
        "1.a.0.b",
        "1.0.0-alpha.1",
        "4.2.11.3",
        "1.0.0.0.0",
        "5.A.b",
    ],
    pieces: &[
        ".",
        "-",
        "0",
        "1",
        "10",
        "00",
        "a",
        "b",
        "A",
        "rc",
        "pre",
        "beta",
        "9999999999999999999999",
    ],
};

const COMPOSER: Words = Words {
    versions: &[
        "1.0.0",
        "v3.0",
        "5.1.0-beta2",
        "1.0.0-RC1",
        "2.0.0-alpha.1",
        "1.0pl1",
        "1.0-dev",
        "3.1.0.post1",
        "1.25.0beta2.1",
        "2.2.0-p1",
        "1.5.1.dev100",
        "20100102",
        "4.3-2RC1",
        "1.0.0+build",
        "1.0.0.x",
    ],
    pieces: &[
        ".", "-", "_", "+", "0", "1", "10", "00", "a", "b", "p", "pl", "rc", "RC", "dev", "alpha",
        "beta", "foo", "stable", "patch",
    ],
};

fn words(scheme: &str) -> &'static Words {
    match scheme {
        "maven" => &MAVEN,
        "pep440" => &PEP440,
        "deb" => &DEB,
        "rpm" => &RPM,
        "gem" => &GEM,
        "composer" | "composer-keys" => &COMPOSER,
        _ => &NPM,
    }
}

/// Two versions; mostly the second one is the first with changes, so that they differ late.
pub(super) fn pair(scheme: &str, chance: &mut Chance) -> (String, String) {
    let words = words(scheme);
    let first = changed(chance.pick(words.versions), words, chance);
    let second = match chance.below(4) {
        0 => changed(chance.pick(words.versions), words, chance),
        _ => changed(&first, words, chance),
    };
    (first, second)
}

/// Up to four changes; never empty, without what would break a line of pairs.
fn changed(text: &str, words: &Words, chance: &mut Chance) -> String {
    let mut text = text.to_owned();
    for _ in 0..chance.below(5) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = if places.is_empty() { 0 } else { chance.pick(&places) };
        let rest = text.split_off(at);
        match chance.below(4) {
            // A piece is put in, put in the place of a character, or the character goes.
            0 | 1 => text = format!("{text}{}{rest}", chance.pick(words.pieces)),
            2 => text = format!("{text}{}{}", chance.pick(words.pieces), without_first(&rest)),
            _ => text.push_str(without_first(&rest)),
        }
    }
    let text = text.trim();
    if text.is_empty() { "1".to_owned() } else { text.to_owned() }
}

fn without_first(text: &str) -> &str {
    let mut rest = text.chars();
    rest.next();
    rest.as_str()
}
