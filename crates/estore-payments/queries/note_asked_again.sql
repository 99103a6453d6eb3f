-- Staff had a pending refund asked for again, which its own history does not say. No index.
SELECT note_resolved('refunds', $1::uuid::text, jsonb_build_object('state', 'pending'))
