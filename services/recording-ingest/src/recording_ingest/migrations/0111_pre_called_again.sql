-- How often a caller who was connected dials the same number again soon, and is then led elsewhere: nothing else in a call
-- tells that it went to the wrong person. By day (UTC) and by why the call went where it went.
CREATE VIEW analytics.daily_called_again AS
SELECT (connected.started_at AT TIME ZONE 'UTC')::date AS day, connected.tenant, connected.reason,
    count(*) AS connected,
    count(again.call_id) AS called_again,
    count(again.call_id) FILTER (WHERE again.last_deed IS DISTINCT FROM 'dial'
        OR (again.order_id, again.direction) IS DISTINCT FROM (connected.order_id, connected.direction)) AS led_elsewhere,
    round(count(again.call_id) / count(*)::numeric, 4)::float8 AS called_again_rate,
    round(count(again.call_id) FILTER (WHERE again.last_deed IS DISTINCT FROM 'dial'
        OR (again.order_id, again.direction) IS DISTINCT FROM (connected.order_id, connected.direction))
        / count(*)::numeric, 4)::float8 AS led_elsewhere_rate
FROM calls AS connected
LEFT JOIN LATERAL (
    SELECT later.call_id, later.last_deed, later.order_id, later.direction FROM calls AS later
    WHERE later.caller_hash = connected.caller_hash AND later.number = connected.number
        AND later.started_at > connected.started_at AND later.started_at <= connected.ended_at + interval '10 minutes'
    ORDER BY later.started_at, later.call_id LIMIT 1
) AS again ON true
WHERE connected.disposition = 'answered' AND connected.last_deed = 'dial' AND connected.caller_hash IS NOT NULL
GROUP BY 1, 2, 3;
