-- destructive: what buyers are still to be told of by mail
DROP TABLE order_notices;
