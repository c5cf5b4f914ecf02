-- Step 16: other names of a site, separated by spaces, in lower case. No name is two sites': the
-- plan of an import sees to it.
ALTER TABLE site ADD COLUMN aliases TEXT NOT NULL DEFAULT '';
