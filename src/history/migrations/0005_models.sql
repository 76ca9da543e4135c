-- What model scans found: one row a job, model, definition, version, segment and window, with its first value and, where
-- that was amended since, its latest one; and the decisions of validations.

CREATE TABLE model_windows (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,   -- hexadecimal digits of the hashed key
    job           TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    definition    TEXT    NOT NULL,          -- hash of what decides about the figures
    version       TEXT,                      -- NULL: versions are not told apart, or it is null
    segment       TEXT,                      -- a column; NULL: the rows of all segments
    segment_value TEXT,                      -- NULL: null, or the rows of all segments
    window        TEXT    NOT NULL,          -- its first day; or whole, untimed, or what --as-of says
    first_day     TEXT,                      -- NULL: it has no days
    last_day      TEXT,
    at            INTEGER NOT NULL,          -- the instant that it ends at, milliseconds since 1970, UTC
    task          TEXT    NOT NULL,          -- binary, multiclass, regression
    open          INTEGER NOT NULL,          -- 1: the log ended within the window
    revision      INTEGER NOT NULL           -- 1, and one more each time that its value changed
) STRICT;

CREATE INDEX model_windows_by_time ON model_windows (job, model, at);

CREATE TABLE model_values (
    window        INTEGER NOT NULL REFERENCES model_windows (id) ON DELETE CASCADE,
    amended       INTEGER NOT NULL,          -- 0 the first value, 1 the latest where it is another
    stored_at     INTEGER NOT NULL,
    level         INTEGER NOT NULL,          -- 0 ok, 1 info, 2 warning, 3 critical
    rows          INTEGER NOT NULL,
    labelled      INTEGER NOT NULL,
    measured      INTEGER NOT NULL,
    body          TEXT    NOT NULL,          -- all of it, JSON: metrics, estimates, drift, operations
    PRIMARY KEY (window, amended)
) STRICT, WITHOUT ROWID;

-- One row a validation; the same logs, policy and figures again are the same one.
CREATE TABLE validations (
    name          TEXT    NOT NULL PRIMARY KEY, -- hexadecimal digits of the hashed report
    job           TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    at            INTEGER NOT NULL,          -- when it was stored
    decision      TEXT    NOT NULL,          -- deploy, hold, reject
    body          TEXT    NOT NULL           -- the report, JSON
) STRICT, WITHOUT ROWID;
