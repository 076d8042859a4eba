-- Which workers may still be heard of?
SELECT * FROM workers WHERE state <> 'forgotten' ORDER BY worker;
