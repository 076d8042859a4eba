-- Which runs are under way, and how far were they?
SELECT * FROM runs WHERE state <> 'settled' ORDER BY seq;
