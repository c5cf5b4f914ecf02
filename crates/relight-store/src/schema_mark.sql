-- Step 5: marks on sites that only people set, and that no import touches.

CREATE TABLE site_mark (
    slug TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (slug, mark)
) WITHOUT ROWID;
