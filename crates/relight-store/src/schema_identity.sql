-- Who else vouches for a person, and what brings one back who lost every key.

-- An identity at a provider is its issuer and the subject there, never a name or an address of
-- mail: those are given to somebody else one day.
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES account (id),
    created INTEGER NOT NULL,
    -- 0 for never.
    used INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;

-- Codes that are good once, by their digests.
CREATE TABLE recovery_code (
    digest BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    created INTEGER NOT NULL
) WITHOUT ROWID;
