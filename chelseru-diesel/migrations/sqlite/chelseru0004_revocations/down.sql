DROP TABLE chelseru_newest_change;
DROP TABLE chelseru_account_changes;
