-- Which cases failed in the newest runs, newest first, and with which words?
WITH newest AS (
  SELECT run, seq, project, submitted_at_ms, coalesce(json_extract_string(labels, '$.revision'), run) AS revision
  FROM runs WHERE $project IS NULL OR project = $project
  ORDER BY seq DESC LIMIT $runs
)
SELECT
  n.project, s.name AS suite, t.target, c.path, coalesce(a.variant, '') AS variant, n.run, n.revision,
  coalesce(a.settled_at_ms, n.submitted_at_ms) AS at_ms, coalesce(a.profile_digest, '') AS profile_digest,
  coalesce(c.message, '') AS message, c.stack
FROM newest AS n
JOIN cases AS c ON c.run = n.run
JOIN tasks AS t ON t.run = c.run AND t.task_index = c.task_index
JOIN suites AS s ON s.run = t.run AND s.suite = t.suite
LEFT JOIN attempts AS a ON a.run = c.run AND a.task_index = c.task_index AND a.attempt = c.attempt
WHERE c.status = 'failed'
ORDER BY n.seq DESC, c.task_index, c.attempt, c.ordinal
LIMIT $limit;
