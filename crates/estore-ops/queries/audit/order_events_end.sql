-- For the audit. The orders' history: the last id that was given out. A sequence.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM order_events_id_seq
