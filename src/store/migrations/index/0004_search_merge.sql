-- Mail that comes in by the thousand writes a segment a batch: merging them by eights, not by fours, halves what is
-- written again and again, and a search looks into a few more.
INSERT INTO search (search, rank) VALUES ('automerge', 8);
