-- Makes those due at once that an earlier process had in hand when it died: claimed for $2 seconds before this one
-- started, and never written down. For a process that is alone. Index webhook_deliveries_due.
UPDATE webhook_deliveries SET next_attempt_at = now()
WHERE state = 'pending' AND last_attempt_at < $1 AND next_attempt_at > now()
  AND next_attempt_at = last_attempt_at + make_interval(secs => $2::double precision)
