-- Rooms, their members, and the log of each room. Times are milliseconds since 1970.

CREATE TABLE chelseru_chat_rooms (
    -- AUTOINCREMENT: the id of a room that was deleted must not come back.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL,
    -- Of a pair the two accounts, the smaller id first, so that each pair has one room. No foreign keys: the
    -- room stays the other one's when an account goes.
    pair_low    INTEGER,
    pair_high   INTEGER,
    owner_id    INTEGER REFERENCES chelseru_users (id) ON DELETE SET NULL,
    name        TEXT,
    description TEXT,
    avatar_url  TEXT,
    status      TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (pair_low, pair_high)
) STRICT;
CREATE INDEX chelseru_chat_rooms_owner_id ON chelseru_chat_rooms (owner_id) WHERE owner_id IS NOT NULL;

-- Members, and those who are banned.
CREATE TABLE chelseru_chat_members (
    room_id     INTEGER NOT NULL REFERENCES chelseru_chat_rooms (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL REFERENCES chelseru_users (id) ON DELETE CASCADE,
    permissions INTEGER NOT NULL,
    banned_at   INTEGER,
    joined_at   INTEGER NOT NULL,
    read_seq    INTEGER NOT NULL,
    is_pinned   INTEGER NOT NULL,
    is_muted    INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chelseru_chat_members_user_id ON chelseru_chat_members (user_id, room_id);

-- The log: messages, and the entries that say that an earlier one was edited or deleted. No foreign key to
-- the room: a long log goes little by little after its room.
CREATE TABLE chelseru_chat_log (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id       INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    -- Of an edit or a deletion, the message.
    target_id     INTEGER,
    sender_id     INTEGER REFERENCES chelseru_users (id) ON DELETE SET NULL,
    client_id     TEXT,
    fingerprint   BLOB,
    message_type  TEXT    NOT NULL,
    text          TEXT    NOT NULL,
    folded_text   TEXT    NOT NULL,
    reply_to      INTEGER,
    attachment_id INTEGER,
    created_at    INTEGER NOT NULL,
    edited_at     INTEGER,
    deleted_at    INTEGER,
    UNIQUE (room_id, seq),
    -- In this order also for the foreign key.
    UNIQUE (sender_id, room_id, client_id)
) STRICT;
-- For who scrolls: however often messages were edited, those entries are not read.
CREATE INDEX chelseru_chat_log_messages ON chelseru_chat_log (room_id, seq) WHERE target_id IS NULL;

-- Messages that one reader has deleted for himself.
CREATE TABLE chelseru_chat_hidden (
    message_id INTEGER NOT NULL REFERENCES chelseru_chat_log (id) ON DELETE CASCADE,
    user_id    INTEGER NOT NULL REFERENCES chelseru_users (id) ON DELETE CASCADE,
    hidden_at  INTEGER NOT NULL,
    PRIMARY KEY (message_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chelseru_chat_hidden_user_id ON chelseru_chat_hidden (user_id);

-- Uploaded files, until their bytes are gone.
CREATE TABLE chelseru_chat_attachments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The one it was uploaded for; no foreign key, as of the log.
    room_id      INTEGER NOT NULL,
    uploader_id  INTEGER REFERENCES chelseru_users (id) ON DELETE SET NULL,
    message_id   INTEGER REFERENCES chelseru_chat_log (id) ON DELETE SET NULL,
    is_discarded INTEGER NOT NULL,
    blob_key     TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX chelseru_chat_attachments_uploader_id ON chelseru_chat_attachments (uploader_id);
CREATE UNIQUE INDEX chelseru_chat_attachments_message_id ON chelseru_chat_attachments (message_id)
    WHERE message_id IS NOT NULL;
CREATE INDEX chelseru_chat_attachments_unused ON chelseru_chat_attachments (created_at, id)
    WHERE message_id IS NULL;

-- Deleted rooms whose logs are still to be removed.
CREATE TABLE chelseru_chat_deleted_rooms (
    id INTEGER PRIMARY KEY
) STRICT;
