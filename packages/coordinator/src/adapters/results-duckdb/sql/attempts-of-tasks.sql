-- Which attempts did these tasks of this run have, in order?
SELECT * FROM attempts
WHERE run = $run AND task_index IN (SELECT unnest($indexes))
ORDER BY task_index, attempt;
