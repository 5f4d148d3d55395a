-- How well calls were served, by day (UTC): what a call centre's report asks for, beside the measures of `daily`.
CREATE VIEW analytics.daily_service AS
SELECT (started_at AT TIME ZONE 'UTC')::date AS day, tenant,
    count(*) FILTER (WHERE is_ended) AS ended,
    count(*) FILTER (WHERE is_ended AND disposition <> 'failed') AS effective,
    round(count(*) FILTER (WHERE is_ended AND disposition <> 'failed')
        / nullif(count(*) FILTER (WHERE is_ended), 0)::numeric, 4)::float8 AS effective_rate,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY talk_s) AS talk_s_p50,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY talk_s) AS talk_s_p90,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ringing_at - started_at)::float8) AS dial_s_p50,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM ringing_at - started_at)::float8) AS dial_s_p90,
    count(*) FILTER (WHERE is_ended AND NOT is_answered AND last_deed IS DISTINCT FROM 'reject') AS missed,
    count(*) FILTER (WHERE disposition = 'cancelled') AS abandoned,
    count(*) FILTER (WHERE disposition = 'cancelled' AND total_s < 5) AS abandoned_within_5_s,
    round(count(*) FILTER (WHERE answer_s <= 20)
        / nullif(count(*) FILTER (WHERE is_answered OR disposition = 'cancelled' AND total_s >= 5), 0)::numeric, 4)::float8
        AS served_within_20_s,
    count(*) FILTER (WHERE order_id IS NOT NULL) AS with_order,
    round(count(*) FILTER (WHERE order_id IS NOT NULL)
        / nullif(count(*) FILTER (WHERE reason NOT IN ('desk', 'unknown_number')), 0)::numeric, 4)::float8
        AS with_order_rate,
    count(*) FILTER (WHERE source = 'default') AS by_default,
    round(count(*) FILTER (WHERE source = 'default') / count(*)::numeric, 4)::float8 AS by_default_rate
FROM analytics.calls
GROUP BY 1, 2;

-- What became of the audio that is due, by how long ago the call ended: young calls are awaited, not lost.
CREATE VIEW analytics.recording_coverage AS
SELECT tenant,
    CASE WHEN now() - ended_at < interval '15 minutes' THEN '0-15 min' WHEN now() - ended_at < interval '1 hour' THEN '15-60 min'
        WHEN now() - ended_at < interval '1 day' THEN '1-24 h' WHEN now() - ended_at < interval '31 days' THEN '1-31 d'
        ELSE 'older' END AS age,
    count(*) AS due,
    count(*) FILTER (WHERE is_recorded) AS stored,
    count(*) FILTER (WHERE is_recording_missing) AS missing,
    round(count(*) FILTER (WHERE is_recorded) / count(*)::numeric, 4)::float8 AS stored_rate
FROM analytics.calls
WHERE recording_due AND ended_at IS NOT NULL
GROUP BY 1, 2;
