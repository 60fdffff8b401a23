-- What servers say that tells one message or mailbox from another, beside their numbers.

ALTER TABLE message ADD COLUMN object_id TEXT;      -- EMAILID (RFC 8474), or 'gm:' and X-GM-MSGID; NULL: unknown
ALTER TABLE message ADD COLUMN listed_size INTEGER; -- RFC822.SIZE as listed, right or wrong; NULL: unknown
CREATE INDEX message_by_object ON message (object_id) WHERE object_id IS NOT NULL;

ALTER TABLE mailbox ADD COLUMN object_id TEXT;      -- MAILBOXID (RFC 8474); NULL: unknown

-- Messages in a mailbox that no UID names: few on a server's mailbox, all of a local one.
CREATE INDEX placement_adrift ON placement (mailbox) WHERE uid IS NULL;
