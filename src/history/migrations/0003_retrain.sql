-- When models were trained, and what was answered to the question whether to train again.

CREATE TABLE trainings (
    job           TEXT    NOT NULL,
    model_version TEXT    NOT NULL,
    at            INTEGER NOT NULL,        -- milliseconds since 1970, UTC
    PRIMARY KEY (job, model_version)
) STRICT, WITHOUT ROWID;

-- One answer a job and night. The instant is the one that the run stands for.
CREATE TABLE retrain_decisions (
    job           TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    answer        TEXT    NOT NULL,        -- yes, no, asked
    decision      TEXT    NOT NULL,        -- JSON
    PRIMARY KEY (job, at)
) STRICT, WITHOUT ROWID;
