-- Step 2: what people are told when an advisory changes the answer of a site.

-- The last answer of an alias group that people were told: the sites where something was found,
-- for certain or perhaps, as serialised sets of site numbers.
CREATE TABLE told (
    advisory TEXT PRIMARY KEY,
    revision BLOB NOT NULL,
    affected BLOB NOT NULL,
    possible BLOB NOT NULL
);

CREATE TABLE notice (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    advisory TEXT NOT NULL,
    revision BLOB NOT NULL,
    affected INTEGER NOT NULL,
    possible INTEGER NOT NULL,
    joined BLOB NOT NULL,
    gone BLOB NOT NULL
);
