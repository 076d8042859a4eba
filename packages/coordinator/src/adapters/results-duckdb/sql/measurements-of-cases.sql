-- What did these cases (`index attempt ordinal`) of this run measure, in order?
SELECT task_index, attempt, ordinal, metric, unit, value, direction, covariates FROM measurements
WHERE run = $run AND concat_ws(' ', task_index, attempt, ordinal) IN (SELECT unnest($keys))
ORDER BY task_index, attempt, ordinal, sample;
