-- Tables whose changes are to be written down and are not, and triggers that are switched off. Reads the catalogs only.
SELECT format('table %s: the trigger %s is switched off', tgrelid::regclass, tgname) FROM pg_trigger
WHERE NOT tgisinternal AND tgenabled <> 'O' AND (tgname LIKE 'audit\_%' OR tgname ~ '(append_only|_are_kept|_step)$')
UNION ALL
SELECT format('table %s: it has no trigger %s, so that nobody writes down how it changes', name, trigger)
FROM unnest(ARRAY['users', 'user_roles', 'categories', 'products', 'payment_methods', 'disputes', 'webhook_endpoints',
    'api_keys', 'totp_factors', 'recovery_codes', 'passkeys']) name
CROSS JOIN unnest(ARRAY['audit_insert', 'audit_update', 'audit_delete', 'audit_truncate']) trigger
WHERE to_regclass(name) IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(name) AND tgname = trigger)
UNION ALL
SELECT format('table %s: it has no trigger that keeps its rows as they are', name)
FROM unnest(ARRAY['audit_log', 'audit_seals']) name
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(name) AND tgname = name || '_append_only')
UNION ALL
SELECT format('table %s: it has no trigger that keeps its rows as they are', inhrelid::regclass) FROM pg_inherits
WHERE inhparent = to_regclass('audit_log')
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = inhrelid AND tgname LIKE '%append\_only')
