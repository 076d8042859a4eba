-- Says, in the same transaction as their rows, up to which entry the rows are stored.
UPDATE meta SET value = $seq WHERE name = 'applied_seq';
