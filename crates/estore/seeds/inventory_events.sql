-- A product that fell to its level, still to be told.
INSERT INTO event_outbox (type, subject, data) VALUES ('product.low_stock', 'product/1', '{"id": 1}');
