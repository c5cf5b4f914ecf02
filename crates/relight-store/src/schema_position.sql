-- Step 7: how far each log file was read, so that a restart neither loses nor counts twice.

-- A file is known by its beginning: names change when logs are rotated, and numbers of files when
-- they are packed. The header names the columns of the lines that follow.
CREATE TABLE watch_position (
    feed TEXT NOT NULL,
    head BLOB NOT NULL,
    head_bytes INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    header TEXT NOT NULL,
    PRIMARY KEY (feed, head, inode)
);
