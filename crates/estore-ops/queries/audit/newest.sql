-- For the audit. The newest seal. Primary key.
SELECT number, head, signature FROM audit_seals ORDER BY number DESC LIMIT 1
