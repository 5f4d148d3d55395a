-- name: begin_month
CREATE TABLE {name} (LIKE calls INCLUDING DEFAULTS)

-- name: fill_month
INSERT INTO {name} (
    call_id, account, pbx_call_id, tenant, row_state, number, caller_hash, caller_sealed, caller_masked, started_at, deed,
    reason, last_deed, last_reason, source, direction, decided_at, decision_ms, data_age_s, binding_revision, order_id,
    order_version, order_status, driver_id, client_id, target_hash, target_sealed, target_masked, target_index, dials,
    steps, ringing_at, answered_at, bridged_at, ended_at, ring_s, talk_s, total_s, disposition, cause, hangup_by, announced,
    line, recording_due, recording, updated_at)
SELECT
    md5('call' || call.n), 'bench-zadarma', 'in_' || md5('pbx' || call.n), 'tenant-' || ride % {tenants}, 'complete',
    '+7495' || lpad((ride % {tenants} * 10 + call.n % 10)::text, 7, '0'),
    driver.hash, driver.sealed, driver.masked, began, 'dial', 'pair',
    CASE call.n % 20 WHEN 0 THEN 'fallback' ELSE 'dial' END, 'pair', 'replica', 'driver_to_client', began, 0.4, 0.8,
    1764000000000000 + call.n, 'o-' || ride, 3, CASE call.n % 3 WHEN 0 THEN 'arrived' ELSE 'accepted' END, 'd-' || driver.n,
    'c-' || client.n, client.hash, client.sealed, client.masked, 0, 1, 1, began + interval '2 s', NULL,
    CASE WHEN call.n % 10 < 7 THEN began + interval '9 s' END, began + interval '60 s', 7,
    CASE WHEN call.n % 10 < 7 THEN 51 - call.n % 40 END, 60, CASE WHEN call.n % 10 < 7 THEN 'answered' ELSE 'no_answer' END, 16, 'caller',
    true, '201', call.n % 10 < 7, CASE WHEN call.n % 10 < 7 THEN CASE call.n % 50 WHEN 0 THEN 'missing' ELSE 'stored' END END,
    began + interval '90 s'
FROM (
    SELECT n, n / 3 AS ride, $3::timestamptz + (n - $1::bigint) * ($4::interval / ($2::bigint - $1)) AS began
    FROM generate_series($1::bigint, $2::bigint - 1) AS n
) AS call
JOIN bench_phones AS driver ON driver.n = ride * 7919 % {phones}
JOIN bench_phones AS client ON client.n = (ride * 104729 + 1) % {phones}

-- name: end_month
ALTER TABLE calls ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{beyond}')

-- name: phones
CREATE TABLE bench_phones (n integer PRIMARY KEY, hash bytea NOT NULL, sealed bytea NOT NULL, masked text NOT NULL)
