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
-- Passes over locked rows as well, and returns them: whoever has one locked need not change it. A row gets a new revision,
-- above any that was ever sent of it: the mark of a publisher that sent the old one and froze before it said so comes late,
-- and must not make it look published.
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[]) AS n (tenant, order_id)
), free AS (
    SELECT o.tenant, o.order_id
    FROM wanted AS n
    JOIN order_binder.orders AS o ON o.tenant = n.tenant AND o.order_id = n.order_id
    FOR NO KEY UPDATE OF o SKIP LOCKED
), dirty AS (
    UPDATE order_binder.orders AS o SET
        revision = greatest(o.revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
        updated_at = clock_timestamp()
    FROM free
    WHERE o.tenant = free.tenant AND o.order_id = free.order_id
    RETURNING o.tenant, o.order_id
)
SELECT o.tenant, o.order_id
FROM wanted AS n
JOIN order_binder.orders AS o ON o.tenant = n.tenant AND o.order_id = n.order_id
WHERE NOT EXISTS (SELECT FROM dirty WHERE dirty.tenant = o.tenant AND dirty.order_id = o.order_id)

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
WITH free AS (
    SELECT t.tenant, n.revision
    FROM unnest($1::text[], $2::bigint[]) AS n (tenant, revision)
    JOIN order_binder.tenants AS t ON t.tenant = n.tenant
    WHERE t.published_revision < n.revision
    FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE order_binder.tenants AS t SET published_revision = free.revision
FROM free
WHERE t.tenant = free.tenant

-- name: dirty_tenants
WITH free AS (
    SELECT tenant FROM order_binder.tenants WHERE tenant = ANY ($1::text[]) FOR NO KEY UPDATE SKIP LOCKED
), dirty AS (
    UPDATE order_binder.tenants AS t SET
        revision = greatest(t.revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
        updated_at = clock_timestamp()
    FROM free
    WHERE t.tenant = free.tenant
    RETURNING t.tenant
)
SELECT tenant FROM order_binder.tenants WHERE tenant = ANY ($1::text[]) AND tenant NOT IN (SELECT tenant FROM dirty)

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
WITH free AS (
    SELECT t.e164, n.revision
    FROM unnest($1::text[], $2::bigint[]) AS n (e164, revision)
    JOIN order_binder.numbers AS t ON t.e164 = n.e164
    WHERE t.published_revision < n.revision
    FOR NO KEY UPDATE OF t SKIP LOCKED
)
UPDATE order_binder.numbers AS t SET published_revision = free.revision
FROM free
WHERE t.e164 = free.e164

-- name: dirty_numbers
WITH free AS (
    SELECT e164 FROM order_binder.numbers WHERE e164 = ANY ($1::text[]) FOR NO KEY UPDATE SKIP LOCKED
), dirty AS (
    UPDATE order_binder.numbers AS t SET
        revision = greatest(t.revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
        updated_at = clock_timestamp()
    FROM free
    WHERE t.e164 = free.e164
    RETURNING t.e164
)
SELECT e164 FROM order_binder.numbers WHERE e164 = ANY ($1::text[]) AND e164 NOT IN (SELECT e164 FROM dirty)

-- name: live_numbers
SELECT e164, tenant, role, state, asks_code, city, default_route, withdrawn, revision, updated_at
FROM order_binder.numbers
WHERE key_hash % $1 = $2 AND e164 > $3 AND NOT withdrawn
ORDER BY e164
LIMIT $4
