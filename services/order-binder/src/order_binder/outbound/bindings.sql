-- name: look
-- Everything that a batch of events is decided on but slots and codes, as of one moment; nothing is locked. One row, of
-- no tenant, is what surrounds them; the others are the orders. A tenant's stamp: a sum grows with whichever of his numbers changed; the highest
-- alone might not, after the clock was set back.
SELECT NULL AS tenant, NULL AS order_id, NULL::bigint AS version, NULL AS status, NULL::bigint AS revision,
       NULL AS document, NULL AS traceparent, NULL::timestamptz AS caused_at, NULL::timestamptz AS updated_at,
       clock_timestamp() AS now, (
        SELECT string_agg(n.e164, ' ')
        FROM order_binder.numbers AS n
        WHERE n.e164 = ANY (string_to_array($3, ' ')) AND NOT n.withdrawn
    ) AS proxies, (
        SELECT string_agg(t.tenant || '/' || t.revision || '/' || coalesce(
            (SELECT count(*) || '/' || sum(n.revision)
             FROM order_binder.numbers AS n WHERE n.tenant = t.tenant AND NOT n.withdrawn), ''), ' ')
        FROM order_binder.tenants AS t
        WHERE t.tenant = ANY (string_to_array($4, ' '))
    ) AS stamps
UNION ALL
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document::text, o.traceparent, o.caused_at, o.updated_at,
       NULL, NULL, NULL
FROM unnest(string_to_array($1, ' '), string_to_array($2, ' ')) AS wanted (tenant, order_id)
JOIN order_binder.orders AS o ON o.tenant = wanted.tenant AND o.order_id = wanted.order_id

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

-- name: held
-- Slots, and codes that somebody has; a code's row names a tenant, and the code as its number.
SELECT number, phone, peer, holds::text, stamp, NULL AS tenant
FROM order_binder.slots
WHERE phone = ANY (string_to_array($1, ' '))
UNION ALL
SELECT s.number, s.phone, s.peer, s.holds::text, s.stamp, NULL
FROM unnest(string_to_array($2, ' '), string_to_array($3, ' ')) AS kept (number, phone)
JOIN order_binder.slots AS s ON s.number = kept.number AND s.phone = kept.phone
UNION ALL
SELECT c.code, NULL, NULL, NULL, NULL, c.tenant
FROM unnest(string_to_array($4, ' '), string_to_array($5, ' ')) AS drawn (tenant, code)
JOIN order_binder.codes AS c ON c.tenant = drawn.tenant AND c.code = drawn.code
WHERE c.held_until > clock_timestamp()

-- name: save
-- One statement for all that a batch writes, each table from one document of rows. A row that somebody else was faster
-- with is not written, and then nothing is: the statement raises. So it does half a minute after the caller looked, as $5
-- says: one that was frozen meanwhile knows of no policy, number or time that came since. Orders are asked about first, so
-- that they are written before slots, and these before codes: whoever locks rows beforehand locks orders, and nobody waits
-- in a circle.
--   orders  follow the revision that was read, or are new. What has nothing to publish counts as published, unless
--           something older, such as a tombstone, is still to be sent.
--   slots   are claimed, guarded by the primary key: where somebody else was faster the stamp has changed.
--   codes   likewise, unless they are one's own or have rested long enough.
--   woken   are the publishers: of the partitions of a few keys, named by their hashes, or all of them.
--   input   never goes back. A process whose clock is ahead must not hide what is still to be done: the database's
--           clock is the limit, also where that clock itself was set back.
WITH given AS MATERIALIZED (
    SELECT n.*
    FROM json_to_recordset($1::text::json) AS n (
        tenant text, order_id text, version bigint, status text, state text, revision bigint, publish boolean,
        follows bigint, key_hash integer, number text, phones text[], document jsonb, traceparent text,
        caused_at timestamptz, updated_at timestamptz, next_change_at timestamptz, purge_after timestamptz)
), claimed_slots AS (
    INSERT INTO order_binder.slots AS s (number, phone, peer, holds, kept_until, follows)
    SELECT n.number, n.phone, n.peer, n.holds, n.kept_until, n.follows
    FROM json_to_recordset($2::text::json) AS n (
        number text, phone text, peer text, holds jsonb, kept_until timestamptz, follows bigint)
    ORDER BY n.number, n.phone
    ON CONFLICT (number, phone) DO UPDATE SET
        peer = excluded.peer,
        holds = excluded.holds,
        kept_until = excluded.kept_until,
        stamp = excluded.stamp,
        follows = excluded.follows
    WHERE s.stamp = excluded.follows
    RETURNING 1
), claimed_codes AS (
    INSERT INTO order_binder.codes AS c (tenant, code, order_id, role, held_until)
    SELECT n.tenant, n.code, n.order_id, n.role, n.until
    FROM json_to_recordset($3::text::json) AS n (
        tenant text, code text, order_id text, role text, until timestamptz)
    ORDER BY n.tenant, n.code
    ON CONFLICT (tenant, code) DO UPDATE SET
        order_id = excluded.order_id, role = excluded.role, held_until = excluded.held_until
    WHERE c.order_id = excluded.order_id AND c.role = excluded.role OR c.held_until <= clock_timestamp()
    RETURNING c.tenant || '/' || c.code AS claimed
), updated AS (
    UPDATE order_binder.orders AS o SET
        version = n.version,
        status = n.status,
        state = n.state,
        revision = n.revision,
        published_revision = CASE
            WHEN n.publish OR o.published_revision <> o.revision THEN o.published_revision ELSE n.revision
        END,
        number = n.number,
        phones = n.phones,
        document = n.document,
        traceparent = n.traceparent,
        caused_at = n.caused_at,
        updated_at = n.updated_at,
        next_change_at = n.next_change_at,
        purge_after = n.purge_after
    FROM given AS n
    WHERE o.tenant = n.tenant AND o.order_id = n.order_id AND o.revision = n.follows
    RETURNING o.key_hash, n.publish
), inserted AS (
    INSERT INTO order_binder.orders (
        tenant, order_id, version, status, state, revision, published_revision, key_hash,
        number, phones, document, traceparent, caused_at, updated_at, next_change_at, purge_after
    )
    SELECT n.tenant, n.order_id, n.version, n.status, n.state, n.revision,
           CASE WHEN n.publish THEN 0 ELSE n.revision END, n.key_hash,
           n.number, n.phones, n.document, n.traceparent,
           n.caused_at, n.updated_at, n.next_change_at, n.purge_after
    FROM given AS n
    WHERE n.follows IS NULL
    ON CONFLICT (tenant, order_id) DO NOTHING
    RETURNING key_hash, published_revision <> revision AS publish
), written AS (
    SELECT key_hash, publish FROM updated UNION ALL SELECT key_hash, publish FROM inserted
), noted AS (
    INSERT INTO order_binder.input_progress AS p (partition, as_of, next_offset, updated_at)
    SELECT n.partition, least(n.as_of, clock_timestamp()), n.next_offset, clock_timestamp()
    FROM json_to_recordset($4::text::json) AS n (partition integer, as_of timestamptz, next_offset bigint)
    ORDER BY n.partition
    ON CONFLICT (partition) DO UPDATE SET
        as_of = least(greatest(p.as_of, excluded.as_of), clock_timestamp()),
        next_offset = greatest(p.next_offset, excluded.next_offset),
        updated_at = excluded.updated_at
)
SELECT
    CASE
        WHEN $5::timestamptz < clock_timestamp() - interval '30 seconds'
            OR (SELECT count(*) FROM written) <> json_array_length($1::text::json)
            OR (SELECT count(*) FROM claimed_slots) <> json_array_length($2::text::json)
            OR (SELECT count(*) FROM claimed_codes) <> json_array_length($3::text::json)
        THEN order_binder.lost_race((
            SELECT coalesce(string_agg(n.tenant || '/' || n.code, ' '), '')
            FROM json_to_recordset($3::text::json) AS n (tenant text, code text)
            WHERE n.tenant || '/' || n.code NOT IN (SELECT claimed FROM claimed_codes)
        ))
    END,
    (SELECT pg_notify(
        'order_binder_unpublished', CASE WHEN count(*) <= 50 THEN string_agg(key_hash::text, ' ') ELSE '' END
    ) FROM written WHERE publish HAVING count(*) > 0) AS woken

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

-- name: shown_orders
-- One row at least, which has the time alone where no order is known.
SELECT around.now, o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM (SELECT clock_timestamp() AS now) AS around
LEFT JOIN (
    unnest($1::text[], $2::text[]) AS wanted (tenant, order_id)
    JOIN order_binder.orders AS o ON o.tenant = wanted.tenant AND o.order_id = wanted.order_id
) ON true

-- name: find_orders
-- A code that rests after its owner left belongs to nobody: it finds no order, though its row still names one.
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.orders AS o
WHERE o.tenant = $1 AND o.number IS NOT NULL AND o.phones @> ARRAY[$2::text]
UNION
SELECT o.tenant, o.order_id, o.version, o.status, o.revision, o.document, o.traceparent, o.caused_at, o.updated_at
FROM order_binder.codes AS c
JOIN order_binder.orders AS o ON o.tenant = c.tenant AND o.order_id = c.order_id
WHERE c.tenant = $1 AND c.code = $3 AND o.number IS NOT NULL
  AND c.code IN (o.document #>> '{allocation,driver_code}', o.document #>> '{allocation,client_code}')
