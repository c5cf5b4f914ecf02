-- Step 17: what Debian publishes through OSV is a source beside its tracker. The tracker is a complete
-- list: under one name, each of the two ended what the other says.
UPDATE advisory SET source = 'osv-debian' WHERE source = 'debian' AND id NOT LIKE 'debian/%';
UPDATE advisory_mark SET source = 'osv-debian' WHERE source = 'debian' AND id NOT LIKE 'debian/%';
