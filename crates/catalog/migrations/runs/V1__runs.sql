-- What the agent and the fleet write by themselves. Instants are microseconds since 1970 UTC; UUIDs are
-- 16 bytes. server_id 0 is this server.

CREATE TABLE sessions (
    session_id INTEGER PRIMARY KEY AUTOINCREMENT,
    started INTEGER NOT NULL
) STRICT;

CREATE TABLE activity (
    session_id INTEGER NOT NULL,
    job_id BLOB NOT NULL,
    run_id BLOB,
    requested INTEGER,
    source_code INTEGER,
    requested_by TEXT,
    queued INTEGER,
    started INTEGER,
    last_step_id INTEGER,
    last_step_started INTEGER,
    stopped INTEGER,
    history_id INTEGER,
    next_run INTEGER,
    PRIMARY KEY (session_id, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_by_job ON activity (job_id, session_id);

-- Every run whose rows are here, and local ones for some time after. History refers to run_key, which is
-- short and ascends, instead of the run's UUID. state: 0 active, 1 ended, 2 ended and without history.
CREATE TABLE runs (
    run_key INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id BLOB NOT NULL UNIQUE CHECK (length(run_id) = 16),
    job_id BLOB NOT NULL,
    server_id INTEGER NOT NULL,
    state INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_active ON runs (run_key) WHERE state = 0;
CREATE INDEX runs_without_history ON runs (run_key) WHERE state = 2;

-- What a local run needs to go on after a crash.
CREATE TABLE local_runs (
    run_key INTEGER PRIMARY KEY REFERENCES runs (run_key) ON DELETE CASCADE,
    session_id INTEGER NOT NULL,
    -- 1 schedule, 3 Agent start, 4 user, 5 master.
    source INTEGER NOT NULL,
    source_login TEXT,
    source_schedule_uid BLOB,
    source_schedule_id INTEGER,
    source_name TEXT,
    source_due INTEGER,
    requested INTEGER NOT NULL,
    started INTEGER NOT NULL,
    start_step_id INTEGER NOT NULL,
    next_row INTEGER NOT NULL,
    step_id INTEGER,
    step_retry INTEGER,
    step_started INTEGER,
    step_launch INTEGER,
    pid INTEGER,
    pid_start_ticks INTEGER
) STRICT;

CREATE TABLE history (
    history_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_key INTEGER NOT NULL,
    row INTEGER NOT NULL,
    job_id BLOB NOT NULL,
    server_id INTEGER NOT NULL,
    step_id INTEGER NOT NULL,
    step_name TEXT NOT NULL,
    step_uid BLOB,
    sql_message_id INTEGER NOT NULL,
    sql_severity INTEGER NOT NULL,
    message TEXT NOT NULL,
    status INTEGER NOT NULL,
    started INTEGER NOT NULL,
    utc_offset_minutes INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    retries_attempted INTEGER NOT NULL,
    server TEXT NOT NULL,
    operator_emailed INTEGER NOT NULL,
    operator_netsent INTEGER NOT NULL,
    operator_paged INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX history_by_run ON history (run_key, row);
CREATE INDEX history_by_job ON history (job_id, history_id);
CREATE INDEX history_by_job_and_server ON history (job_id, server_id, history_id);

CREATE TABLE history_output (
    history_id INTEGER PRIMARY KEY,
    output TEXT NOT NULL
) STRICT;

-- One row per job and target: how much history it has, and its newest outcome once there is one.
CREATE TABLE job_targets (
    job_id BLOB NOT NULL,
    server_id INTEGER NOT NULL,
    history_rows INTEGER NOT NULL,
    status INTEGER,
    message TEXT,
    started INTEGER,
    utc_offset_minutes INTEGER,
    duration_ms INTEGER,
    run_id BLOB,
    history_id INTEGER,
    PRIMARY KEY (job_id, server_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_targets_by_server ON job_targets (server_id, job_id);
CREATE UNIQUE INDEX job_targets_by_history ON job_targets (history_id) WHERE history_id IS NOT NULL;

CREATE TABLE step_outcomes (
    step_uid BLOB NOT NULL PRIMARY KEY,
    job_id BLOB NOT NULL,
    status INTEGER NOT NULL,
    started INTEGER NOT NULL,
    utc_offset_minutes INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    retries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX step_outcomes_by_job ON step_outcomes (job_id);

CREATE TABLE step_logs (
    log_id INTEGER PRIMARY KEY AUTOINCREMENT,
    step_uid BLOB NOT NULL UNIQUE,
    job_id BLOB NOT NULL,
    log TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT;
CREATE INDEX step_logs_by_job ON step_logs (job_id);

CREATE TABLE next_runs (
    job_id BLOB NOT NULL,
    schedule_uid BLOB NOT NULL,
    next INTEGER,
    accounted INTEGER,
    PRIMARY KEY (job_id, schedule_uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE missed_moments (
    job_id BLOB NOT NULL,
    schedule_uid BLOB NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (job_id, schedule_uid)
) STRICT, WITHOUT ROWID;

-- Sums that would need a scan, and single positions.
CREATE TABLE totals (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    history_rows INTEGER NOT NULL DEFAULT 0,
    -- Where the next look for rows beyond the total limit begins; those below are protected.
    trim_from INTEGER NOT NULL DEFAULT 0,
    reports_acknowledged INTEGER NOT NULL DEFAULT 0,
    reports_last INTEGER NOT NULL DEFAULT 0,
    -- Of rows not acknowledged yet.
    spool_step_rows INTEGER NOT NULL DEFAULT 0,
    spool_output_bytes INTEGER NOT NULL DEFAULT 0,
    -- Positions up to which outputs and step rows have been dropped for want of room.
    spool_output_from INTEGER NOT NULL DEFAULT 0,
    spool_steps_from INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO totals (one) VALUES (1);

-- On a target: how far it is with its master's instructions.
CREATE TABLE target_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    uid BLOB NOT NULL CHECK (length(uid) = 16)
) STRICT;

CREATE TABLE instruction_refusals (
    number INTEGER NOT NULL PRIMARY KEY,
    uid BLOB NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- On a target: rows for the master, in order. Acknowledged ones stay until they are trimmed.
CREATE TABLE report_queue (
    position INTEGER PRIMARY KEY,
    history_id INTEGER NOT NULL UNIQUE
) STRICT;

-- On a master.
CREATE TABLE report_positions (
    instance_id BLOB NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE target_progress (
    server_id INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL
) STRICT;

CREATE TABLE download_states (
    server_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    downloaded INTEGER,
    error TEXT,
    PRIMARY KEY (server_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE liveness (
    server_id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    target_clock INTEGER NOT NULL,
    utc_offset_minutes INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_occurrences (
    alert_id INTEGER PRIMARY KEY,
    last_occurrence INTEGER,
    last_response INTEGER,
    count INTEGER NOT NULL,
    count_reset INTEGER
) STRICT;

CREATE TABLE operator_notices (
    operator_id INTEGER PRIMARY KEY,
    last_email INTEGER,
    last_pager INTEGER,
    last_netsend INTEGER
) STRICT;
