-- What is being told to people: incidents from their first night to their last, and messages until they are delivered.

-- The last run of each job that alerts have looked at. A run that was stored and never looked at, because the process
-- ended in between, is looked at before the next one.
CREATE TABLE alert_jobs (
    job         TEXT    NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL           -- the instant that the run stands for
) STRICT, WITHOUT ROWID;

-- Instants here are those that runs stand for, not clocks: a fortnight simulated in a minute behaves like a fortnight.
CREATE TABLE incidents (
    id          INTEGER PRIMARY KEY,
    job         TEXT    NOT NULL,
    subject     TEXT    NOT NULL,          -- a feature, or a group of features
    key         TEXT    NOT NULL,          -- deduplication key of its messages
    level       INTEGER NOT NULL,          -- 0 ok, 1 info, 2 warning, 3 critical; as of the last run that had it
    title       TEXT    NOT NULL,
    opened_at   INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    nights      INTEGER NOT NULL,
    told_at     INTEGER,                   -- when people were last told; NULL: never
    told_level  INTEGER,
    closed_at   INTEGER                    -- NULL: open
) STRICT;

CREATE UNIQUE INDEX open_incidents ON incidents (job, subject) WHERE closed_at IS NULL;
CREATE INDEX told_incidents ON incidents (job, subject, told_at);

-- One row a message and channel. Messages of a channel leave in the order of their ids.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    event       TEXT    NOT NULL,          -- the same when the same event is found again
    channel     TEXT    NOT NULL,
    incident    INTEGER,                   -- NULL: it is about no single one
    message     TEXT    NOT NULL,          -- JSON
    created_at  INTEGER NOT NULL,          -- clock
    attempts    INTEGER NOT NULL DEFAULT 0,
    not_before  INTEGER NOT NULL DEFAULT 0, -- clock: what Retry-After asked for
    error       TEXT,                      -- of the last attempt
    sent_at     INTEGER,                   -- clock; NULL: waiting
    UNIQUE (event, channel)
) STRICT;

CREATE INDEX waiting ON outbox (channel, id) WHERE sent_at IS NULL;
