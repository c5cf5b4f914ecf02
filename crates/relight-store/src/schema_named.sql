-- Step 22: whose inventory was made by a program that keeps the names of classes. Containers that
-- held nothing to compare were not kept before, so that rows of `profile` cannot say it.
ALTER TABLE profiled ADD COLUMN has_names INTEGER NOT NULL DEFAULT 0;
