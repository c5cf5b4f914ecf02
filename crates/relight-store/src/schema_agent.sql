-- Step 23: agents on other machines. A code is kept as a digest only, and a certificate by that of
-- its bytes: what is not listed here is let in nowhere, whoever signed it.

CREATE TABLE agent_code (
    digest BLOB PRIMARY KEY,
    org INTEGER NOT NULL REFERENCES organisation (id),
    -- The name of a machine; `*` stands for any part of it.
    host TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE agent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    org INTEGER NOT NULL REFERENCES organisation (id),
    host TEXT NOT NULL,
    enrolled INTEGER NOT NULL,
    -- 0 while it is let in.
    revoked INTEGER NOT NULL,
    -- 0 for never.
    seen INTEGER NOT NULL
);

CREATE TABLE agent_certificate (
    fingerprint BLOB PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agent (id),
    expires INTEGER NOT NULL
) WITHOUT ROWID;
