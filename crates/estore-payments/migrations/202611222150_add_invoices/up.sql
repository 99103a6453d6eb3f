-- Payment by invoice: a payment method without a card.

ALTER TABLE payment_methods
    DROP CONSTRAINT payment_methods_type_known,
    DROP CONSTRAINT payment_methods_details_safe,
    ADD CONSTRAINT payment_methods_type_known CHECK (payment_type IN ('card', 'invoice')),
    ADD CONSTRAINT payment_methods_details_safe CHECK (
        jsonb_typeof(details) = 'object'
        AND details - ARRAY['brand', 'last4', 'expiry_month', 'expiry_year'] = '{}'::jsonb
        AND length(details ->> 'last4') = 4
        AND (payment_type = 'card' OR details = '{}'::jsonb)
    );
