DROP TABLE chelseru_chat_deleted_rooms;
DROP TABLE chelseru_chat_attachments;
DROP TABLE chelseru_chat_hidden;
DROP TABLE chelseru_chat_log;
DROP TABLE chelseru_chat_members;
DROP TABLE chelseru_chat_rooms;
