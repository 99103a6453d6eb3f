-- Whose a card is may be kept beside it, sealed alone. What its details are sealed for is named before the row is written.
ALTER TABLE payment_methods
    ADD COLUMN details_sealed_for UUID,
    DROP CONSTRAINT payment_methods_details_safe,
    ADD CONSTRAINT payment_methods_details_safe CHECK (
        jsonb_typeof(details) = 'object'
        AND details - ARRAY['brand', 'last4', 'expiry_month', 'expiry_year', 'holder_name', 'billing_address'] = '{}'::jsonb
        AND length(details ->> 'last4') = 4
        AND (payment_type = 'card' OR details = '{}'::jsonb)
    ),
    ADD CONSTRAINT payment_methods_details_sealed CHECK (
        (NOT details ? 'holder_name' OR details_sealed_for IS NOT NULL AND details ->> 'holder_name' LIKE 'sealed:1:%')
        AND (NOT details ? 'billing_address'
            OR details_sealed_for IS NOT NULL AND details ->> 'billing_address' LIKE 'sealed:1:%')
    );

DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'estore_payments_app') THEN
        GRANT SELECT (details_sealed_for) ON payment_methods TO estore_payments_app;
    END IF;
END $$;
