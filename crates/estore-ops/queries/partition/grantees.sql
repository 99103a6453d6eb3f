-- The roles that have rights on a table because of default privileges or of the table orders; catalogs only.
SELECT string_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, ', ')
FROM (
    SELECT item.grantee FROM pg_default_acl, aclexplode(defaclacl) item
    WHERE defaclrole = current_user::regrole AND defaclobjtype = 'r'
    UNION
    SELECT item.grantee FROM pg_class, aclexplode(relacl) item
    WHERE oid IN (to_regclass('orders'), to_regclass('orders_merged'))
    UNION
    SELECT item.grantee FROM pg_attribute, aclexplode(attacl) item WHERE attrelid = to_regclass('orders')
) roles
WHERE grantee <> current_user::regrole
