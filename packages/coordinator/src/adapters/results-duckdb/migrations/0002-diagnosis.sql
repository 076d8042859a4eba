-- Whose fault a task's trouble was, and which configuration ran where it was not the one asked for.
ALTER TABLE attempts ADD COLUMN variant VARCHAR;
ALTER TABLE settlements ADD COLUMN variant VARCHAR;
ALTER TABLE settlements ADD COLUMN fault VARCHAR;
ALTER TABLE settlements ADD COLUMN diagnosis VARCHAR; -- the whole of it, as JSON
