-- name: lease
WITH picked AS (
    SELECT recording_id FROM recordings
    WHERE state IN ('expected', 'ready') AND next_attempt_at <= clock_timestamp()
        AND (lease_until IS NULL OR lease_until < clock_timestamp())
        AND NOT EXISTS (SELECT FROM erased_calls WHERE erased_calls.call_id = recordings.call_id)
    ORDER BY least(expires_at, pushed_out_at), next_attempt_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE recordings SET attempts = attempts + 1, lease = $2, lease_until = clock_timestamp() + $3
FROM picked WHERE recordings.recording_id = picked.recording_id
RETURNING recordings.*

-- name: renew
UPDATE recordings SET lease_until = clock_timestamp() + $3
WHERE recording_id = $1 AND lease = $2
RETURNING recording_id

-- name: finish
WITH written AS (
    UPDATE recordings SET
        state = $3, next_attempt_at = $4, reason = $5, detail = $6, object_key = $7, sha256 = $8, size_bytes = $9,
        audio = $10, stored_at = $11, failures = $12, lease = NULL, lease_until = NULL, updated_at = clock_timestamp(),
        revision = revision + CASE WHEN $3 IN ('stored', 'missing') THEN 1 ELSE 0 END
    WHERE recording_id = $1 AND lease = $2
    RETURNING call_id
), touched AS (
    UPDATE calls SET updated_at = clock_timestamp()
    FROM written JOIN call_heads AS head USING (call_id)
    WHERE calls.call_id = head.call_id AND calls.started_at = head.started_at
)
SELECT call_id FROM written

-- name: add_found
INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, channel, source_id, url,
    announced_channels, announce_by, next_attempt_at, made_at, expires_at, attempts, failures, reason, detail)
SELECT recording_id, call_id, account, pbx_call_id, tenant, state, part, channel, source_id, url,
    announced_channels, announce_by, next_attempt_at, made_at, expires_at, attempts, failures, reason, detail
FROM jsonb_populate_recordset(NULL::recordings, $1)
ON CONFLICT (recording_id) DO NOTHING

-- name: take_turn
INSERT INTO account_turns AS turn (account, next_at) VALUES ($1, clock_timestamp() + $2)
ON CONFLICT (account) DO UPDATE SET next_at = greatest(turn.next_at, clock_timestamp()) + $2
RETURNING next_at - $2 - clock_timestamp()

-- name: untold
SELECT recordings.*, call.order_id, event.traceparent
FROM recordings
LEFT JOIN call_heads AS head USING (call_id)
LEFT JOIN calls AS call ON call.call_id = head.call_id AND call.started_at = head.started_at
LEFT JOIN LATERAL (
    SELECT traceparent FROM call_events
    WHERE call_events.call_id = recordings.call_id AND traceparent IS NOT NULL
    ORDER BY kind = 'call.routed' DESC, received_at LIMIT 1
) AS event ON true
WHERE recordings.revision > recordings.told_revision
ORDER BY recordings.updated_at
LIMIT $1

-- name: mark_told
UPDATE recordings SET told_revision = greatest(told_revision, fact.revision)
FROM unnest($1::uuid[], $2::bigint[]) AS fact (recording_id, revision)
WHERE recordings.recording_id = fact.recording_id

-- name: backlog
SELECT
    count(*) FILTER (WHERE state = 'ready') AS ready,
    count(*) FILTER (WHERE state = 'expected') AS expected,
    count(*) FILTER (WHERE state = 'ready' AND least(expires_at, pushed_out_at)
        < clock_timestamp() + least(interval '1 day', (least(expires_at, pushed_out_at) - made_at) / 2)) AS at_risk
FROM recordings WHERE state IN ('expected', 'ready')

-- name: make_months
SELECT make_month((date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC') + make_interval(months => n))::date)
FROM generate_series(-1, 2) AS n
