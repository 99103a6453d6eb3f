-- Marks checkouts without a hold as over, so that a hold still under way comes too late. Primary key.
INSERT INTO holds (checkout_id, state)
SELECT DISTINCT asked, 'released' FROM unnest($1::uuid[]) AS asked ORDER BY asked
ON CONFLICT (checkout_id) DO NOTHING
