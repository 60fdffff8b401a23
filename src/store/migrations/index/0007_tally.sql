-- What a batch adds is counted by the batch, once for each counter: a trigger for each row cost more than the row.
DROP TRIGGER message_added;
DROP TRIGGER placement_added;
