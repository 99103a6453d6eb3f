-- Says who makes the changes of this transaction, for the audit log: the account, and the request. Touches no table.
SELECT set_config('estore.user_id', $1, true), set_config('estore.request_id', $2, true)
