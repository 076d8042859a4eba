-- Which tasks of this run, of this state and verdict where given, come after this one, in order of their index?
SELECT
  t.run, t.task_index, t.suite, t.target, t.expected_ms, t.queued_at_ms,
  s.name AS suite_name, s.requires,
  o.attempt AS open_attempt, o.worker AS open_worker, w.name AS open_worker_name, o.assignment AS open_assignment,
  o.expected_ms AS open_expected_ms, o.assigned_at_ms AS open_assigned_at_ms, o.started_at_ms AS open_started_at_ms,
  f.attempt AS final_attempt, f.verdict, f.settled_at_ms,
  f.variant AS final_variant, coalesce(r.diagnosis, f.diagnosis) AS diagnosis, f.quarantined
FROM (SELECT * FROM tasks WHERE run = $run AND task_index > $after) AS t
LEFT JOIN (SELECT * FROM suites WHERE run = $run) AS s ON s.suite = t.suite
LEFT JOIN (SELECT * FROM open_attempts WHERE run = $run) AS o ON o.task_index = t.task_index
LEFT JOIN workers AS w ON w.worker = o.worker
LEFT JOIN (SELECT * FROM settlements WHERE run = $run) AS f ON f.task_index = t.task_index
LEFT JOIN (
  SELECT task_index, arg_max(diagnosis, seq) AS diagnosis FROM revisions WHERE run = $run GROUP BY task_index
) AS r ON r.task_index = t.task_index
WHERE ($verdict IS NULL OR f.verdict = $verdict)
  AND ($state IS NULL OR $state = CASE
    WHEN f.verdict IS NOT NULL THEN 'settled'
    WHEN o.attempt IS NULL THEN 'queued'
    WHEN o.started_at_ms IS NULL THEN 'assigned'
    ELSE 'running' END)
ORDER BY t.task_index
LIMIT $limit;
