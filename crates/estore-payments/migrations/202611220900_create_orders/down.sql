-- destructive: payment methods, checkouts, orders, charges, refunds and idempotency keys
DROP TABLE refunds;
DROP TABLE charges;
DROP TABLE idempotency_keys;
DROP TABLE orders;
DROP FUNCTION refuse_order_step();
DROP TABLE checkouts;
DROP TABLE payment_methods;
