-- Step 4: inventories that came while another process controlled the register, until it has looked
-- at them. The mark tells a later one from the one that was looked at.
CREATE TABLE inventory_left (
    asset INTEGER PRIMARY KEY REFERENCES asset (id),
    mark TEXT NOT NULL
);
