-- Which cases of this run, of this status where given, come after this one, in order of task, attempt and place?
SELECT
  c.*, t.target, s.name AS suite_name, coalesce(a.worker, o.worker) AS worker, f.attempt AS final_attempt
FROM (
  SELECT * FROM cases
  WHERE run = $run AND ($status IS NULL OR status = $status)
    -- The first comparison is the one that lets whole row groups be left out.
    AND task_index >= $index AND (task_index, attempt, ordinal) > ($index, $attempt, $ordinal)
  ORDER BY task_index, attempt, ordinal
  LIMIT $limit
) AS c
LEFT JOIN (SELECT * FROM tasks WHERE run = $run) AS t ON t.task_index = c.task_index
LEFT JOIN (SELECT * FROM suites WHERE run = $run) AS s ON s.suite = t.suite
LEFT JOIN (SELECT * FROM attempts WHERE run = $run) AS a ON a.task_index = c.task_index AND a.attempt = c.attempt
LEFT JOIN (SELECT * FROM open_attempts WHERE run = $run) AS o ON o.task_index = c.task_index AND o.attempt = c.attempt
LEFT JOIN (SELECT * FROM settlements WHERE run = $run) AS f ON f.task_index = c.task_index
ORDER BY c.task_index, c.attempt, c.ordinal;
