-- Whether a backup is being taken: it locks tables for a moment, and must not find them under repair.
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'estore backup' AND datname = current_database())
