-- Which attempts are under way?
SELECT * FROM open_attempts ORDER BY run, task_index;
