-- Step 9: where a container is, read from the index alone and in order: a popular library is in
-- thousands of places.
DROP INDEX profile_by_container;
CREATE INDEX profile_by_container ON profile (container, asset, place);
