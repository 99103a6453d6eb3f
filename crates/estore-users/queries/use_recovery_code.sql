-- Uses up a recovery code; primary key.
DELETE FROM recovery_codes WHERE user_id = $1 AND code = $2
