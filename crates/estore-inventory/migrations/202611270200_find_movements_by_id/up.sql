-- no-transaction
-- What moved since the last look is found several times a second, for the stock that shoppers see; and what is to be
-- sealed. Ids come in order, so a sale writes to the index's last page alone.
CREATE INDEX CONCURRENTLY stock_movements_order ON stock_movements(id);
