-- What cards will do. Primary key.
SELECT token, behaviour FROM sandbox_tokens WHERE token = ANY ($1::text[])
