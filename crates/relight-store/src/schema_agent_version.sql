-- Step 26: of which version an agent says that it is.

ALTER TABLE agent ADD COLUMN version TEXT NOT NULL DEFAULT '';
