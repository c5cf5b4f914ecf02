-- The schema of relight.db, version 1. No vendor types and no SQL that answers "which sites":
-- the same text has to be good for PostgreSQL one day. Times are seconds since 1970 (UTC).
-- Digests are 32 bytes of SHA-256.

CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Content-addressed bytes: whoever reads them checks that they still have their digest.
CREATE TABLE blob (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL);

CREATE TABLE organisation (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    sector TEXT NOT NULL
);

CREATE TABLE site (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name_fr TEXT NOT NULL,
    name_en TEXT NOT NULL,
    origin TEXT NOT NULL,
    host TEXT NOT NULL UNIQUE,
    org INTEGER NOT NULL REFERENCES organisation (id),
    criticality INTEGER NOT NULL CHECK (criticality BETWEEN 1 AND 4),
    edge TEXT NOT NULL,
    public INTEGER NOT NULL CHECK (public IN (0, 1))
);

-- What a snapshot or a deployment says about an asset is history; `snapshot` and `deployment`
-- name the present ones.
CREATE TABLE asset (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    org INTEGER NOT NULL REFERENCES organisation (id),
    snapshot INTEGER REFERENCES snapshot (seq),
    deployment INTEGER REFERENCES deployment (seq)
);

CREATE TABLE site_asset (
    site INTEGER NOT NULL REFERENCES site (id),
    asset INTEGER NOT NULL REFERENCES asset (id),
    PRIMARY KEY (site, asset)
);

CREATE TABLE edge (name TEXT PRIMARY KEY, kind TEXT NOT NULL, target TEXT NOT NULL);

CREATE TABLE register_change (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
);

-- One row is one run of equal observations: first seen at observed_at, last at last_confirmed.
CREATE TABLE snapshot (
    seq INTEGER PRIMARY KEY,
    asset INTEGER NOT NULL REFERENCES asset (id),
    digest BLOB NOT NULL REFERENCES blob (digest),
    artifact BLOB,
    observed_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    last_confirmed INTEGER NOT NULL
);
CREATE INDEX snapshot_by_time ON snapshot (asset, observed_at, seq);

-- One row is one run of equal reports, as in snapshot. An empty digest: something newer is
-- there, nobody could say what.
CREATE TABLE deployment (
    seq INTEGER PRIMARY KEY,
    asset INTEGER NOT NULL REFERENCES asset (id),
    digest BLOB,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    last_confirmed INTEGER NOT NULL
);

CREATE TABLE advisory (
    seq INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BLOB NOT NULL,
    recorded_at INTEGER NOT NULL,
    digest BLOB NOT NULL REFERENCES blob (digest)
);
CREATE INDEX advisory_by_id ON advisory (source, id, seq);

CREATE TABLE watch_window (
    segment BLOB PRIMARY KEY,
    org INTEGER NOT NULL REFERENCES organisation (id),
    digest BLOB NOT NULL REFERENCES blob (digest)
);

CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    term INTEGER NOT NULL,
    taken_at INTEGER NOT NULL
);

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    incident TEXT NOT NULL,
    body TEXT NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL
);

-- The newest record, so that a missing tail shows too. Exactly one row.
CREATE TABLE journal_head (seq INTEGER NOT NULL, hash BLOB NOT NULL);
