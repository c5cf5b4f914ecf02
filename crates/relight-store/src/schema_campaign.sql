-- Step 14: the campaigns that were found, so that each keeps its id.

-- A campaign is computed anew from the windows each time; by its marks it is known again. Marks are
-- numbers made of place, door and time, eight bytes each, sorted: no address is in them. `part_of`
-- is the id of the campaign in which it was found later.
CREATE TABLE watch_campaign (
    id TEXT PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    part_of TEXT NOT NULL,
    marks BLOB NOT NULL
) WITHOUT ROWID;
