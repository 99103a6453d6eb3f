-- Begins an import: long statements are right here, and one import at a time. No table.
SELECT set_config('statement_timeout', '30min', true), set_config('idle_in_transaction_session_timeout', '10min', true),
    set_config('work_mem', '64MB', true), pg_try_advisory_xact_lock(hashtext('estore.import')) AS is_ours
