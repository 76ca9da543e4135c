-- What the checks of quality and schema found in a run. JSON, zstd; NULL: the run was stored before they were kept.

ALTER TABLE runs ADD COLUMN findings BLOB;
