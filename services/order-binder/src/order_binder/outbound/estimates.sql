-- name: read_whole_tables
SET LOCAL enable_seqscan = on

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
