-- name: stamps
-- A sum grows with whichever of the numbers changed; the highest alone might not, after the clock was set back.
SELECT t.tenant, t.revision || '/' || coalesce(
    (SELECT count(*) || '/' || sum(n.revision) FROM order_binder.numbers AS n WHERE n.tenant = t.tenant AND NOT n.withdrawn),
    '') AS stamp
FROM order_binder.tenants AS t
WHERE t.tenant = ANY ($1::text[])

-- name: tenants
SELECT tenant, region, policy FROM order_binder.tenants WHERE tenant = ANY ($1::text[])

-- name: inventories
SELECT tenant, e164, role, state, city
FROM order_binder.numbers
WHERE tenant = ANY ($1::text[]) AND NOT withdrawn
ORDER BY e164
