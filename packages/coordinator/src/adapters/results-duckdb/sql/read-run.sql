-- What is known of this run?
SELECT * FROM runs WHERE run = $run;
