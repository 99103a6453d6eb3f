-- The tables of this database that hold its oldest transaction numbers, with their TOAST.
SELECT coalesce(owner.oid, c.oid)::regclass::text AS name, max(age(c.relfrozenxid))::bigint AS transactions,
    max(mxid_age(c.relminmxid))::bigint AS multixacts
FROM pg_class c LEFT JOIN pg_class owner ON owner.reltoastrelid = c.oid
WHERE c.relkind IN ('r', 'm', 't') AND c.relfrozenxid <> '0'
GROUP BY 1 ORDER BY greatest(max(age(c.relfrozenxid)), max(mxid_age(c.relminmxid))) DESC, name LIMIT $1::bigint
