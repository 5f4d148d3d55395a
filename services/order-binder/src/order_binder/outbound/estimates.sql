-- name: read_whole_tables
-- Nobody waits for it, and it locks nothing: it may take longer than other transactions.
SET LOCAL enable_seqscan = on;
SET LOCAL transaction_timeout = 0

-- name: loads
SELECT number, count(*) AS bindings
FROM order_binder.orders
WHERE number IS NOT NULL AND state IN ('pending', 'active', 'grace')
GROUP BY number

-- name: live_codes
SELECT tenant, count(*) AS codes
FROM order_binder.codes
WHERE held_until > (SELECT clock_timestamp())
GROUP BY tenant
