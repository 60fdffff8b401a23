-- What a whole message's text is, is read again from the message itself when its turn comes.
ALTER TABLE unindexed DROP COLUMN text;
