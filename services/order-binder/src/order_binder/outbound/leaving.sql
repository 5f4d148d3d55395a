-- name: leave_number
-- From now on nothing new gets the number: it is draining whatever it was.
UPDATE order_binder.numbers SET
    leaving = $3,
    state = 'draining',
    revision = greatest(revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
    updated_at = clock_timestamp()
WHERE tenant = $1 AND e164 = $2 AND NOT withdrawn
RETURNING e164, tenant, role, state, asks_code, city, default_route, revision

-- name: leaving_numbers
SELECT e164, tenant, leaving FROM order_binder.numbers WHERE leaving IS NOT NULL ORDER BY e164

-- name: lock_users
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
WHERE o.number = $1 AND o.state IN ('pending', 'active', 'grace') AND (o.tenant, o.order_id) > ($2, $3)
ORDER BY o.tenant, o.order_id
LIMIT $4
FOR UPDATE OF o

-- name: withdraw_unused
-- A batch that began before may be about to lend it, unseen by this statement: so it is looked after for a while longer.
UPDATE order_binder.numbers AS n SET
    withdrawn = true,
    leaving = 'move',
    revision = greatest(n.revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
    updated_at = clock_timestamp()
WHERE n.e164 = $1 AND n.leaving IS NOT NULL AND NOT n.withdrawn AND NOT EXISTS (
    SELECT FROM order_binder.orders AS o WHERE o.number = n.e164 AND o.state IN ('pending', 'active', 'grace')
)
RETURNING n.e164

-- name: forget_withdrawn
-- Once no batch that knew the number as it was can still be written, which takes half a minute at most, and whatever such
-- batches bound has moved or ended.
UPDATE order_binder.numbers AS n SET leaving = NULL
WHERE n.e164 = $1 AND n.leaving IS NOT NULL AND n.withdrawn AND n.updated_at < clock_timestamp() - interval '1 minute'
  AND NOT EXISTS (
    SELECT FROM order_binder.orders AS o WHERE o.number = n.e164 AND o.state IN ('pending', 'active', 'grace')
)

-- name: standing_of
-- How the number stands now: its role, whose it is, and whether anybody may still have it in mind.
SELECT n.role, n.tenant, n.withdrawn,
       EXISTS (
           SELECT FROM order_binder.orders AS o WHERE o.number = n.e164 AND o.state IN ('pending', 'active', 'grace')
       ) AS in_use,
       EXISTS (
           SELECT FROM order_binder.slots AS s WHERE s.number = n.e164 AND s.kept_until > clock_timestamp()
       ) AS cooling
FROM order_binder.numbers AS n
WHERE n.e164 = $1
FOR UPDATE OF n

-- name: wake_registry
-- For everybody who changes numbers or tenants.
SELECT pg_notify('order_binder_registry', '')
