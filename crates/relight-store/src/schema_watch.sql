-- Step 10: what is kept of logs beyond their windows, and what keeps their number small.

-- Windows of a day of an organisation are joined: `day` is that of the last event, in days since
-- 1970, `read_day` the one on which it was read, from which its time here counts. The digests of segments whose windows were joined stay, so that none counts twice.
ALTER TABLE watch_window ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE watch_window ADD COLUMN read_day INTEGER NOT NULL DEFAULT 0;
UPDATE watch_window SET read_day = CAST(strftime('%s', 'now') AS INTEGER) / 86400;
CREATE INDEX watch_window_by_day ON watch_window (org, day);
CREATE TABLE watch_segment (seq INTEGER PRIMARY KEY, segment BLOB NOT NULL UNIQUE);

-- Which site was heard from on which day (-1: the log does not tell the site), in which hours and
-- with which fields, as bits. No address.
CREATE TABLE watch_day (
    org INTEGER NOT NULL,
    site INTEGER NOT NULL,
    format TEXT NOT NULL,
    day INTEGER NOT NULL,
    events INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    fields INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    read_day INTEGER NOT NULL,
    PRIMARY KEY (org, site, format, day)
) WITHOUT ROWID;

-- On which sites a door of the catalogue was tried on a day: a set of site numbers.
CREATE TABLE watch_probe (
    entry TEXT NOT NULL,
    day INTEGER NOT NULL,
    sites BLOB NOT NULL,
    read_day INTEGER NOT NULL,
    PRIMARY KEY (entry, day)
) WITHOUT ROWID;

-- Why somebody looked at what several organisations have together, and what was erased.
CREATE TABLE watch_note (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL
);
