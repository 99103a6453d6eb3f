-- destructive: which partitions were let go
DROP TABLE partitions_let_go;
DROP FUNCTION make_month_partitions(regclass, integer);
DROP FUNCTION shape_partition(regclass, text);
DROP FUNCTION close_partition(regclass);
