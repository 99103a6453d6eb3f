-- What staff must look at is found without reading everything.
CREATE INDEX checkouts_need_attention ON checkouts (id) WHERE needs_attention_since IS NOT NULL;
CREATE INDEX refunds_need_attention ON refunds (id) WHERE needs_attention_since IS NOT NULL;
