-- The first schema. Tables are append-only but for those whose comment names a key. No indexes: DuckDB prunes by its zone
-- maps (rows arrive in order of runs), and an index would slow the appender and keep deleted rows.
-- Times are milliseconds since the epoch, as DOUBLE, because that is what the journal holds.

CREATE TABLE meta (name VARCHAR NOT NULL, value BIGINT NOT NULL); -- key: name
INSERT INTO meta VALUES ('applied_seq', 0);

CREATE TABLE runs ( -- key: run
  run VARCHAR NOT NULL, seq BIGINT NOT NULL, submitter VARCHAR NOT NULL, name VARCHAR NOT NULL, project VARCHAR NOT NULL,
  priority DOUBLE NOT NULL, labels VARCHAR NOT NULL, state VARCHAR NOT NULL, verdict VARCHAR,
  is_sealed BOOLEAN NOT NULL, is_canceled BOOLEAN NOT NULL,
  submitted_at_ms DOUBLE NOT NULL, started_at_ms DOUBLE, settled_at_ms DOUBLE,
  tasks_total INTEGER NOT NULL, tasks_queued INTEGER NOT NULL, tasks_assigned INTEGER NOT NULL, tasks_running INTEGER NOT NULL,
  tasks_settled INTEGER NOT NULL, tasks_verdicts VARCHAR NOT NULL,
  cases_passed INTEGER NOT NULL, cases_failed INTEGER NOT NULL, cases_skipped INTEGER NOT NULL, cases_todo INTEGER NOT NULL,
  unplaceable VARCHAR NOT NULL
);

CREATE TABLE suites (
  run VARCHAR NOT NULL, suite INTEGER NOT NULL, name VARCHAR NOT NULL, runner VARCHAR NOT NULL, directory VARCHAR NOT NULL,
  requires VARCHAR NOT NULL
);

CREATE TABLE tasks (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, suite INTEGER NOT NULL, target VARCHAR NOT NULL, expected_ms DOUBLE,
  queued_at_ms DOUBLE NOT NULL
);

CREATE TABLE assignments (
  assignment VARCHAR NOT NULL, run VARCHAR NOT NULL, suite INTEGER NOT NULL, worker VARCHAR NOT NULL,
  assigned_at_ms DOUBLE NOT NULL, tasks INTEGER NOT NULL, rule VARCHAR NOT NULL, fitting_workers INTEGER NOT NULL,
  free_workers INTEGER NOT NULL, expected_ms DOUBLE NOT NULL
);

CREATE TABLE open_attempts ( -- key: task (`run.task_index`)
  task VARCHAR NOT NULL, run VARCHAR NOT NULL, task_index INTEGER NOT NULL, attempt INTEGER NOT NULL, worker VARCHAR NOT NULL,
  assignment VARCHAR NOT NULL, expected_ms DOUBLE NOT NULL, assigned_at_ms DOUBLE NOT NULL, started_at_ms DOUBLE
);

CREATE TABLE attempts (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, attempt INTEGER NOT NULL, worker VARCHAR, worker_name VARCHAR,
  profile_digest VARCHAR, assignment VARCHAR, expected_ms DOUBLE, assigned_at_ms DOUBLE, started_at_ms DOUBLE,
  settled_at_ms DOUBLE NOT NULL, worker_started_at_ms DOUBLE, worker_ended_at_ms DOUBLE, -- by the worker's clock
  verdict VARCHAR NOT NULL, failure_class VARCHAR, failure_code VARCHAR,
  failure VARCHAR, -- the whole failure as JSON
  cases_passed INTEGER NOT NULL, cases_failed INTEGER NOT NULL, cases_skipped INTEGER NOT NULL, cases_todo INTEGER NOT NULL,
  cost_ms DOUBLE, startup_ms DOUBLE, exit_code INTEGER, exit_signal VARCHAR,
  blobs VARCHAR, -- JSON, null where there are none
  seq BIGINT NOT NULL
);

CREATE TABLE settlements (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, attempt INTEGER, verdict VARCHAR NOT NULL, settled_at_ms DOUBLE NOT NULL
);

CREATE TABLE cases (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  path VARCHAR NOT NULL, -- titles from the outermost group to the test, as a JSON array
  status VARCHAR NOT NULL, duration_ms DOUBLE NOT NULL, message VARCHAR, stack VARCHAR, line INTEGER, runner_retries INTEGER
);

-- Metric samples of benchmarks. Nothing reports any yet.
CREATE TABLE measurements (
  run VARCHAR NOT NULL, task_index INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  metric VARCHAR NOT NULL, unit VARCHAR NOT NULL, value DOUBLE NOT NULL
);

CREATE TABLE workers ( -- key: worker
  worker VARCHAR NOT NULL, name VARCHAR NOT NULL, pool VARCHAR NOT NULL, slots INTEGER NOT NULL, agent_version VARCHAR NOT NULL,
  profile_digest VARCHAR NOT NULL, declared VARCHAR NOT NULL, state VARCHAR NOT NULL, first_seen_at_ms DOUBLE NOT NULL,
  last_change_at_ms DOUBLE NOT NULL
);

CREATE TABLE profiles (digest VARCHAR NOT NULL, profile VARCHAR NOT NULL, first_seen_at_ms DOUBLE NOT NULL);

-- What has no row of its own and still belongs on a timeline: returns, take-backs, cancels, refused reports, workers.
CREATE TABLE events (
  seq BIGINT NOT NULL, ordinal INTEGER NOT NULL, at_ms DOUBLE NOT NULL, kind VARCHAR NOT NULL, run VARCHAR,
  task_index INTEGER, attempt INTEGER, worker VARCHAR, detail VARCHAR
);
