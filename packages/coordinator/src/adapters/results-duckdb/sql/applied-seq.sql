-- Which journal entry is the last whose rows are stored?
SELECT value FROM meta WHERE name = 'applied_seq';
