-- Makes room for the newer rows of these keys.
DELETE FROM runs WHERE run IN (SELECT unnest($keys));
