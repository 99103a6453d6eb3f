-- Ends with an error where row-level security hides rows from the owner of orders or of what refers to it. Catalogs.
DO $$
DECLARE hidden text;
BEGIN
    SELECT string_agg(c.relname, ', ' ORDER BY c.relname) INTO hidden
    FROM pg_class c
    WHERE (c.oid = to_regclass('orders')
           OR c.oid IN (SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid = to_regclass('orders')))
      AND c.relrowsecurity AND c.relforcerowsecurity
      AND NOT EXISTS (SELECT FROM pg_policy p
                      WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*'
                        AND c.relowner = ANY (p.polroles) AND pg_get_expr(p.polqual, p.polrelid) = 'true');
    IF hidden IS NOT NULL THEN
        RAISE EXCEPTION 'the owner of % is not shown every row of it; the policy "whole" is missing', hidden;
    END IF;
END $$
