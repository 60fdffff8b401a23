-- Where messages stand in mailboxes that are on no server, and how they are marked there, wherever that is not as it
-- was when they came: no server could bring it back.
CREATE TABLE place (
    raw      INTEGER NOT NULL REFERENCES raw (id) ON DELETE CASCADE,
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    flags    INTEGER NOT NULL,                -- bits as in the index; -1: it is not there any more
    keywords TEXT    NOT NULL,                -- separated by single spaces
    PRIMARY KEY (raw, mailbox)
) STRICT, WITHOUT ROWID;
