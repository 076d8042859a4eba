-- What of a task was in quarantine when it got its verdict, as JSON: a list of notes; null where nothing was.
ALTER TABLE settlements ADD COLUMN quarantined VARCHAR;
