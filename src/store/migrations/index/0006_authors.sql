-- A message may have several authors, and a list shows them all. Nothing is filled in here, so that a large store opens
-- at once: where this is NULL, a row looks into the envelope.
ALTER TABLE message ADD COLUMN co_authors TEXT;     -- JSON: the From addresses after the first; NULL: not noted yet
