-- The hash of the account's password, argon2id as a PHC string or Django's pbkdf2_sha256$…; NULL for an
-- account that has none. docs/passwords.md says how to bring users over.
ALTER TABLE chelseru_users ADD COLUMN password_hash TEXT;
