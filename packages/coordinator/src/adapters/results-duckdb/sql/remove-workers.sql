-- Makes room for the newer rows of these keys.
DELETE FROM workers WHERE worker IN (SELECT unnest($keys));
