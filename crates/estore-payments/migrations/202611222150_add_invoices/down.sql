-- destructive: payment methods by invoice become inactive cards without a number
UPDATE payment_methods SET payment_type = 'card', is_active = FALSE WHERE payment_type = 'invoice';
ALTER TABLE payment_methods
    DROP CONSTRAINT payment_methods_type_known,
    DROP CONSTRAINT payment_methods_details_safe,
    ADD CONSTRAINT payment_methods_type_known CHECK (payment_type IN ('card')),
    ADD CONSTRAINT payment_methods_details_safe CHECK (
        jsonb_typeof(details) = 'object'
        AND details - ARRAY['brand', 'last4', 'expiry_month', 'expiry_year'] = '{}'::jsonb
        AND length(details ->> 'last4') = 4
    );
