-- An address that was verified, and a buyer's letter about an order.
INSERT INTO event_outbox (type, subject, data) VALUES ('user.verified', 'user/1', '{"id": 1}');
