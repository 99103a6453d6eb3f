-- An import may take longer than a request; its bounds are its own.
SET LOCAL statement_timeout = 0
