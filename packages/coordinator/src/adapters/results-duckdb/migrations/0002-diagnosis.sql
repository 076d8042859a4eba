-- Whose fault a task's trouble was, and which configuration ran where it was not the one asked for.
ALTER TABLE attempts ADD COLUMN variant VARCHAR;
ALTER TABLE settlements ADD COLUMN variant VARCHAR;
ALTER TABLE settlements ADD COLUMN fault VARCHAR;
ALTER TABLE settlements ADD COLUMN diagnosis VARCHAR; -- the whole of it, as JSON

-- What later evidence says instead: the newest of a task counts.
CREATE TABLE revisions (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, seq BIGINT NOT NULL, fault VARCHAR NOT NULL, diagnosis VARCHAR NOT NULL
);
