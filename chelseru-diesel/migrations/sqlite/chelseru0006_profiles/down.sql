-- An earlier version cannot read the rows of erased numbers.
DELETE FROM chelseru_sms_log WHERE mobile_number = '00000000000';
DROP INDEX chelseru_sms_log_mobile_number;
DROP TABLE chelseru_retired_usernames;
DROP INDEX chelseru_users_key_of_username;
ALTER TABLE chelseru_users DROP COLUMN username_key;
