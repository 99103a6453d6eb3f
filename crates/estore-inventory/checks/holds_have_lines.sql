-- Holds of nothing.
SELECT format('checkout %s is %s without any line', h.checkout_id, h.state)
FROM holds h
WHERE h.state <> 'released' AND NOT EXISTS (SELECT FROM hold_lines l WHERE l.checkout_id = h.checkout_id)
