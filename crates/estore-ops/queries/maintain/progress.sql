-- How far a session's vacuum, analyze or index build is; nothing where it is at none.
SELECT phase, heap_blks_scanned AS done, heap_blks_total AS total FROM pg_stat_progress_vacuum WHERE pid = $1::integer
UNION ALL
SELECT phase, sample_blks_scanned, sample_blks_total FROM pg_stat_progress_analyze WHERE pid = $1::integer
UNION ALL
SELECT phase,
    CASE WHEN lockers_total > 0 AND phase LIKE 'waiting%' THEN lockers_done
         WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END,
    CASE WHEN lockers_total > 0 AND phase LIKE 'waiting%' THEN lockers_total
         WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END
FROM pg_stat_progress_create_index WHERE pid = $1::integer
LIMIT 1
