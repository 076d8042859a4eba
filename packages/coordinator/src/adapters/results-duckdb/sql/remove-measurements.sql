-- Takes out the measurements of attempts (`run index attempt`) that count for nothing: duplicates that came second.
DELETE FROM measurements WHERE run IN (SELECT split_part(key, ' ', 1) FROM (SELECT unnest($keys) AS key))
  AND concat_ws(' ', run, task_index, attempt) IN (SELECT unnest($keys));
