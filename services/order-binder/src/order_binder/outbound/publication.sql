-- name: clock
SELECT clock_timestamp()

-- name: unpublished_bindings
-- In the order of the index: however much waits to be published, a page is read without sorting the rest.
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at,
       o.unpublished % $1 AS partition
FROM order_binder.orders AS o
WHERE o.unpublished IS NOT NULL AND o.unpublished % $1 = ANY ($2::integer[])
ORDER BY o.unpublished
LIMIT $3

-- name: mark_bindings
-- Who has a row locked is about to change it, and it is published anew in any case: waiting for him would end in
-- deadlocks, for he waits for rows of this statement.
WITH free AS (
    SELECT o.tenant, o.order_id, n.revision
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (tenant, order_id, revision)
    JOIN order_binder.orders AS o ON o.tenant = n.tenant AND o.order_id = n.order_id
    WHERE o.published_revision < n.revision
    FOR NO KEY UPDATE OF o SKIP LOCKED
)
UPDATE order_binder.orders AS o SET published_revision = free.revision
FROM free
WHERE o.tenant = free.tenant AND o.order_id = free.order_id
RETURNING extract(epoch FROM clock_timestamp() - o.updated_at)::float8 AS delay_s

-- name: dirty_bindings
UPDATE order_binder.orders AS o SET published_revision = 0
FROM unnest($1::text[], $2::text[]) AS n (tenant, order_id)
WHERE o.tenant = n.tenant AND o.order_id = n.order_id

-- name: live_bindings
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
WHERE o.number IS NOT NULL AND o.key_hash % $1 = $2 AND (o.tenant, o.order_id) > ($3, $4)
ORDER BY o.tenant, o.order_id
LIMIT $5

-- name: unpublished_tenants
SELECT tenant, region, policy, staff, revision, updated_at, key_hash % $1 AS partition
FROM order_binder.tenants
WHERE revision <> published_revision AND key_hash % $1 = ANY ($2::integer[])
LIMIT $3

-- name: mark_tenants
UPDATE order_binder.tenants AS t SET published_revision = n.revision
FROM unnest($1::text[], $2::bigint[]) AS n (tenant, revision)
WHERE t.tenant = n.tenant AND t.published_revision < n.revision

-- name: dirty_tenants
UPDATE order_binder.tenants SET published_revision = 0 WHERE tenant = ANY ($1::text[])

-- name: live_tenants
SELECT tenant, region, policy, staff, revision, updated_at
FROM order_binder.tenants
WHERE key_hash % $1 = $2 AND tenant > $3
ORDER BY tenant
LIMIT $4

-- name: unpublished_numbers
SELECT e164, tenant, role, state, asks_code, city, default_route, withdrawn, revision, updated_at, key_hash % $1 AS partition
FROM order_binder.numbers
WHERE revision <> published_revision AND key_hash % $1 = ANY ($2::integer[])
LIMIT $3

-- name: mark_numbers
UPDATE order_binder.numbers AS t SET published_revision = n.revision
FROM unnest($1::text[], $2::bigint[]) AS n (e164, revision)
WHERE t.e164 = n.e164 AND t.published_revision < n.revision

-- name: dirty_numbers
UPDATE order_binder.numbers SET published_revision = 0 WHERE e164 = ANY ($1::text[])

-- name: live_numbers
SELECT e164, tenant, role, state, asks_code, city, default_route, withdrawn, revision, updated_at
FROM order_binder.numbers
WHERE key_hash % $1 = $2 AND e164 > $3 AND NOT withdrawn
ORDER BY e164
LIMIT $4
