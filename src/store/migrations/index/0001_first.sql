-- index.sqlite: what is known about messages. All of it but accounts' names, settings, operations and
-- submissions can be found again from messages.sqlite and the servers.

CREATE TABLE account (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL UNIQUE,     -- as the command line calls it
    protocol     TEXT    NOT NULL,            -- 'imap' or 'pop3'
    total        INTEGER NOT NULL DEFAULT 0,  -- messages; kept by triggers
    headers_only INTEGER NOT NULL DEFAULT 0   -- messages without their body; kept by triggers
) STRICT;

CREATE TABLE mailbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    wire        BLOB    NOT NULL,             -- its name as the server wrote it
    path        TEXT    NOT NULL,             -- its name as people read it, '/' between levels
    delimiter   TEXT    NOT NULL,             -- the server's; empty where it has none
    special_use TEXT    NOT NULL,             -- RFC 6154 in lower case, or 'inbox'; empty for none
    selectable  INTEGER NOT NULL,             -- 0 or 1
    subscribed  INTEGER NOT NULL,             -- 0 or 1
    local       INTEGER NOT NULL,             -- 1: on no server
    total       INTEGER NOT NULL DEFAULT 0,   -- placements; kept by triggers
    unread      INTEGER NOT NULL DEFAULT 0,   -- placements without \Seen; kept by triggers
    UNIQUE (account, wire)
) STRICT;
CREATE INDEX mailbox_by_special_use ON mailbox (special_use);

CREATE TABLE sync_state (
    mailbox        INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
    uid_validity   INTEGER NOT NULL,          -- RFC 9051 section 2.3.1.1
    uid_next       INTEGER NOT NULL,          -- every UID below it has been seen
    highest_modseq INTEGER                    -- RFC 7162; NULL: the server has none
) STRICT;

CREATE TABLE thread (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    total   INTEGER NOT NULL DEFAULT 0        -- messages; kept by triggers
) STRICT;
CREATE INDEX thread_by_account ON thread (account);

-- Which thread a Message-ID belongs to, whether the message is here or was only referred to.
CREATE TABLE link (
    key    INTEGER PRIMARY KEY,               -- first 8 bytes of SHA-256 over account and Message-ID
    thread INTEGER NOT NULL REFERENCES thread (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX link_by_thread ON link (thread);

-- What a list shows. The rest is in message_detail, so that a page of the list touches few pages of the file.
CREATE TABLE message (
    id              INTEGER PRIMARY KEY,      -- seconds << 20 | serial: ordering by id is ordering by date
    account         INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    thread          INTEGER NOT NULL REFERENCES thread (id),
    message_id      TEXT,                     -- the header, without angle brackets; NULL: none
    from_name       TEXT,                     -- first From address; NULL: it has no name
    from_email      TEXT,                     -- first From address; NULL: the message has none
    recipients      TEXT    NOT NULL,         -- JSON: the first few To addresses
    subject         TEXT    NOT NULL,         -- decoded, at most 1,000 characters
    preview         TEXT    NOT NULL,         -- one line of its text; empty until the body is here
    received        INTEGER,                  -- seconds since 1970: INTERNALDATE or Received; NULL: unknown
    size            INTEGER NOT NULL,         -- octets
    hash            BLOB,                     -- SHA-256 of the raw bytes; NULL: only the headers are here
    has_attachments INTEGER NOT NULL          -- 0 or 1; a guess until the body is here
) STRICT;
CREATE INDEX message_by_account ON message (account);
CREATE INDEX message_by_thread ON message (thread);
CREATE INDEX message_by_hash ON message (hash) WHERE hash IS NOT NULL;
CREATE INDEX message_without_body ON message (account) WHERE hash IS NULL;

CREATE TABLE message_detail (
    message  INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    envelope TEXT NOT NULL,                   -- JSON of the whole envelope
    parts    TEXT NOT NULL,                   -- JSON list of MIME parts; empty list until the body is here
    defects  TEXT NOT NULL                    -- JSON list of what is wrong with the message
) STRICT;

-- One message in one mailbox.
CREATE TABLE placement (
    mailbox       INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    message       INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    uid           INTEGER,                    -- NULL: not on the server (yet)
    flags         INTEGER NOT NULL,           -- bits: 1 seen, 2 answered, 4 flagged, 8 deleted, 16 draft
    keywords      TEXT    NOT NULL,           -- separated by single spaces
    base_flags    INTEGER NOT NULL,           -- as the server last said
    base_keywords TEXT    NOT NULL,
    PRIMARY KEY (mailbox, message)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX placement_by_uid ON placement (mailbox, uid) WHERE uid IS NOT NULL;
CREATE INDEX placement_by_message ON placement (message);

-- How many rows of a list fall into each span of 2^16 seconds (18 hours): finds row n without counting to it.
CREATE TABLE mailbox_span (
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    span    INTEGER NOT NULL,                 -- message id >> 36
    total   INTEGER NOT NULL,                 -- placements, never 0
    PRIMARY KEY (mailbox, span)
) STRICT, WITHOUT ROWID;
CREATE TABLE account_span (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    span    INTEGER NOT NULL,                 -- message id >> 36
    total   INTEGER NOT NULL,                 -- messages, never 0
    PRIMARY KEY (account, span)
) STRICT, WITHOUT ROWID;

-- One row for each UIDL ever seen in a POP3 maildrop, kept for ever.
CREATE TABLE ledger (
    account       INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    uidl          BLOB    NOT NULL,
    size          INTEGER,                    -- octets as LIST said; NULL: it did not
    first_seen    INTEGER NOT NULL,           -- seconds since 1970
    downloaded_at INTEGER,                    -- when it was durable and verified here; NULL: not yet
    hash          BLOB,                       -- SHA-256 of the raw bytes; NULL: not downloaded
    message       INTEGER REFERENCES message (id) ON DELETE SET NULL, -- NULL: not here (any more)
    state         TEXT    NOT NULL,           -- seen, downloaded, delete-wanted, deleted, gone
    changed_at    INTEGER NOT NULL,           -- when the state last changed
    reason        TEXT    NOT NULL,           -- why a deletion was wanted; empty otherwise
    reply         TEXT    NOT NULL,           -- what the server answered to the deletion; empty before
    PRIMARY KEY (account, uidl)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_by_message ON ledger (message) WHERE message IS NOT NULL;

-- The user's intents that a server has not confirmed yet.
CREATE TABLE operation (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    mailbox      INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    uid_validity INTEGER,                     -- the targets' UIDs are void under another; NULL: none known
    targets      TEXT    NOT NULL,            -- JSON list of message, uid, flags before
    kind         TEXT    NOT NULL,            -- JSON: what the server is to do
    state        TEXT    NOT NULL,            -- queued, sent, held
    created      INTEGER NOT NULL,            -- seconds since 1970
    intent       INTEGER NOT NULL,            -- operations that are undone together share it
    tries        INTEGER NOT NULL,
    reply        TEXT    NOT NULL             -- the server's words; empty while all is well
) STRICT;
CREATE INDEX operation_by_account ON operation (account);
CREATE INDEX operation_by_mailbox ON operation (mailbox);

CREATE TABLE submission (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash       BLOB    NOT NULL,              -- raw bytes to send, without Bcc
    copy       BLOB,                          -- raw bytes to file once accepted; NULL: none
    message_id TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    sender     TEXT    NOT NULL,              -- envelope sender
    recipients TEXT    NOT NULL,              -- JSON list of envelope recipients
    created    INTEGER NOT NULL,              -- seconds since 1970
    not_before INTEGER,                       -- seconds since 1970; NULL: at once
    state      TEXT    NOT NULL,              -- queued, sending, uncertain, sent, held
    tries      INTEGER NOT NULL,
    reply      TEXT    NOT NULL               -- the server's words; empty before
) STRICT;
CREATE INDEX submission_by_account ON submission (account);

CREATE TABLE setting (
    key   TEXT NOT NULL PRIMARY KEY,          -- keys that begin with 'store:' are the store's own
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages that search does not know yet, or knows only by their headers.
CREATE TABLE unindexed (
    message INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    whole   INTEGER NOT NULL,                 -- 1: `text` is the body's
    text    TEXT    NOT NULL                  -- what to index beside the headers
) STRICT;

-- One row: how many wait in `unindexed`, which is large while the first mail comes in.
CREATE TABLE pending (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    total INTEGER NOT NULL,                   -- rows of unindexed; kept by triggers
    whole INTEGER NOT NULL                    -- those with whole = 1; kept by triggers
) STRICT;
INSERT INTO pending (id, total, whole) VALUES (1, 0, 0);

-- rowid = message id, so that newest first is the order of the index itself.
CREATE VIRTUAL TABLE search USING fts5 (
    sender, recipients, subject, body,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER placement_added AFTER INSERT ON placement BEGIN
    UPDATE mailbox SET total = total + 1, unread = unread + ((new.flags & 1) = 0) WHERE id = new.mailbox;
    INSERT INTO mailbox_span (mailbox, span, total) VALUES (new.mailbox, new.message >> 36, 1)
        ON CONFLICT (mailbox, span) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER placement_removed AFTER DELETE ON placement BEGIN
    UPDATE mailbox SET total = total - 1, unread = unread - ((old.flags & 1) = 0) WHERE id = old.mailbox;
    UPDATE mailbox_span SET total = total - 1 WHERE mailbox = old.mailbox AND span = old.message >> 36;
    DELETE FROM mailbox_span WHERE mailbox = old.mailbox AND span = old.message >> 36 AND total = 0;
END;
CREATE TRIGGER placement_read AFTER UPDATE OF flags ON placement WHEN (old.flags & 1) <> (new.flags & 1) BEGIN
    UPDATE mailbox SET unread = unread + (old.flags & 1) - (new.flags & 1) WHERE id = new.mailbox;
END;
CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    UPDATE account SET total = total + 1, headers_only = headers_only + (new.hash IS NULL) WHERE id = new.account;
    UPDATE thread SET total = total + 1 WHERE id = new.thread;
    INSERT INTO account_span (account, span, total) VALUES (new.account, new.id >> 36, 1)
        ON CONFLICT (account, span) DO UPDATE SET total = total + 1;
END;
CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN
    UPDATE account SET total = total - 1, headers_only = headers_only - (old.hash IS NULL) WHERE id = old.account;
    UPDATE thread SET total = total - 1 WHERE id = old.thread;
    UPDATE account_span SET total = total - 1 WHERE account = old.account AND span = old.id >> 36;
    DELETE FROM account_span WHERE account = old.account AND span = old.id >> 36 AND total = 0;
    DELETE FROM search WHERE rowid = old.id;
END;
CREATE TRIGGER message_joined AFTER UPDATE OF thread ON message WHEN old.thread <> new.thread BEGIN
    UPDATE thread SET total = total - 1 WHERE id = old.thread;
    UPDATE thread SET total = total + 1 WHERE id = new.thread;
END;
CREATE TRIGGER message_filled AFTER UPDATE OF hash ON message WHEN (old.hash IS NULL) <> (new.hash IS NULL) BEGIN
    UPDATE account SET headers_only = headers_only + (new.hash IS NULL) - (old.hash IS NULL) WHERE id = new.account;
END;
CREATE TRIGGER unindexed_added AFTER INSERT ON unindexed BEGIN
    UPDATE pending SET total = total + 1, whole = whole + new.whole;
END;
CREATE TRIGGER unindexed_removed AFTER DELETE ON unindexed BEGIN
    UPDATE pending SET total = total - 1, whole = whole - old.whole;
END;
CREATE TRIGGER unindexed_filled AFTER UPDATE OF whole ON unindexed WHEN old.whole <> new.whole BEGIN
    UPDATE pending SET whole = whole + new.whole - old.whole;
END;
