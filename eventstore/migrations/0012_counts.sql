-- How many refer to a thing is now counted by the field that does ('contact.tags:<id>', not 'tag:<id>'); the tables of
-- rows, whose version went up with this, are rebuilt behind it and count anew.
DELETE FROM row_counts WHERE kind LIKE 'tag:%';
