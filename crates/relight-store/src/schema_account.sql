-- Step 8: who may come in. Secrets are kept as digests only: of a cookie, a token or a link nobody
-- can make what it was from what stands here.

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    -- 0 while it may sign in.
    ended INTEGER NOT NULL
);

CREATE TABLE account_grant (
    account INTEGER NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- Who granted it: one name, or two with a blank between them.
    by TEXT NOT NULL,
    PRIMARY KEY (account, role, scope)
) WITHOUT ROWID;

-- Grants that wait for a second person.
CREATE TABLE account_proposal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    proposer INTEGER NOT NULL REFERENCES account (id),
    at INTEGER NOT NULL
);

CREATE TABLE passkey (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id),
    credential BLOB NOT NULL UNIQUE,
    -- The public key, as the authenticator gave it (COSE_Key).
    key BLOB NOT NULL,
    name TEXT NOT NULL,
    signatures INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
);

-- A link that lets one person register the first key of an account.
CREATE TABLE invitation (
    digest BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    expires INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE sign_in (
    digest BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    factor TEXT NOT NULL,
    started INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    -- When a passkey was last shown in it; 0 for never.
    shown INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    scope TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- 0 for never.
    used INTEGER NOT NULL
);
