-- How many letters of these kinds an address was sent, in the last minute and day; index mails_recent.
SELECT count(*) FILTER (WHERE created_at > now() - interval '1 minute') AS in_minute, count(*) AS in_day
FROM mails
WHERE recipient = $1 AND kind = ANY ($2::text[]) AND created_at > now() - interval '1 day'
