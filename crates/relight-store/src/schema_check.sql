-- Step 19: what a site must answer behind its gate before a fix of it counts as verified, one check
-- a line. Only people write it, and no import touches it.

CREATE TABLE site_check (
    slug TEXT NOT NULL PRIMARY KEY,
    checks TEXT NOT NULL
) WITHOUT ROWID;
