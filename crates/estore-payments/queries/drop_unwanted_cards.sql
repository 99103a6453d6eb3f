-- The gateway has forgotten these cards. Primary key.
DELETE FROM unwanted_cards WHERE gateway = $1 AND gateway_token = ANY ($2::text[])
