-- For the audit. Movements of stock: the last id that was given out. A sequence.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM stock_movements_id_seq
