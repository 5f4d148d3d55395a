-- name: page
SELECT calls.*, worst.recording
FROM calls
LEFT JOIN LATERAL (
    SELECT (array_agg(state ORDER BY array_position('{missing,expected,ready,stored}'::text[], state)))[1] AS recording
    FROM recordings WHERE recordings.call_id = calls.call_id
) AS worst ON true
WHERE started_at >= $1 AND started_at < $2
    AND ($3::timestamptz IS NULL OR (started_at, calls.call_id) < ($3, $4::text))
    AND ($5::text[] IS NULL OR tenant = ANY ($5))
    AND ($6::text IS NULL OR number = $6)
    AND ($7::text IS NULL OR order_id = $7)
    AND ($8::text IS NULL OR disposition = $8)
    AND ($9::text IS NULL OR reason = $9)
    AND ($10::text IS NULL OR source = $10)
    AND ($11::text IS NULL OR direction = $11)
    AND ($12::text IS NULL OR driver_id = $12)
    AND ($13::text IS NULL OR client_id = $13)
    AND ($14::float8 IS NULL OR talk_s >= $14)
    AND ($15::timestamptz IS NULL OR updated_at >= $15)
    AND ($16::text IS NULL OR coalesce(worst.recording, 'none') = $16)
ORDER BY started_at DESC, calls.call_id DESC
LIMIT $17

-- name: call
SELECT calls.*, worst.recording
FROM call_heads AS head
JOIN calls ON calls.call_id = head.call_id AND calls.started_at = head.started_at
LEFT JOIN LATERAL (
    SELECT (array_agg(state ORDER BY array_position('{missing,expected,ready,stored}'::text[], state)))[1] AS recording
    FROM recordings WHERE recordings.call_id = calls.call_id
) AS worst ON true
WHERE head.call_id = $1

-- name: calls_of_order
SELECT calls.*, worst.recording
FROM calls
LEFT JOIN LATERAL (
    SELECT (array_agg(state ORDER BY array_position('{missing,expected,ready,stored}'::text[], state)))[1] AS recording
    FROM recordings WHERE recordings.call_id = calls.call_id
) AS worst ON true
WHERE tenant = $1 AND order_id = $2
ORDER BY started_at, calls.call_id
LIMIT 1000

-- name: story
SELECT kind, ce_id, data FROM call_events WHERE call_id = $1

-- name: recordings_of_call
SELECT * FROM recordings WHERE call_id = $1 ORDER BY part, source_id

-- name: recording
SELECT * FROM recordings WHERE recording_id = $1

-- name: log_access
INSERT INTO access_log (recording_id, call_id, tenant, actor, action, byte_range, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
