-- Measurements say which case made them, which way is better, and what else held. The table was never written before.
DROP TABLE measurements;
CREATE TABLE measurements (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL, -- of the case
  sample INTEGER NOT NULL, -- place in the case
  metric VARCHAR NOT NULL, unit VARCHAR NOT NULL, value DOUBLE NOT NULL, direction VARCHAR NOT NULL,
  covariates VARCHAR -- as JSON, null where there are none
);
