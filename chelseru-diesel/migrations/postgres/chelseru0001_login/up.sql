-- Times are milliseconds since 1970. The prefix is there because an application may share the database.

CREATE TABLE chelseru_users (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mobile_number TEXT    NOT NULL,
    group_id      BIGINT  NOT NULL,
    username      TEXT    NOT NULL UNIQUE,
    is_active     BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL,
    UNIQUE (mobile_number, group_id)
);

CREATE TABLE chelseru_otp_codes (
    mobile_number TEXT   NOT NULL PRIMARY KEY,
    code_id       BIGINT NOT NULL,
    code_hash     BYTEA  NOT NULL,
    attempts      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX chelseru_otp_codes_expires_at ON chelseru_otp_codes (expires_at);

CREATE TABLE chelseru_sessions (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES chelseru_users (id) ON DELETE CASCADE,
    session_key  TEXT   NOT NULL UNIQUE,
    refresh_hash BYTEA  NOT NULL,
    user_agent   TEXT   NOT NULL,
    ip_address   TEXT   NOT NULL,
    device       TEXT   NOT NULL,
    browser      TEXT   NOT NULL,
    last_seen    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX chelseru_sessions_user_id ON chelseru_sessions (user_id);
CREATE INDEX chelseru_sessions_expires_at ON chelseru_sessions (expires_at);

CREATE TABLE chelseru_sms_log (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mobile_number TEXT   NOT NULL,
    provider      TEXT   NOT NULL,
    purpose       TEXT   NOT NULL,
    user_id       BIGINT REFERENCES chelseru_users (id) ON DELETE SET NULL,
    status        TEXT   NOT NULL,
    provider_id   TEXT,
    provider_code TEXT,
    parts         BIGINT,
    cost_rial     BIGINT,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
-- For the foreign key: an account that goes is not to be looked for in the whole log.
CREATE INDEX chelseru_sms_log_user_id ON chelseru_sms_log (user_id);
