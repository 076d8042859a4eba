-- What is known of each class of hardware?
SELECT digest, profile FROM profiles ORDER BY first_seen_at_ms;
