-- A buyer who pays by invoice.
INSERT INTO payment_methods (user_id, payment_type, details, gateway, gateway_token, fingerprint)
VALUES ('1', 'invoice', '{}', 'manual', 'invoice', 'invoice');
