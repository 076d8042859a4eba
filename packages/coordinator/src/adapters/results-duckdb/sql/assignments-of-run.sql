-- What did the placement weigh in these hand-overs of this run?
SELECT * FROM assignments WHERE run = $run AND assignment IN (SELECT unnest($assignments));
