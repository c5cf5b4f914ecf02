-- Step 13: who can reach a site (internet, controlled, internal, unknown).
ALTER TABLE site ADD COLUMN exposure TEXT NOT NULL DEFAULT 'unknown';
