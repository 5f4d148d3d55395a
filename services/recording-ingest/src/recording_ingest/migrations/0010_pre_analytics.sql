-- What dashboards read. Each measure is defined here once: per call in `analytics.calls`, summed up in the views below.
CREATE SCHEMA analytics;

-- One row a call, without any phone in full. `is_…` and `answer_s` are what every measure counts.
CREATE VIEW analytics.calls AS
SELECT
    call_id, account, pbx_call_id, tenant, row_state, number, caller_masked AS caller, started_at, deed, reason, last_deed,
    last_reason, source, direction, decided_at, decision_ms, data_age_s, binding_revision, order_id, order_version,
    order_status, driver_id, client_id, target_masked AS target, target_index, dials, steps, ringing_at, answered_at,
    bridged_at, ended_at, ring_s, talk_s, total_s, disposition, cause, hangup_by, announced, line, recording_due,
    recording, updated_at,
    disposition IS NOT NULL AS is_ended,
    disposition IS NOT DISTINCT FROM 'answered' AS is_answered,
    last_deed IS NOT DISTINCT FROM 'fallback' AS is_fallback,
    recording_due AND recording IS NOT DISTINCT FROM 'stored' AS is_recorded,
    recording_due AND recording IS NOT DISTINCT FROM 'missing' AS is_recording_missing,
    CASE WHEN disposition = 'answered'
        THEN extract(epoch FROM coalesce(bridged_at, answered_at) - started_at)::float8 END AS answer_s
FROM calls;

-- Hours in UTC.
CREATE VIEW analytics.hourly AS
SELECT date_trunc('hour', started_at, 'UTC') AS hour, tenant,
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
FROM analytics.calls
GROUP BY 1, 2;

-- Days in UTC; the statistics of the API take a time zone.
CREATE VIEW analytics.daily AS
SELECT (started_at AT TIME ZONE 'UTC')::date AS day, tenant,
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
FROM analytics.calls
GROUP BY 1, 2;

-- The same by the number that was dialled.
CREATE VIEW analytics.daily_by_number AS
SELECT (started_at AT TIME ZONE 'UTC')::date AS day, tenant, number,
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
FROM analytics.calls
GROUP BY 1, 2, 3;

-- The same by why the call went where it went.
CREATE VIEW analytics.daily_by_reason AS
SELECT (started_at AT TIME ZONE 'UTC')::date AS day, tenant, reason,
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
FROM analytics.calls
GROUP BY 1, 2, 3;

-- Did the driver really try? His calls to the client while the order stood at `arrived`, order by order.
CREATE VIEW analytics.contact_attempts AS
SELECT
    tenant, order_id, driver_id,
    count(*) AS calls,
    count(*) FILTER (WHERE ring_s >= 15) AS rang_15_s,
    count(*) FILTER (WHERE ring_s IS NULL) AS ring_unknown,
    count(*) FILTER (WHERE is_answered) AS answered,
    bool_or(is_answered OR ring_s IS NOT NULL AND ring_s >= 15) AS tried,
    min(started_at) AS first_at,
    max(started_at) AS last_at
FROM analytics.calls
WHERE order_status = 'arrived' AND direction = 'driver_to_client' AND order_id IS NOT NULL AND dials > 0
GROUP BY tenant, order_id, driver_id;

-- One row a recording, without where it is kept or came from.
CREATE VIEW analytics.recordings AS
SELECT recording_id, call_id, account, tenant, part, state, reason, attempts, expires_at, stored_at, size_bytes,
    (audio ->> 'duration_s')::float8 AS duration_s, updated_at
FROM recordings;
