DROP INDEX refunds_need_attention;
DROP INDEX checkouts_need_attention;
