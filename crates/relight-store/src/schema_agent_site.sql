-- Step 24: of which sites an agent says that they are on its machine. One agent a site: of two
-- machines that serve one site, the inventory of one would hide what is on the other.

CREATE TABLE agent_site (
    slug TEXT PRIMARY KEY,
    agent INTEGER NOT NULL REFERENCES agent (id)
) WITHOUT ROWID;
