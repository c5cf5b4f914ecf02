-- Step 25: agents are looked for by machine, certificates and sites by agent, at each turn of an
-- agent: no table is read whole for that. And a code says who made it.

CREATE INDEX agent_by_host ON agent (org, host);

CREATE INDEX agent_certificate_by_agent ON agent_certificate (agent, expires);

CREATE INDEX agent_site_by_agent ON agent_site (agent);

ALTER TABLE agent_code ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
