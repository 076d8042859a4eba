-- Of the tests that failed at least once in the newest runs: how often did each fail and pass, by revision and worker? Tries that a
-- runner repeated by itself are failures too; what the infrastructure or a configuration broke is none of the test's.
WITH newest AS (
  SELECT run, seq, project, coalesce(json_extract_string(labels, '$.revision'), run) AS revision
  FROM runs WHERE $project IS NULL OR project = $project
  ORDER BY seq DESC LIMIT $runs
),
ordered AS (SELECT revision, min(seq) AS revision_seq FROM newest GROUP BY revision),
executed AS (
  SELECT
    n.project, s.name AS suite, t.target, c.path, coalesce(a.variant, '') AS variant, n.revision,
    coalesce(a.worker_name, a.worker, '') AS worker, coalesce(a.profile_digest, '') AS profile_digest,
    CAST(count(*) FILTER (c.status = 'failed') + coalesce(sum(c.runner_retries), 0) AS INTEGER) AS failed,
    CAST(count(*) FILTER (c.status = 'passed') AS INTEGER) AS passed
  FROM newest AS n
  JOIN cases AS c ON c.run = n.run
  JOIN tasks AS t ON t.run = c.run AND t.task_index = c.task_index
  JOIN suites AS s ON s.run = t.run AND s.suite = t.suite
  JOIN attempts AS a ON a.run = c.run AND a.task_index = c.task_index AND a.attempt = c.attempt
  WHERE c.status IN ('passed', 'failed')
    AND (a.failure_class IS NULL OR a.failure_class NOT IN ('infrastructure', 'configuration'))
  GROUP BY ALL
),
troubled AS (
  SELECT project, suite, target, path, variant FROM executed GROUP BY ALL HAVING sum(failed) > 0
)
SELECT e.*, o.revision_seq
FROM executed AS e
JOIN troubled AS f
  ON f.project = e.project AND f.suite = e.suite AND f.target = e.target AND f.path = e.path AND f.variant = e.variant
JOIN ordered AS o ON o.revision = e.revision
ORDER BY e.project, e.suite, e.target, e.path, e.variant, o.revision_seq, e.worker, e.profile_digest
LIMIT $limit;
