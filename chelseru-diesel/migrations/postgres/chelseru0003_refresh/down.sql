ALTER TABLE chelseru_sessions DROP COLUMN replaced_at;
ALTER TABLE chelseru_sessions DROP COLUMN replaced_hash;
