-- destructive: the sandbox gateway's tokens, sales and refunds
DROP TABLE sandbox_refunds;
DROP TABLE sandbox_sales;
DROP TABLE sandbox_tokens;
DROP TABLE sandbox_fingerprint_key;
