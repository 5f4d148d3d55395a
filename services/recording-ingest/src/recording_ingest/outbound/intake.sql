-- name: known
SELECT * FROM recordings WHERE call_id = $1 ORDER BY recording_id

-- name: lock_call
INSERT INTO call_heads (call_id) VALUES ($1) ON CONFLICT (call_id) DO UPDATE SET call_id = excluded.call_id

-- name: known_locked
SELECT * FROM recordings WHERE call_id = $1 ORDER BY recording_id FOR UPDATE

-- name: tenant_of_call
SELECT calls.tenant
FROM call_heads AS head JOIN calls ON calls.call_id = head.call_id AND calls.started_at = head.started_at
WHERE head.call_id = $1

-- name: take_in
INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, channel, source_id, attempts,
    detail, object_key, sha256, size_bytes, audio, stored_at, revision)
VALUES ($1, $2, $3, $4, $5, 'stored', $6, $7, $8, $9, '', $10, $11, $12, $13, $14, 1)
ON CONFLICT (recording_id) DO UPDATE SET
    state = 'stored', tenant = excluded.tenant, part = excluded.part, channel = excluded.channel,
    source_id = excluded.source_id, next_attempt_at = NULL, announce_by = NULL, reason = NULL, detail = '',
    object_key = excluded.object_key, sha256 = excluded.sha256, size_bytes = excluded.size_bytes,
    audio = excluded.audio, stored_at = excluded.stored_at, lease = NULL, lease_until = NULL,
    revision = recordings.revision + 1, updated_at = clock_timestamp()

-- name: touch_call
UPDATE calls SET updated_at = clock_timestamp() FROM call_heads AS head
WHERE head.call_id = $1 AND calls.call_id = head.call_id AND calls.started_at = head.started_at

-- name: is_erased
SELECT EXISTS (SELECT FROM erased_calls WHERE call_id = $1)
