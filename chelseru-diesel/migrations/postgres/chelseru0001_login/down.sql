DROP TABLE chelseru_sms_log;
DROP TABLE chelseru_sessions;
DROP TABLE chelseru_otp_codes;
DROP TABLE chelseru_users;
