-- For the audit. What was written down: the last id that was given out. A sequence.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_log_id_seq
