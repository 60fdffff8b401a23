-- messages.sqlite: the raw bytes of every message, exactly as served, and where each came from. Precious: the
-- index is rebuilt from it.

CREATE TABLE raw (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    hash     BLOB    NOT NULL UNIQUE,         -- SHA-256 of the bytes
    size     INTEGER NOT NULL,                -- octets, before compression
    encoding INTEGER NOT NULL,                -- 0: as they are, 1: zstd, 2: in the file large/ab/<hash>
    kept_at  INTEGER NOT NULL,                -- seconds since 1970
    bytes    BLOB    NOT NULL                 -- empty where they are in a file
) STRICT;

-- Accounts as the index names them, so that a rebuilt index gives them the same ids.
CREATE TABLE account (
    id       INTEGER PRIMARY KEY,             -- the index's
    name     TEXT NOT NULL,
    protocol TEXT NOT NULL                    -- 'imap' or 'pop3'
) STRICT;

-- Mailboxes as the index described them when a message arrived there.
CREATE TABLE mailbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- not the index's
    account     INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    path        TEXT    NOT NULL,             -- as people read it
    wire        BLOB    NOT NULL,             -- as the server wrote it
    delimiter   TEXT    NOT NULL,             -- empty for none
    special_use TEXT    NOT NULL,             -- empty for none
    local       INTEGER NOT NULL,             -- 1: on no server
    UNIQUE (account, path)
) STRICT;

CREATE TABLE provenance (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    raw          INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    mailbox      INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    uid_validity INTEGER,                     -- NULL: not from an IMAP mailbox
    uid          INTEGER,                     -- NULL: not from an IMAP mailbox
    uidl         BLOB,                        -- NULL: not from a POP3 maildrop
    received     INTEGER,                     -- seconds since 1970, as the server said; NULL: it did not
    flags        INTEGER NOT NULL,            -- bits as in the index, at that time
    keywords     TEXT    NOT NULL             -- separated by single spaces, at that time
) STRICT;
CREATE INDEX provenance_by_raw ON provenance (raw);
CREATE INDEX provenance_by_mailbox ON provenance (mailbox);
