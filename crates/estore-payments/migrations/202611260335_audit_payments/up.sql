-- Changes of payment methods, disputes and receivers of events are written down. Orders, charges, refunds and bookings
-- have their histories, which say who did it.
SELECT audit_changes_of('payment_methods', 'id', 'details,gateway_token,fingerprint', 'updated_at');
SELECT audit_changes_of('disputes', 'id', '', '');
SELECT audit_changes_of('webhook_endpoints', 'id', '', 'updated_at');

-- Notes what staff did to a row whose own history does not say so.
CREATE FUNCTION note_resolved(of_table text, of_row text, was jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO audit_log (table_name, row_key, operation, before) VALUES (of_table, of_row, 'resolve', was)
$$;
REVOKE EXECUTE ON FUNCTION note_resolved(text, text, jsonb) FROM estore_readonly;
