-- For the audit. The heads of the seals $1. Primary key.
SELECT number, head FROM audit_seals WHERE number = ANY ($1::bigint[])
