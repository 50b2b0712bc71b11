ALTER TABLE chelseru_users DROP COLUMN password_hash;
