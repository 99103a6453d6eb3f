-- Begins an export: a long statement is right here. No table.
SELECT set_config('statement_timeout', '30min', true)
