-- What happened to accounts, for those who remember them otherwise. No foreign key: the account may be gone.
CREATE TABLE chelseru_account_changes (
    number     BIGINT NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX chelseru_account_changes_changed_at ON chelseru_account_changes (changed_at);

-- One row, whose lock puts changes in the order of their commits.
CREATE TABLE chelseru_newest_change (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);
INSERT INTO chelseru_newest_change (id, number) VALUES (1, 0);
