-- name: put_tenant
INSERT INTO order_binder.tenants AS t (
    tenant, region, policy, staff, revision, published_revision, key_hash, updated_at
)
VALUES ($1, $2, $3, $4, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0, $5, clock_timestamp())
ON CONFLICT (tenant) DO UPDATE SET
    region = excluded.region,
    policy = excluded.policy,
    staff = excluded.staff,
    revision = greatest(t.revision + 1, excluded.revision),
    updated_at = excluded.updated_at
RETURNING tenant, region, policy, staff, revision

-- name: tenant
SELECT tenant, region, policy, staff, revision FROM order_binder.tenants WHERE tenant = $1

-- name: is_a_phone
-- A count, because EXISTS hopes for an early hit and reads the table for it; a phone has few bindings.
SELECT count(*) > 0 FROM order_binder.orders
WHERE phones @> ARRAY[$1::text] AND number IS NOT NULL AND state IN ('pending', 'active', 'grace')

-- name: put_number
-- Nothing comes back for a number that another tenant has.
INSERT INTO order_binder.numbers AS n (
    e164, tenant, role, state, asks_code, city, default_route, withdrawn,
    revision, published_revision, key_hash, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, false,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0, $8, clock_timestamp())
ON CONFLICT (e164) DO UPDATE SET
    tenant = excluded.tenant,
    role = excluded.role,
    state = excluded.state,
    asks_code = excluded.asks_code,
    city = excluded.city,
    default_route = excluded.default_route,
    withdrawn = false,
    leaving = NULL,
    revision = greatest(n.revision + 1, excluded.revision),
    updated_at = excluded.updated_at
WHERE n.tenant = excluded.tenant OR n.withdrawn
RETURNING e164, tenant, role, state, asks_code, city, default_route, revision

-- name: number
SELECT e164, tenant, role, state, asks_code, city, default_route, revision
FROM order_binder.numbers
WHERE tenant = $1 AND e164 = $2 AND NOT withdrawn

-- name: numbers
SELECT e164, tenant, role, state, asks_code, city, default_route, revision
FROM order_binder.numbers
WHERE tenant = $1 AND NOT withdrawn
ORDER BY e164

-- name: is_in_use
SELECT EXISTS (
    SELECT FROM order_binder.orders WHERE number = $1 AND state IN ('pending', 'active', 'grace')
)

-- name: withdraw_number
-- A batch that began before may be about to lend it: what it binds is to move.
UPDATE order_binder.numbers SET
    withdrawn = true,
    leaving = 'move',
    revision = greatest(revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
    updated_at = clock_timestamp()
WHERE tenant = $1 AND e164 = $2 AND NOT withdrawn
RETURNING e164
