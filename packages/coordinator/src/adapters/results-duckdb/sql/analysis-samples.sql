-- What did each of the newest runs measure of each metric of each test, as the median on each class of hardware? Samples taken
-- while the machine throttled are left out and counted; so are attempts that did not pass.
WITH newest AS (
  SELECT run, seq, project, coalesce(json_extract_string(labels, '$.revision'), run) AS revision
  FROM runs WHERE $project IS NULL OR project = $project
  ORDER BY seq DESC LIMIT $runs
),
measured AS (
  SELECT
    n.project, s.name AS suite, t.target, c.path, coalesce(a.variant, '') AS variant, m.metric, m.unit, m.direction,
    coalesce(a.profile_digest, '') AS profile_digest, n.seq, n.run, n.revision,
    coalesce(a.worker_name, a.worker, '') AS worker, m.value,
    coalesce(json_extract_string(m.covariates, '$.throttled') = 'true', false) AS is_throttled
  FROM newest AS n
  JOIN measurements AS m ON m.run = n.run
  JOIN cases AS c
    ON c.run = m.run AND c.task_index = m.task_index AND c.attempt = m.attempt AND c.ordinal = m.ordinal
  JOIN tasks AS t ON t.run = m.run AND t.task_index = m.task_index
  JOIN suites AS s ON s.run = t.run AND s.suite = t.suite
  JOIN attempts AS a ON a.run = m.run AND a.task_index = m.task_index AND a.attempt = m.attempt
  WHERE a.verdict = 'passed'
)
SELECT
  project, suite, target, path, variant, metric, unit, direction, profile_digest, run, any_value(revision) AS revision,
  string_agg(DISTINCT worker, ' ' ORDER BY worker) AS worker,
  median(value) FILTER (NOT is_throttled) AS value,
  CAST(count(*) FILTER (is_throttled) AS INTEGER) AS throttled
FROM measured
GROUP BY project, suite, target, path, variant, metric, unit, direction, profile_digest, run, seq
ORDER BY project, suite, target, path, variant, metric, unit, direction, profile_digest, seq
LIMIT $limit;
