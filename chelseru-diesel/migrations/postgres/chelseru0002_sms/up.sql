-- What is to be found out about a message, and when. The default of checks is for the rows there are, and
-- for those of a process of the last version that still runs.
ALTER TABLE chelseru_sms_log ADD COLUMN local_id BIGINT;
ALTER TABLE chelseru_sms_log ADD COLUMN request_id BIGINT;
ALTER TABLE chelseru_sms_log ADD COLUMN may_repeat BIGINT;
ALTER TABLE chelseru_sms_log ADD COLUMN delivery TEXT;
ALTER TABLE chelseru_sms_log ADD COLUMN checks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chelseru_sms_log ADD COLUMN check_at BIGINT;
-- Nobody waits for these any more: they are due at once.
UPDATE chelseru_sms_log SET check_at = 0 WHERE status = 'sending';
-- Most messages are settled for good, so these are small.
CREATE INDEX chelseru_sms_log_check_at ON chelseru_sms_log (check_at, id) WHERE check_at IS NOT NULL;
CREATE INDEX chelseru_sms_log_request_id ON chelseru_sms_log (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX chelseru_sms_log_created_at ON chelseru_sms_log (created_at);

CREATE TABLE chelseru_sms_requests (
    -- The log still names requests that were purged: no foreign key leads here, and no id comes back.
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     BIGINT NOT NULL REFERENCES chelseru_users (id) ON DELETE CASCADE,
    key         TEXT   NOT NULL,
    fingerprint BYTEA  NOT NULL,
    status      TEXT   NOT NULL,
    claimed_at  BIGINT NOT NULL,
    UNIQUE (user_id, key)
);
CREATE INDEX chelseru_sms_requests_sending ON chelseru_sms_requests (claimed_at) WHERE status = 'sending';
CREATE INDEX chelseru_sms_requests_settled ON chelseru_sms_requests (claimed_at) WHERE status <> 'sending';

CREATE TABLE chelseru_rates (
    key     TEXT   NOT NULL PRIMARY KEY,
    total   BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX chelseru_rates_ends_at ON chelseru_rates (ends_at);
