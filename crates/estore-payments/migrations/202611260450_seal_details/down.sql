-- destructive: whose cards are
UPDATE payment_methods SET details = details - 'holder_name' - 'billing_address' WHERE details_sealed_for IS NOT NULL;
ALTER TABLE payment_methods
    DROP CONSTRAINT payment_methods_details_sealed,
    DROP CONSTRAINT payment_methods_details_safe,
    ADD CONSTRAINT payment_methods_details_safe CHECK (
        jsonb_typeof(details) = 'object'
        AND details - ARRAY['brand', 'last4', 'expiry_month', 'expiry_year'] = '{}'::jsonb
        AND length(details ->> 'last4') = 4
        AND (payment_type = 'card' OR details = '{}'::jsonb)
    ),
    DROP COLUMN details_sealed_for;
