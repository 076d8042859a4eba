-- Takes out everything of this project's runs that were submitted before this place in the journal.
DELETE FROM measurements WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM cases WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM settlements WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM revisions WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM attempts WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM open_attempts WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM assignments WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM tasks WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM suites WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM events WHERE run IN (SELECT run FROM runs WHERE project = $project AND seq < $seq);
DELETE FROM runs WHERE project = $project AND seq < $seq;
