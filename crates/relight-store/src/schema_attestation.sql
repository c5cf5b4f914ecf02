-- Step 12: what people attest about a site or a body: only ever added to. The newest line about a
-- subject and a measure counts, until it expires.

CREATE TABLE attestation (
    seq INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    measure TEXT NOT NULL,
    in_place INTEGER NOT NULL CHECK (in_place IN (0, 1)),
    evidence TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires INTEGER NOT NULL
);
CREATE INDEX attestation_by_subject ON attestation (subject, measure, seq);
