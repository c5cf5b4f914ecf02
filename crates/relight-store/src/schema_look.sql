-- Step 15: on which days an inventory was seen again, and a report repeated.

-- The first look of each UTC day inside a run of equal ones; the first and the last look of all are
-- in the run itself. Some 14 bytes a day: 4,000 assets that are scanned daily take 20 MB a year.
CREATE TABLE snapshot_look (
    run INTEGER NOT NULL REFERENCES snapshot (seq),
    at INTEGER NOT NULL,
    PRIMARY KEY (run, at)
) WITHOUT ROWID;

CREATE TABLE deployment_look (
    run INTEGER NOT NULL REFERENCES deployment (seq),
    at INTEGER NOT NULL,
    PRIMARY KEY (run, at)
) WITHOUT ROWID;
