-- New recovery codes in place of all old ones; primary key.
WITH gone AS (
    DELETE FROM recovery_codes WHERE user_id = $1
)
INSERT INTO recovery_codes (user_id, code)
SELECT $1, code FROM unnest($2::text[]) AS code
