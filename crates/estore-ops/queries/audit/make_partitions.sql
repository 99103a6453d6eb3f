-- Makes the coming months' partitions of the audit log. No index.
SELECT make_audit_partitions($1)
