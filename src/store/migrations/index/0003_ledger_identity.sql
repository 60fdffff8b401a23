-- A maildrop's messages are known by more than their names, and each deletion by how it was verified.
ALTER TABLE ledger ADD COLUMN header_hash BLOB;    -- SHA-256 of the header block; NULL: not known
ALTER TABLE ledger ADD COLUMN served INTEGER;      -- octets that came; NULL: not downloaded, or not noted
ALTER TABLE ledger ADD COLUMN verified_at INTEGER; -- when it was last read back and its hash compared; NULL: not since it came
ALTER TABLE ledger ADD COLUMN asked_at INTEGER;    -- when the server was last told to delete it; NULL: never
ALTER TABLE ledger ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0; -- the user asked for the whole of it
