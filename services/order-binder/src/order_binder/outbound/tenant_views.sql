-- name: tenants
SELECT tenant, region, policy FROM order_binder.tenants WHERE tenant = ANY ($1::text[])

-- name: inventories
SELECT tenant, e164, role, state, city
FROM order_binder.numbers
WHERE tenant = ANY ($1::text[]) AND NOT withdrawn
ORDER BY e164
