-- Step 3: what a source claims about a record, marks on records, and how sources are doing.

-- Digest of what matching uses; a change of it is what the guard counts.
ALTER TABLE advisory ADD COLUMN matching BLOB;
-- Version of the document where it has one, so that an older one never replaces a newer one.
ALTER TABLE advisory ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE advisory ADD COLUMN modified INTEGER;
ALTER TABLE advisory ADD COLUMN withdrawn INTEGER;
-- Words: modified-went-back, modified-clamped, vanished (missing from a list that is made anew).
ALTER TABLE advisory ADD COLUMN flags TEXT NOT NULL DEFAULT '';
-- Revisions that were united because one list held the id several times: 32 bytes each, sorted.
ALTER TABLE advisory ADD COLUMN parts BLOB NOT NULL DEFAULT x'';

-- Sources were one before.
UPDATE advisory SET source = CASE
    WHEN id LIKE 'GHSA-%' THEN 'ghsa'
    WHEN id LIKE 'GO-%' THEN 'go'
    WHEN id LIKE 'PYSEC-%' THEN 'pypa'
    WHEN id LIKE 'RUSTSEC-%' THEN 'rustsec'
    WHEN id LIKE 'RUBYSEC-%' THEN 'rubysec'
    WHEN id LIKE 'AL_A-%' THEN 'almalinux'
    WHEN id LIKE 'BIT-%' THEN 'bitnami'
    WHEN id LIKE 'MAL-%' THEN 'malicious-packages'
    WHEN id LIKE 'RLT-%' THEN 'own'
    ELSE source END
WHERE source = 'osv';

-- kind: vanished (missing from the newest complete list), stale-record (its successor could not
-- be read). Marks go as soon as the record is there again.
CREATE TABLE advisory_mark (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (source, id, kind)
);

CREATE TABLE advisory_source (
    name TEXT PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL,
    last_success INTEGER,
    errors INTEGER NOT NULL,
    refused TEXT NOT NULL
);

-- Tables of scores that are replaced as a whole.
CREATE TABLE advisory_scores (
    name TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    at INTEGER NOT NULL,
    scores INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    digest BLOB NOT NULL REFERENCES blob (digest)
);
