-- Which profiles are stored already?
SELECT digest FROM profiles;
