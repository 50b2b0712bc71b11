-- The refresh token that was exchanged last, so that an answer that was lost can be given again.
ALTER TABLE chelseru_sessions ADD COLUMN replaced_hash BLOB;
ALTER TABLE chelseru_sessions ADD COLUMN replaced_at INTEGER;
