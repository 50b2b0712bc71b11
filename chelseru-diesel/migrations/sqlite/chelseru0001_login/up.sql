-- Times are milliseconds since 1970. The prefix is there because an application may share the file.

CREATE TABLE chelseru_users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mobile_number TEXT    NOT NULL,
    group_id      INTEGER NOT NULL,
    username      TEXT    NOT NULL UNIQUE,
    is_active     INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    UNIQUE (mobile_number, group_id)
) STRICT;

CREATE TABLE chelseru_otp_codes (
    mobile_number TEXT    NOT NULL PRIMARY KEY,
    code_id       INTEGER NOT NULL,
    code_hash     BLOB    NOT NULL,
    attempts      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX chelseru_otp_codes_expires_at ON chelseru_otp_codes (expires_at);

CREATE TABLE chelseru_sessions (
    -- AUTOINCREMENT: the id of a session that was purged is in tokens and must not come back.
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES chelseru_users (id) ON DELETE CASCADE,
    session_key  TEXT    NOT NULL UNIQUE,
    refresh_hash BLOB    NOT NULL,
    user_agent   TEXT    NOT NULL,
    ip_address   TEXT    NOT NULL,
    device       TEXT    NOT NULL,
    browser      TEXT    NOT NULL,
    last_seen    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER
) STRICT;
CREATE INDEX chelseru_sessions_user_id ON chelseru_sessions (user_id);
CREATE INDEX chelseru_sessions_expires_at ON chelseru_sessions (expires_at);

CREATE TABLE chelseru_sms_log (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mobile_number TEXT    NOT NULL,
    provider      TEXT    NOT NULL,
    purpose       TEXT    NOT NULL,
    user_id       INTEGER REFERENCES chelseru_users (id) ON DELETE SET NULL,
    status        TEXT    NOT NULL,
    provider_id   TEXT,
    provider_code TEXT,
    parts         INTEGER,
    cost_rial     INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;
-- For the foreign key: an account that goes is not to be looked for in the whole log.
CREATE INDEX chelseru_sms_log_user_id ON chelseru_sms_log (user_id);
