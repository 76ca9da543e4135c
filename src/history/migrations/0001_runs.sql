-- Runs, and what each says of its features. One row of numbers a feature and run, clustered by run: a night is
-- written at the end of the file, and the series of a feature is one look-up a run.

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,   -- what people type: hexadecimal digits of the hashed key
    job         TEXT    NOT NULL,
    window      TEXT    NOT NULL,          -- the time, or the data, that the run is about
    definition  TEXT    NOT NULL,          -- hash of what decides about the numbers: metrics, bins, thresholds
    at          INTEGER NOT NULL,          -- the instant that the run stands for, milliseconds since 1970, UTC
    stored_at   INTEGER NOT NULL,
    revision    INTEGER NOT NULL,          -- 1, and one more each time that other data replaced it
    content     TEXT    NOT NULL,          -- hash of everything in the report but `run`
    summary     TEXT    NOT NULL,          -- JSON
    run         BLOB    NOT NULL,          -- JSON, zstd
    skipped     BLOB    NOT NULL,          -- JSON, zstd
    UNIQUE (job, window, definition)
) STRICT;

CREATE INDEX runs_by_time ON runs (job, at);

-- What a replaced run said, in short.
CREATE TABLE revisions (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    revision    INTEGER NOT NULL,
    stored_at   INTEGER NOT NULL,
    content     TEXT    NOT NULL,
    summary     TEXT    NOT NULL,
    PRIMARY KEY (run, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE features (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    UNIQUE (name, type, kind)
) STRICT;

-- Numbers of the current side, and the metrics that trends are drawn from. NULL: no value.
CREATE TABLE feature_runs (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    feature     INTEGER NOT NULL REFERENCES features (id),
    position    INTEGER NOT NULL,          -- in the report; its block is position / 64
    level       INTEGER NOT NULL,          -- 0 ok, 1 info, 2 warning, 3 critical
    psi         REAL,
    ks          REAL,
    p           REAL,
    q           REAL,
    rows        INTEGER NOT NULL,
    nulls       INTEGER NOT NULL,
    nans        INTEGER NOT NULL,
    infinite    INTEGER NOT NULL,
    mean        REAL,
    std         REAL,
    q01         REAL,
    q05         REAL,
    q10         REAL,
    q25         REAL,
    q50         REAL,
    q75         REAL,
    q90         REAL,
    q95         REAL,
    q99         REAL,
    PRIMARY KEY (run, feature)
) STRICT, WITHOUT ROWID;

-- The reference's side of 64 features, kept once however many runs compare with it. JSON, zstd.
CREATE TABLE reference_blocks (
    id          INTEGER PRIMARY KEY,
    hash        TEXT    NOT NULL UNIQUE,
    body        BLOB    NOT NULL
) STRICT;

-- The rest of 64 features: bins, categories, reasons, further metrics. JSON, zstd.
CREATE TABLE detail_blocks (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    block       INTEGER NOT NULL,
    reference   INTEGER NOT NULL REFERENCES reference_blocks (id),
    body        BLOB    NOT NULL,
    PRIMARY KEY (run, block)
) STRICT, WITHOUT ROWID;
