-- name: columns
call_id, account, pbx_call_id, tenant, row_state, number, caller_masked AS caller, started_at, deed, reason, last_deed,
last_reason, source, direction, decided_at, decision_ms, data_age_s, binding_revision, order_id, order_version,
order_status, driver_id, client_id, target_masked AS target, target_index, dials, steps, ringing_at, answered_at,
bridged_at, ended_at, ring_s, talk_s, total_s, disposition, cause, hangup_by, announced, line, recording_due, recording,
updated_at

-- name: newest_first
ORDER BY started_at DESC, call_id DESC

-- name: since
started_at >= {}

-- name: until
started_at < {}

-- name: after
started_at <= {0} AND (started_at, call_id) < ({0}, {1})

-- name: tenant
tenant = {}

-- name: tenants
tenant = ANY ({}::text[])

-- name: number
number = {}

-- name: order_id
order_id = {}

-- name: disposition
disposition = {}

-- name: reason
reason = {}

-- name: source
source = {}

-- name: direction
direction = {}

-- name: recording
coalesce(recording, 'none') = {}

-- name: driver_id
driver_id = {}

-- name: client_id
client_id = {}

-- name: min_talk_s
talk_s >= {}

-- name: updated_since
updated_at >= {}

-- name: caller
caller_hash = ANY ({}::bytea[])

-- name: party
(caller_hash = ANY ({0}::bytea[]) OR target_hash = ANY ({0}::bytea[]))

-- name: call
SELECT calls.* FROM call_heads AS head
JOIN calls ON calls.call_id = head.call_id AND calls.started_at = head.started_at
WHERE head.call_id = $1

-- name: attempt
row_number() OVER (PARTITION BY order_status, direction ORDER BY started_at, call_id) AS attempt

-- name: of_order
WHERE tenant = $1 AND order_id = $2 ORDER BY started_at, call_id LIMIT 1000

-- name: story
SELECT call_id, kind, ce_id, data, sealed FROM call_events WHERE call_id = $1

-- name: recordings
SELECT * FROM recordings WHERE call_id = $1 ORDER BY part, source_id

-- name: hour
date_trunc('hour', started_at, {0})

-- name: day
to_char(started_at AT TIME ZONE {0}, 'YYYY-MM-DD')

-- name: by_number
number

-- name: by_reason
reason

-- name: by_disposition
disposition

-- name: measures
count(*) AS attempts,
count(*) FILTER (WHERE is_ended) AS ended,
count(*) FILTER (WHERE is_answered) AS answered,
round(count(*) FILTER (WHERE is_answered) / nullif(count(*) FILTER (WHERE is_ended), 0)::numeric, 4)::float8
    AS answer_rate,
coalesce(sum(talk_s), 0) AS talk_s,
avg(talk_s) AS talk_s_mean,
percentile_cont(0.5) WITHIN GROUP (ORDER BY answer_s) AS answer_s_p50,
percentile_cont(0.9) WITHIN GROUP (ORDER BY answer_s) AS answer_s_p90,
count(*) FILTER (WHERE is_fallback) AS fallbacks,
round(count(*) FILTER (WHERE is_fallback) / count(*)::numeric, 4)::float8 AS fallback_rate,
count(*) FILTER (WHERE recording_due) AS recordings_due,
count(*) FILTER (WHERE is_recorded) AS recordings_stored,
count(*) FILTER (WHERE is_recording_missing) AS recordings_missing,
round(count(*) FILTER (WHERE is_recorded)
    / nullif(count(*) FILTER (WHERE is_recorded OR is_recording_missing), 0)::numeric, 4)::float8 AS recording_coverage
