-- Which attempts are over although their task is not, the last of each task?
SELECT a.run, a.task_index, a.attempt, a.cases_passed, a.cases_failed, a.cases_skipped, a.cases_todo
FROM attempts AS a
SEMI JOIN (SELECT run FROM runs WHERE state <> 'settled') AS r ON r.run = a.run
ANTI JOIN settlements AS s ON s.run = a.run AND s.task_index = a.task_index
QUALIFY row_number() OVER (PARTITION BY a.run, a.task_index ORDER BY a.attempt DESC) = 1
ORDER BY a.run, a.task_index;
