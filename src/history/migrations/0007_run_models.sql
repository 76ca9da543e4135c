-- What the drift of a run means for models: which of them it is likely to hurt. JSON, zstd; NULL: nothing, or the run was
-- stored before it was kept.

ALTER TABLE runs ADD COLUMN models BLOB;
