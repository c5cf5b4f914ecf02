-- Step 21: what the classes of containers are called, for an advisory of one's own about a class.

-- Distinct lists of names, content-addressed as in `container`, and removed with the last who has them.
CREATE TABLE class_names (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);

-- NULL: the inventory was made before names were kept.
ALTER TABLE profile ADD COLUMN names INTEGER REFERENCES class_names (id);
CREATE INDEX profile_by_names ON profile (names, asset, place);
