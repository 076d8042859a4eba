-- Which runs were submitted before this place in the journal, newest first?
SELECT * FROM runs WHERE seq < $before ORDER BY seq DESC LIMIT $limit;
