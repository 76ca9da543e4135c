-- The features of each incident. A feature is in one open incident of its job at most, and stays in it until that is over;
-- the subject of an incident is one of its features, so `open_incidents` keeps two incidents from sharing a name.
-- Incidents about a whole run have no members.
CREATE TABLE incident_members (
    incident    INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    feature     TEXT    NOT NULL,
    level       INTEGER NOT NULL,          -- as of the last run that saw it; 0: quiet
    told_level  INTEGER,                   -- when people were last told that it is one of them; NULL: never
    joined_at   INTEGER NOT NULL,
    PRIMARY KEY (incident, feature)
) STRICT, WITHOUT ROWID;

CREATE INDEX incidents_of_feature ON incident_members (feature, incident);

INSERT INTO incident_members (incident, feature, level, told_level, joined_at)
SELECT id, subject, iif(closed_at IS NULL, level, 0), told_level, opened_at
FROM incidents WHERE subject NOT LIKE 'whole run: %';
