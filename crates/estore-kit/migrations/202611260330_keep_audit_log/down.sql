-- destructive: who changed what
DROP TABLE audit_log;
DROP FUNCTION make_audit_partitions(integer);
DROP FUNCTION audit_changes_of(regclass, text, text, text);
DROP FUNCTION write_audit_log_of_row();
DROP FUNCTION write_audit_log();
DROP FUNCTION audit_key(jsonb, text[]);
DROP FUNCTION audit_columns(jsonb, jsonb, text[], text[]);
