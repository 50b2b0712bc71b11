-- What all names that look like a chosen one have in common. A name that nobody chose has none, and no
-- chosen name looks like it.
ALTER TABLE chelseru_users ADD COLUMN username_key TEXT;
CREATE UNIQUE INDEX chelseru_users_key_of_username ON chelseru_users (username_key);

-- Of the chosen names of deleted accounts: nobody else is to pass for them.
CREATE TABLE chelseru_retired_usernames (
    username_key TEXT   NOT NULL PRIMARY KEY,
    retired_at   BIGINT NOT NULL
);

-- The number of an account that goes is erased from the log.
CREATE INDEX chelseru_sms_log_mobile_number ON chelseru_sms_log (mobile_number);
