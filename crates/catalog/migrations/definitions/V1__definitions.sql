-- What administrators write. Instants are microseconds since 1970 UTC; UUIDs are 16 bytes; *_key columns
-- hold names in the form in which they are compared. An origin of '' is this server.

CREATE TABLE instance (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    instance_id BLOB NOT NULL CHECK (length(instance_id) = 16),
    name TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    created INTEGER NOT NULL,
    -- Highest generation ever given to an enlistment here; it survives the targets.
    last_generation INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE categories (
    category_id INTEGER PRIMARY KEY AUTOINCREMENT,
    class INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    UNIQUE (class, name_key)
) STRICT;

CREATE TABLE jobs (
    job_id BLOB NOT NULL PRIMARY KEY CHECK (length(job_id) = 16),
    origin TEXT NOT NULL,
    origin_key TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    description TEXT,
    start_step_id INTEGER NOT NULL,
    category_id INTEGER NOT NULL,
    owner_sid BLOB NOT NULL,
    notify_level_eventlog INTEGER NOT NULL,
    notify_level_email INTEGER NOT NULL,
    notify_level_netsend INTEGER NOT NULL,
    notify_level_page INTEGER NOT NULL,
    notify_email_operator INTEGER NOT NULL,
    notify_netsend_operator INTEGER NOT NULL,
    notify_page_operator INTEGER NOT NULL,
    delete_level INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_by_name ON jobs (name_key, origin_key);
CREATE INDEX jobs_by_category ON jobs (category_id, job_id);
CREATE INDEX jobs_by_owner ON jobs (owner_sid, job_id);
CREATE INDEX jobs_by_origin ON jobs (origin_key, job_id) WHERE origin_key <> '';
CREATE INDEX jobs_by_email_operator ON jobs (notify_email_operator) WHERE notify_email_operator <> 0;
CREATE INDEX jobs_by_netsend_operator ON jobs (notify_netsend_operator) WHERE notify_netsend_operator <> 0;
CREATE INDEX jobs_by_page_operator ON jobs (notify_page_operator) WHERE notify_page_operator <> 0;

CREATE TABLE job_steps (
    job_id BLOB NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    step_id INTEGER NOT NULL CHECK (step_id >= 1),
    step_uid BLOB NOT NULL CHECK (length(step_uid) = 16),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    subsystem TEXT NOT NULL,
    command TEXT,
    flags INTEGER NOT NULL,
    additional_parameters TEXT,
    cmdexec_success_code INTEGER NOT NULL,
    on_success INTEGER NOT NULL,
    on_success_step_id INTEGER NOT NULL,
    on_fail INTEGER NOT NULL,
    on_fail_step_id INTEGER NOT NULL,
    server TEXT,
    database_name TEXT,
    database_user_name TEXT,
    retry_attempts INTEGER NOT NULL,
    retry_interval_minutes INTEGER NOT NULL,
    os_run_priority INTEGER NOT NULL,
    output_file_name TEXT,
    proxy_name TEXT,
    proxy_key TEXT
) STRICT;
CREATE UNIQUE INDEX job_steps_by_job ON job_steps (job_id, step_id);
CREATE UNIQUE INDEX job_steps_by_name ON job_steps (job_id, name_key);
CREATE UNIQUE INDEX job_steps_by_uid ON job_steps (step_uid);
CREATE INDEX job_steps_by_proxy ON job_steps (proxy_key) WHERE proxy_key IS NOT NULL;

CREATE TABLE schedules (
    schedule_id INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule_uid BLOB NOT NULL UNIQUE CHECK (length(schedule_uid) = 16),
    origin TEXT NOT NULL,
    origin_key TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    owner_sid BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    -- The frequency's own numbers, by kind (1, 4, 8, 16, 32, 64, 128), and the sub-day unit (1, 2, 4, 8).
    kind INTEGER NOT NULL,
    kind_a INTEGER NOT NULL,
    kind_b INTEGER NOT NULL,
    kind_c INTEGER NOT NULL,
    subday_unit INTEGER NOT NULL,
    subday_count INTEGER NOT NULL,
    -- The numbers as given: interval, sub-day type, sub-day interval, relative interval, recurrence.
    raw_interval INTEGER NOT NULL,
    raw_subday_type INTEGER NOT NULL,
    raw_subday_interval INTEGER NOT NULL,
    raw_relative_interval INTEGER NOT NULL,
    raw_recurrence_factor INTEGER NOT NULL,
    -- YYYYMMDD and HHMMSS, local to the instance that runs it.
    active_start_date INTEGER NOT NULL,
    active_end_date INTEGER NOT NULL,
    active_start_time INTEGER NOT NULL,
    active_end_time INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_by_name ON schedules (name_key);
CREATE INDEX schedules_by_origin ON schedules (origin_key) WHERE origin_key <> '';

CREATE TABLE job_schedules (
    job_id BLOB NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    schedule_id INTEGER NOT NULL REFERENCES schedules (schedule_id) ON DELETE CASCADE,
    PRIMARY KEY (job_id, schedule_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_schedules_by_schedule ON job_schedules (schedule_id, job_id);

-- server_id 0 is this server, which has no row in target_servers: the reference is kept by the commands.
CREATE TABLE job_servers (
    job_id BLOB NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    server_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, server_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_servers_by_server ON job_servers (server_id, job_id);

-- Jobs whose rows in the runs file still wait for removal.
CREATE TABLE deleted_jobs (
    job_id BLOB NOT NULL PRIMARY KEY,
    keep_history INTEGER NOT NULL,
    deleted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE operators (
    operator_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    enabled INTEGER NOT NULL,
    email_address TEXT,
    pager_address TEXT,
    netsend_address TEXT,
    pager_days INTEGER NOT NULL,
    weekday_pager_start_time INTEGER NOT NULL,
    weekday_pager_end_time INTEGER NOT NULL,
    saturday_pager_start_time INTEGER NOT NULL,
    saturday_pager_end_time INTEGER NOT NULL,
    sunday_pager_start_time INTEGER NOT NULL,
    sunday_pager_end_time INTEGER NOT NULL,
    category_id INTEGER NOT NULL
) STRICT;
CREATE INDEX operators_by_category ON operators (category_id);

CREATE TABLE alerts (
    alert_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    event_source TEXT NOT NULL,
    event_category_id INTEGER,
    event_id INTEGER,
    message_id INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    delay_between_responses INTEGER NOT NULL,
    notification_message TEXT,
    include_event_description INTEGER NOT NULL,
    database_name TEXT,
    event_description_keyword TEXT,
    job_id BLOB NOT NULL,
    performance_condition TEXT,
    flags INTEGER NOT NULL,
    category_id INTEGER NOT NULL
) STRICT;
CREATE INDEX alerts_by_job ON alerts (job_id);
CREATE INDEX alerts_by_category ON alerts (category_id);

CREATE TABLE notifications (
    alert_id INTEGER NOT NULL REFERENCES alerts (alert_id) ON DELETE CASCADE,
    operator_id INTEGER NOT NULL REFERENCES operators (operator_id) ON DELETE CASCADE,
    method INTEGER NOT NULL,
    PRIMARY KEY (alert_id, operator_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_by_operator ON notifications (operator_id, alert_id);

CREATE TABLE credentials (
    credential_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    identity TEXT NOT NULL,
    sealed_secret BLOB,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT;

CREATE TABLE proxies (
    proxy_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    credential_id INTEGER NOT NULL REFERENCES credentials (credential_id),
    enabled INTEGER NOT NULL,
    description TEXT,
    user_sid BLOB NOT NULL
) STRICT;
CREATE INDEX proxies_by_credential ON proxies (credential_id);

CREATE TABLE proxy_logins (
    proxy_id INTEGER NOT NULL REFERENCES proxies (proxy_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    sid BLOB NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (proxy_id, name_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE subsystems (
    subsystem_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description_id INTEGER,
    max_worker_threads INTEGER
) STRICT;

CREATE TABLE proxy_subsystems (
    proxy_id INTEGER NOT NULL REFERENCES proxies (proxy_id) ON DELETE CASCADE,
    subsystem_id INTEGER NOT NULL,
    PRIMARY KEY (proxy_id, subsystem_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE target_servers (
    server_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    location TEXT,
    utc_offset_minutes INTEGER NOT NULL,
    enlisted INTEGER NOT NULL,
    enlisted_by TEXT NOT NULL,
    poll_interval_secs INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    instance_id BLOB NOT NULL UNIQUE CHECK (length(instance_id) = 16),
    fingerprint BLOB,
    certificate_serial BLOB,
    certificate_expires INTEGER,
    version TEXT NOT NULL,
    -- Highest number ever given to an instruction of this target.
    last_number INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE target_groups (
    group_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE target_group_members (
    group_id INTEGER NOT NULL REFERENCES target_groups (group_id) ON DELETE CASCADE,
    server_id INTEGER NOT NULL REFERENCES target_servers (server_id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, server_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX target_group_members_by_server ON target_group_members (server_id);

-- instance_id is msdb's number over all targets; number is the place in one target's queue.
CREATE TABLE download_list (
    instance_id INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id INTEGER NOT NULL REFERENCES target_servers (server_id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    uid BLOB NOT NULL UNIQUE CHECK (length(uid) = 16),
    operation INTEGER NOT NULL,
    object_type INTEGER NOT NULL,
    object_id BLOB NOT NULL,
    run_id BLOB,
    login TEXT NOT NULL,
    step_name TEXT,
    poll_interval_secs INTEGER,
    deleted_object_name TEXT,
    posted INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX download_list_by_number ON download_list (server_id, number);
CREATE INDEX download_list_by_object ON download_list (object_id, instance_id);

CREATE TABLE enlistment (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    master_name TEXT NOT NULL,
    master_address TEXT NOT NULL,
    master_id BLOB NOT NULL CHECK (length(master_id) = 16),
    generation INTEGER NOT NULL,
    enlisted INTEGER NOT NULL,
    poll_interval_secs INTEGER NOT NULL,
    location TEXT,
    encryption INTEGER NOT NULL,
    pinned_ca_pem TEXT NOT NULL,
    certificate_pem TEXT NOT NULL,
    certificate_expires INTEGER,
    sealed_key BLOB NOT NULL
) STRICT;

CREATE TABLE originating_servers (
    originating_server_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    master INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
    token_id TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    expires INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    location TEXT,
    created INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    login_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    sid BLOB NOT NULL UNIQUE,
    password_hash TEXT,
    enabled INTEGER NOT NULL,
    default_database TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
) STRICT;

CREATE TABLE database_users (
    user_id INTEGER PRIMARY KEY AUTOINCREMENT,
    database TEXT NOT NULL,
    database_key TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    sid BLOB NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (database_key, name_key),
    UNIQUE (database_key, sid)
) STRICT;

-- database_key '' holds the server's roles, whose members are logins.
CREATE TABLE role_members (
    database TEXT NOT NULL,
    database_key TEXT NOT NULL,
    role TEXT NOT NULL,
    role_key TEXT NOT NULL,
    member TEXT NOT NULL,
    member_key TEXT NOT NULL,
    PRIMARY KEY (database_key, role_key, member_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX role_members_by_member ON role_members (database_key, member_key);

CREATE TABLE grants (
    database TEXT NOT NULL,
    database_key TEXT NOT NULL,
    object TEXT NOT NULL,
    object_key TEXT NOT NULL,
    grantee TEXT NOT NULL,
    grantee_key TEXT NOT NULL,
    permission TEXT NOT NULL,
    permission_key TEXT NOT NULL,
    denied INTEGER NOT NULL,
    PRIMARY KEY (database_key, object_key, grantee_key, permission_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_by_grantee ON grants (database_key, grantee_key);

CREATE TABLE settings (
    key_key TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_info (
    attribute_key TEXT NOT NULL PRIMARY KEY,
    attribute TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT
) STRICT;
