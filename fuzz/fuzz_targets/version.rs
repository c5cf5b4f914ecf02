//! Two versions in every scheme: comparing is antisymmetric, and keys agree with it where they
//! promise to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_match::{Key, VersionScheme, compare, key};

fuzz_target!(|pair: (&str, &str)| {
    let (a, b) = pair;
    for scheme in VersionScheme::ALL {
        let order = compare(scheme, a, b);
        assert_eq!(compare(scheme, b, a), order.map(std::cmp::Ordering::reverse));
        // PHP's raw order is not the one of Composer's keys.
        if scheme != VersionScheme::Composer
            && let (Key::Ordered(a), Key::Ordered(b)) = (key(scheme, a), key(scheme, b))
        {
            assert_eq!(order, Some(a.cmp(&b)), "{}", scheme.as_str());
        }
    }
});
