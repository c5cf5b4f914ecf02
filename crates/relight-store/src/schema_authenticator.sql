-- Authenticator apps, whose codes a clock makes (TOTP, RFC 6238), one an account.

-- The secret is what both sides count with, so it lies readable here and in every copy of this
-- file, unlike each other secret of an account, of which a digest is kept.
CREATE TABLE authenticator (
    account INTEGER PRIMARY KEY REFERENCES account (id),
    secret BLOB NOT NULL,
    created INTEGER NOT NULL,
    -- The last step whose code was used: neither it nor an older one counts again.
    step INTEGER NOT NULL,
    -- Wrong codes so far.
    wrong INTEGER NOT NULL
);
