-- Makes room for the newer rows of these keys.
DELETE FROM open_attempts WHERE task IN (SELECT unnest($keys));
