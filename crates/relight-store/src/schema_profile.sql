-- Step 6: what the containers of the present inventories are made of, for query by example.

-- Distinct containers, content-addressed as in `blob`: kept once, whoever has them, and removed with
-- the last of these. A table of its own, because nothing else refers to them.
CREATE TABLE container (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);

-- The assets whose present inventory was made with a look at this. One without a row in `profile`
-- has no container.
CREATE TABLE profiled (asset INTEGER PRIMARY KEY REFERENCES asset (id));

CREATE TABLE profile (
    asset INTEGER NOT NULL REFERENCES profiled (asset),
    place TEXT NOT NULL,
    container INTEGER NOT NULL REFERENCES container (id),
    PRIMARY KEY (asset, place)
);
CREATE INDEX profile_by_container ON profile (container);
