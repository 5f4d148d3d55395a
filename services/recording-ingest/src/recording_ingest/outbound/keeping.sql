-- name: save_policy
INSERT INTO tenant_retention AS kept (tenant, revision, recording_days, call_days) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant) DO UPDATE SET
    revision = excluded.revision, recording_days = excluded.recording_days, call_days = excluded.call_days
WHERE kept.revision < excluded.revision

-- name: due
WITH old_audio AS (
    SELECT recordings.tenant, recordings.call_id, recordings.size_bytes
    FROM recordings LEFT JOIN tenant_retention AS policy ON policy.tenant = recordings.tenant
    WHERE state = 'stored' AND stored_at < $1::timestamptz - make_interval(days => coalesce(policy.recording_days, $2))
), old_calls AS (
    SELECT calls.tenant, calls.call_id
    FROM calls LEFT JOIN tenant_retention AS policy ON policy.tenant = calls.tenant
    WHERE started_at < $1::timestamptz - make_interval(days => coalesce(policy.call_days, $3))
), everything AS (
    SELECT tenant, call_id, 1 AS recordings, coalesce(size_bytes, 0) AS bytes, 0 AS calls FROM old_audio
    UNION ALL SELECT tenant, call_id, 0, 0, 1 FROM old_calls
)
SELECT everything.tenant,
    coalesce(sum(recordings) FILTER (WHERE hold.call_id IS NULL), 0)::bigint AS recordings,
    coalesce(sum(bytes) FILTER (WHERE hold.call_id IS NULL), 0)::bigint AS bytes,
    coalesce(sum(calls) FILTER (WHERE hold.call_id IS NULL), 0)::bigint AS calls,
    count(DISTINCT hold.call_id) AS held
FROM everything LEFT JOIN legal_holds AS hold USING (call_id)
GROUP BY everything.tenant ORDER BY everything.tenant NULLS LAST

-- name: let_recordings_go
WITH known AS (
    SELECT old.recording_id FROM tenant_retention AS policy CROSS JOIN LATERAL (
        SELECT recording_id FROM recordings
        WHERE state = 'stored' AND tenant = policy.tenant
            AND stored_at < $1::timestamptz - make_interval(days => policy.recording_days)
            AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = recordings.call_id)
        ORDER BY stored_at LIMIT $3
    ) AS old
), unknown AS (
    SELECT recording_id FROM recordings
    WHERE state = 'stored' AND stored_at < $1::timestamptz - make_interval(days => $2)
        AND NOT EXISTS (SELECT FROM tenant_retention AS policy WHERE policy.tenant = recordings.tenant)
        AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = recordings.call_id)
    ORDER BY stored_at LIMIT $3
), old AS (
    SELECT recording_id FROM known UNION ALL SELECT recording_id FROM unknown LIMIT $3
)
UPDATE recordings SET state = 'deleted', reason = 'retention', audio = NULL, updated_at = clock_timestamp()
FROM old WHERE recordings.recording_id = old.recording_id AND state = 'stored'
RETURNING recordings.recording_id

-- name: old_calls
WITH known AS (
    SELECT old.call_id FROM tenant_retention AS policy CROSS JOIN LATERAL (
        SELECT call_id FROM calls
        WHERE tenant = policy.tenant AND started_at < $1::timestamptz - make_interval(days => policy.call_days)
            AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = calls.call_id)
        ORDER BY started_at LIMIT $3
    ) AS old
), unknown AS (
    SELECT call_id FROM calls
    WHERE started_at < $1::timestamptz - make_interval(days => $2)
        AND NOT EXISTS (SELECT FROM tenant_retention AS policy WHERE policy.tenant = calls.tenant)
        AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = calls.call_id)
    ORDER BY started_at LIMIT $3
)
SELECT call_id FROM known UNION ALL SELECT call_id FROM unknown LIMIT $3

-- name: let_audio_go
UPDATE recordings SET state = 'deleted', reason = 'retention', audio = NULL, lease = NULL, lease_until = NULL,
    next_attempt_at = NULL, updated_at = clock_timestamp()
WHERE call_id = ANY ($1) AND state <> 'deleted'
    AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = recordings.call_id)
RETURNING object_key IS NOT NULL AS had_audio

-- name: lock_without_audio
SELECT call_id FROM call_heads AS head
WHERE call_id = ANY ($1)
    AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = head.call_id)
    AND NOT EXISTS (SELECT FROM recordings WHERE recordings.call_id = head.call_id AND object_key IS NOT NULL)
ORDER BY call_id FOR UPDATE

-- name: drop_recordings
DELETE FROM recordings WHERE call_id = ANY ($1)

-- name: drop_events
DELETE FROM call_events WHERE call_id = ANY ($1)

-- name: drop_calls
DELETE FROM calls USING call_heads AS head
WHERE head.call_id = ANY ($1) AND calls.call_id = head.call_id AND calls.started_at = head.started_at

-- name: drop_heads
DELETE FROM call_heads WHERE call_id = ANY ($1)

-- name: to_purge
SELECT object_key FROM recordings WHERE state = 'deleted' AND object_key IS NOT NULL LIMIT $1

-- name: purged
UPDATE recordings SET object_key = NULL WHERE state = 'deleted' AND object_key = ANY ($1)

-- name: orphans
SELECT key FROM unnest($1::text[]) AS found (key)
WHERE NOT EXISTS (SELECT FROM recordings WHERE object_key = key)
    AND NOT EXISTS (
        SELECT FROM recordings
        WHERE recording_id::text = right(key, 36) AND state IN ('expected', 'ready'))

-- name: hold
SELECT * FROM legal_holds WHERE call_id = $1

-- name: holds
SELECT * FROM legal_holds WHERE $1::text[] IS NULL OR tenant = ANY ($1) ORDER BY since, call_id LIMIT 1000

-- name: place_hold
WITH placed AS (
    INSERT INTO legal_holds (call_id, tenant, reason, actor, since) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (call_id) DO NOTHING
    RETURNING call_id, reason, actor, since
)
INSERT INTO legal_hold_log (call_id, action, reason, actor, at)
SELECT call_id, 'placed', reason, actor, since FROM placed
RETURNING call_id

-- name: lift_hold
WITH lifted AS (
    DELETE FROM legal_holds WHERE call_id = $1 RETURNING call_id, reason
)
INSERT INTO legal_hold_log (call_id, action, reason, actor, at) SELECT call_id, 'lifted', reason, $2, $3 FROM lifted
RETURNING call_id
