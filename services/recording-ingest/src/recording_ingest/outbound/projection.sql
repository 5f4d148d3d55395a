-- name: keep_events
INSERT INTO call_events (account, ce_id, call_id, kind, at, received_at, traceparent, data, sealed)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[],
    $8::jsonb[], $9::bytea[])
    AS event (account, ce_id, call_id, kind, at, received_at, traceparent, data, sealed)
ORDER BY account, ce_id
ON CONFLICT (account, ce_id) DO UPDATE SET
    call_id = excluded.call_id, kind = excluded.kind, at = excluded.at, received_at = excluded.received_at,
    traceparent = excluded.traceparent, data = excluded.data, sealed = excluded.sealed
WHERE excluded.received_at < call_events.received_at
RETURNING account, ce_id

-- name: lock_calls
INSERT INTO call_heads (call_id)
SELECT call_id FROM unnest($1::text[]) AS call (call_id) ORDER BY call_id
ON CONFLICT (call_id) DO UPDATE SET call_id = excluded.call_id
RETURNING call_id, started_at

-- name: stories
SELECT call_id, kind, ce_id, data, sealed FROM call_events WHERE call_id = ANY ($1) AND ce_id <> ALL ($2)

-- name: ledger
SELECT * FROM recordings WHERE call_id = ANY ($1) ORDER BY recording_id FOR UPDATE

-- name: drop_moved
DELETE FROM calls USING unnest($1::text[], $2::timestamptz[]) AS old (call_id, started_at)
WHERE calls.call_id = old.call_id AND calls.started_at = old.started_at

-- name: move_heads
UPDATE call_heads AS head SET started_at = fresh.started_at
FROM unnest($1::text[], $2::timestamptz[]) AS fresh (call_id, started_at)
WHERE head.call_id = fresh.call_id

-- name: save_calls
INSERT INTO calls SELECT filled.*
FROM jsonb_array_elements($1) AS fresh
CROSS JOIN LATERAL jsonb_populate_record(NULL::calls, fresh || jsonb_build_object(
    'updated_at', clock_timestamp(), 'recording', worst_recording(fresh ->> 'call_id'))) AS filled
ON CONFLICT (started_at, call_id) DO UPDATE SET
    account = excluded.account, pbx_call_id = excluded.pbx_call_id, tenant = excluded.tenant,
    row_state = excluded.row_state, number = excluded.number, caller_hash = excluded.caller_hash,
    caller_sealed = excluded.caller_sealed, caller_masked = excluded.caller_masked, deed = excluded.deed,
    reason = excluded.reason, last_deed = excluded.last_deed, last_reason = excluded.last_reason,
    source = excluded.source, direction = excluded.direction, decided_at = excluded.decided_at,
    decision_ms = excluded.decision_ms, data_age_s = excluded.data_age_s, binding_revision = excluded.binding_revision,
    order_id = excluded.order_id, order_version = excluded.order_version, order_status = excluded.order_status,
    driver_id = excluded.driver_id, client_id = excluded.client_id, target_hash = excluded.target_hash,
    target_sealed = excluded.target_sealed, target_masked = excluded.target_masked,
    target_index = excluded.target_index, dials = excluded.dials, steps = excluded.steps,
    ringing_at = excluded.ringing_at, answered_at = excluded.answered_at, bridged_at = excluded.bridged_at,
    ended_at = excluded.ended_at, ring_s = excluded.ring_s, talk_s = excluded.talk_s, total_s = excluded.total_s,
    disposition = excluded.disposition, cause = excluded.cause, hangup_by = excluded.hangup_by,
    announced = excluded.announced, line = excluded.line, recording_due = excluded.recording_due,
    updated_at = excluded.updated_at

-- name: save_recordings
INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, channel, source_id, url,
    announced_channels, announce_by, next_attempt_at, made_at, expires_at, attempts, failures, reason, detail)
SELECT recording_id, call_id, account, pbx_call_id, tenant, state, part, channel, source_id, url,
    announced_channels, announce_by, next_attempt_at, made_at, expires_at, attempts, failures, reason, detail
FROM jsonb_populate_recordset(NULL::recordings, $1)
ON CONFLICT (recording_id) DO UPDATE SET
    tenant = excluded.tenant, state = excluded.state, part = excluded.part, source_id = excluded.source_id,
    url = excluded.url, announced_channels = excluded.announced_channels, announce_by = excluded.announce_by,
    next_attempt_at = excluded.next_attempt_at, made_at = excluded.made_at, expires_at = excluded.expires_at,
    attempts = excluded.attempts, failures = excluded.failures, reason = excluded.reason, detail = excluded.detail, lease = NULL, lease_until = NULL,
    updated_at = now()

-- name: calls_after
SELECT DISTINCT call_id FROM call_events WHERE call_id > $1 ORDER BY call_id LIMIT $2

-- name: rows
SELECT calls.* FROM call_heads AS head
JOIN calls ON calls.call_id = head.call_id AND calls.started_at = head.started_at
WHERE head.call_id = ANY ($1)
