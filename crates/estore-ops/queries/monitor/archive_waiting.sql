-- How many files of the write-ahead log wait to be archived, as the server's folder has them.
SELECT count(*) AS waiting FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'
