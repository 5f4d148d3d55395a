-- name: tenants
SELECT tenant, region, policy FROM order_binder.tenants WHERE tenant = ANY ($1::text[])

-- name: inventories
SELECT tenant, e164, role, state, city
FROM order_binder.numbers
WHERE tenant = ANY ($1::text[]) AND NOT withdrawn
ORDER BY e164

-- name: lock_orders
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
JOIN unnest($1::text[], $2::text[]) AS wanted (tenant, order_id)
  ON o.tenant = wanted.tenant AND o.order_id = wanted.order_id
ORDER BY o.tenant, o.order_id
FOR UPDATE OF o

-- name: lock_due
-- As a subquery the time is one value, and so a condition of the index; alone it would be asked anew for every row.
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
WHERE o.next_change_at <= (SELECT clock_timestamp())
ORDER BY o.next_change_at
LIMIT $1
FOR UPDATE SKIP LOCKED

-- name: clock
SELECT clock_timestamp()

-- name: proxies_among
SELECT e164 FROM order_binder.numbers WHERE e164 = ANY ($1::text[]) AND NOT withdrawn

-- name: slots_of
SELECT number, phone, peer, holds, stamp FROM order_binder.slots WHERE phone = ANY ($1::text[])

-- name: loads
SELECT number, count(*) AS bindings
FROM order_binder.orders
WHERE number = ANY ($1::text[]) AND state IN ('pending', 'active', 'grace')
GROUP BY number

-- name: live_codes
SELECT count(*) FROM order_binder.codes WHERE tenant = $1 AND held_until > clock_timestamp()

-- name: codes_held
SELECT code FROM order_binder.codes
WHERE tenant = $1 AND code = ANY ($2::text[]) AND held_until > clock_timestamp()

-- name: insert_orders
-- A row that somebody else has inserted in the meantime is missing from the answer.
INSERT INTO order_binder.orders (
    tenant, order_id, version, status, state, revision, published_revision, key_hash,
    number, phones, document, traceparent, caused_at, updated_at, next_change_at, purge_after
)
SELECT n.tenant, n.order_id, n.version, n.status, n.state, n.revision,
       CASE WHEN n.publish THEN 0 ELSE n.revision END, n.key_hash,
       n.number, string_to_array(n.phones, ' '), n.document, n.traceparent,
       n.caused_at, n.updated_at, n.next_change_at, n.purge_after
FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::boolean[], $8::integer[],
    $9::text[], $10::text[], $11::jsonb[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
    $16::timestamptz[]
) AS n (tenant, order_id, version, status, state, revision, publish, key_hash,
        number, phones, document, traceparent, caused_at, updated_at, next_change_at, purge_after)
ON CONFLICT (tenant, order_id) DO NOTHING
RETURNING tenant

-- name: update_orders
-- The rows are locked by this transaction. What has nothing to publish counts as published, unless something older,
-- such as a tombstone, is still to be sent.
UPDATE order_binder.orders AS o SET
    version = n.version,
    status = n.status,
    state = n.state,
    revision = n.revision,
    published_revision = CASE
        WHEN n.publish OR o.published_revision <> o.revision THEN o.published_revision ELSE n.revision
    END,
    number = n.number,
    phones = string_to_array(n.phones, ' '),
    document = n.document,
    traceparent = n.traceparent,
    caused_at = n.caused_at,
    updated_at = n.updated_at,
    next_change_at = n.next_change_at,
    purge_after = n.purge_after
FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::boolean[], $8::integer[],
    $9::text[], $10::text[], $11::jsonb[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
    $16::timestamptz[]
) AS n (tenant, order_id, version, status, state, revision, publish, key_hash,
        number, phones, document, traceparent, caused_at, updated_at, next_change_at, purge_after)
WHERE o.tenant = n.tenant AND o.order_id = n.order_id

-- name: claim_slots
-- The claim: one statement, guarded by the primary key. Where somebody else was faster the stamp has changed, and the
-- row is missing from the answer.
INSERT INTO order_binder.slots AS s (number, phone, peer, holds, kept_until, follows)
SELECT n.number, n.phone, n.peer, n.holds, n.kept_until, n.follows
FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::bigint[])
  AS n (number, phone, peer, holds, kept_until, follows)
ORDER BY n.number, n.phone
ON CONFLICT (number, phone) DO UPDATE SET
    peer = excluded.peer,
    holds = excluded.holds,
    kept_until = excluded.kept_until,
    stamp = excluded.stamp,
    follows = excluded.follows
WHERE s.stamp = excluded.follows
RETURNING s.number

-- name: claim_codes
INSERT INTO order_binder.codes AS c (tenant, code, order_id, role, held_until)
SELECT n.tenant, n.code, n.order_id, n.role, n.held_until
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
  AS n (tenant, code, order_id, role, held_until)
ORDER BY n.tenant, n.code
ON CONFLICT (tenant, code) DO UPDATE SET
    order_id = excluded.order_id, role = excluded.role, held_until = excluded.held_until
WHERE c.order_id = excluded.order_id AND c.role = excluded.role OR c.held_until <= clock_timestamp()
RETURNING c.tenant, c.code

-- name: wake_publishers
SELECT pg_notify('order_binder_unpublished', '')

-- name: purge_orders
DELETE FROM order_binder.orders
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM order_binder.orders
    WHERE purge_after <= (SELECT clock_timestamp()) AND revision = published_revision
    ORDER BY purge_after
    LIMIT $1 FOR UPDATE SKIP LOCKED
))

-- name: purge_slots
DELETE FROM order_binder.slots
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM order_binder.slots
    WHERE kept_until <= (SELECT clock_timestamp())
    ORDER BY kept_until
    LIMIT $1 FOR UPDATE SKIP LOCKED
))

-- name: purge_codes
DELETE FROM order_binder.codes
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM order_binder.codes
    WHERE held_until <= (SELECT clock_timestamp())
    ORDER BY held_until
    LIMIT $1 FOR UPDATE SKIP LOCKED
))

-- name: one_order
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
WHERE o.tenant = $1 AND o.order_id = $2

-- name: find_orders
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
WHERE o.tenant = $1 AND o.number IS NOT NULL AND o.phones @> ARRAY[$2::text]
UNION
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.codes AS c
JOIN order_binder.orders AS o ON o.tenant = c.tenant AND o.order_id = c.order_id
WHERE c.tenant = $1 AND c.code = $3 AND o.number IS NOT NULL
