-- Step 18: parts of a site that can be closed alone, as `NAME=/PATH`, `@internet` or `@write`,
-- separated by spaces.
ALTER TABLE site ADD COLUMN parts TEXT NOT NULL DEFAULT '';
