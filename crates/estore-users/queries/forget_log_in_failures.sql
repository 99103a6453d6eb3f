-- Begins the count of a subject anew; primary key.
DELETE FROM log_in_failures WHERE subject = $1
