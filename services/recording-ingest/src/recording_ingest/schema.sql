-- The schema recording_ingest as all migrations together leave it (a test compares). Run with it first in the search path.

-- Each event once. What is personal in it (phones, labels, addresses of files) stands in `sealed` alone.
CREATE TABLE call_events (
    account text NOT NULL,
    ce_id text NOT NULL,
    call_id text NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    traceparent text,
    data jsonb NOT NULL,
    sealed bytea,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, ce_id)
);
CREATE INDEX call_events_of_call ON call_events (call_id);

-- One row a call, whatever its month: what a projection locks, and where the call's row is.
CREATE TABLE call_heads (
    call_id text PRIMARY KEY,
    started_at timestamptz
);

-- The fold of a call's events. Phones: a keyed hash to find by, a ciphertext to read from, four digits to look at.
CREATE TABLE calls (
    call_id text NOT NULL,
    account text NOT NULL,
    pbx_call_id text NOT NULL,
    tenant text,
    row_state text NOT NULL,
    number text,
    caller_hash bytea,
    caller_sealed bytea,
    caller_masked text,
    started_at timestamptz NOT NULL,
    deed text,
    reason text,
    last_deed text,
    last_reason text,
    source text,
    direction text,
    decided_at timestamptz,
    decision_ms double precision,
    data_age_s double precision,
    binding_revision bigint,
    order_id text,
    order_version bigint,
    order_status text,
    driver_id text,
    client_id text,
    target_hash bytea,
    target_sealed bytea,
    target_masked text,
    target_index integer,
    dials integer NOT NULL,
    steps integer NOT NULL,
    ringing_at timestamptz,
    answered_at timestamptz,
    bridged_at timestamptz,
    ended_at timestamptz,
    ring_s double precision,
    talk_s double precision,
    total_s double precision,
    disposition text,
    cause integer,
    hangup_by text,
    announced boolean,
    line text,
    recording_due boolean NOT NULL,
    recording text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (started_at, call_id)
) PARTITION BY RANGE (started_at);
CREATE TABLE calls_other PARTITION OF calls DEFAULT;
CREATE INDEX calls_of_tenant ON calls (tenant, started_at, call_id);
CREATE INDEX calls_of_order ON calls (tenant, order_id, started_at, call_id);
CREATE INDEX calls_of_number ON calls (number, started_at, call_id);
CREATE INDEX calls_of_caller ON calls (caller_hash, started_at, call_id);
CREATE INDEX calls_of_target ON calls (target_hash, started_at, call_id);
CREATE INDEX calls_of_driver ON calls (tenant, driver_id, started_at, call_id) WHERE driver_id IS NOT NULL;
CREATE INDEX calls_of_client ON calls (tenant, client_id, started_at, call_id) WHERE client_id IS NOT NULL;
-- BRIN: rows change within minutes of their birth, and an update need not touch the other indexes.
CREATE INDEX calls_updated ON calls USING brin (updated_at) WITH (pages_per_range = 16, autosummarize = on);

-- Makes the partition of the month that begins on `month` (UTC), moving what the default partition holds of it.
CREATE FUNCTION make_month(month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'calls_' || to_char(month, 'YYYY_MM');
    first timestamptz := month::timestamp AT TIME ZONE 'UTC';
    beyond timestamptz := (month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE calls IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE calls INCLUDING ALL) WITH (fillfactor = 80)', name);
    EXECUTE format('WITH moved AS (DELETE FROM calls_other WHERE started_at >= %L AND started_at < %L'
        ' RETURNING *) INSERT INTO %I SELECT * FROM moved', first, beyond, name);
    EXECUTE format('ALTER TABLE calls ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, first, beyond);
    RETURN true;
END $$;

-- Ledger and queue in one: a row is leased while `lease_until` lies ahead, and untold while the revisions differ.
CREATE TABLE recordings (
    recording_id uuid PRIMARY KEY,
    call_id text NOT NULL,
    account text NOT NULL,
    pbx_call_id text NOT NULL,
    tenant text,
    state text NOT NULL CHECK (state IN ('expected', 'ready', 'stored', 'missing', 'deleted')),
    part integer NOT NULL,
    source_id text,
    url text,
    announced_channels integer,
    next_attempt_at timestamptz,
    expires_at timestamptz,
    attempts integer NOT NULL,
    reason text,
    detail text NOT NULL,
    object_key text,
    sha256 text,
    size_bytes bigint,
    audio jsonb,
    stored_at timestamptz,
    lease uuid,
    lease_until timestamptz,
    revision bigint NOT NULL DEFAULT 0,
    told_revision bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    channel text CHECK (channel IN ('both', 'caller', 'callee')),
    announce_by timestamptz,
    failures integer NOT NULL DEFAULT 0,
    made_at timestamptz,
    pushed_out_at timestamptz,
    CHECK (state <> 'stored' OR (object_key IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL)),
    CHECK (state <> 'missing' OR reason IS NOT NULL)
);
CREATE INDEX recordings_of_call ON recordings (call_id);
-- What vanishes first at its PBX, by either bound; and what an account's PBX holds, in the order in which it drops it.
CREATE INDEX recordings_vanishing ON recordings (least(expires_at, pushed_out_at), next_attempt_at)
    WHERE state IN ('expected', 'ready');
CREATE INDEX recordings_waiting ON recordings (account, made_at)
    WHERE state IN ('expected', 'ready');
CREATE INDEX recordings_made ON recordings (account, made_at) WHERE made_at IS NOT NULL;
CREATE INDEX recordings_untold ON recordings (updated_at) WHERE revision > told_revision;
CREATE INDEX recordings_of_object ON recordings (object_key) WHERE object_key IS NOT NULL;
CREATE INDEX recordings_kept ON recordings (tenant, stored_at) WHERE state = 'stored';
CREATE INDEX recordings_to_purge ON recordings (recording_id) WHERE state = 'deleted' AND object_key IS NOT NULL;

-- A call's recording in one word: the worst state of its parts, null where there is none.
CREATE FUNCTION worst_recording(wanted text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT state FROM recordings WHERE call_id = wanted
    ORDER BY array_position('{missing,expected,ready,stored}'::text[], state) LIMIT 1
$$;

-- Keeps calls.recording true whoever changes the ledger, and lets incremental pulls see the row again.
CREATE FUNCTION sum_up_recordings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE calls SET recording = sum.recording, updated_at = clock_timestamp()
    FROM (
        SELECT head.call_id, head.started_at, worst_recording(head.call_id) AS recording
        FROM (SELECT DISTINCT call_id FROM changed) AS touched JOIN call_heads AS head USING (call_id)
    ) AS sum
    WHERE calls.call_id = sum.call_id AND calls.started_at = sum.started_at
        AND calls.recording IS DISTINCT FROM sum.recording;
    RETURN NULL;
END $$;
CREATE TRIGGER recordings_come AFTER INSERT ON recordings
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION sum_up_recordings();
CREATE TRIGGER recordings_change AFTER UPDATE ON recordings
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION sum_up_recordings();
CREATE TRIGGER recordings_go AFTER DELETE ON recordings
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION sum_up_recordings();

-- Whose turn it is to ask an account's API.
CREATE TABLE account_turns (
    account text PRIMARY KEY,
    next_at timestamptz NOT NULL
);

-- Append-only. A row is committed before the first byte leaves.
CREATE TABLE access_log (
    access_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recording_id uuid,
    call_id text,
    tenant text,
    actor text NOT NULL,
    action text NOT NULL,
    byte_range text,
    at timestamptz NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    auth_method text,
    reason text,
    ip text,
    request_id text,
    -- Null in rows of before; whose hash covers what they had.
    outcome text CHECK (outcome IN ('granted', 'refused', 'served', 'cut', 'lost')),
    bytes_sent bigint,
    -- The row that this one tells the end of.
    begun bigint,
    -- Whose calls were asked for, where it was no recording; null: those of every tenant.
    tenants text[],
    -- Whose phone was looked for, hashed as in `calls`.
    phone_hash bytea
);
CREATE INDEX access_log_of_recording ON access_log (recording_id, at);
-- What became of an access; who was given what, and everything in order of time.
CREATE INDEX access_log_of_begun ON access_log (begun) WHERE begun IS NOT NULL;
CREATE INDEX access_log_of_actor ON access_log (actor, at, access_id);
CREATE INDEX access_log_by_time ON access_log (at, access_id);
-- Who looked for one person.
CREATE INDEX access_log_of_phone ON access_log (phone_hash, at, access_id) WHERE phone_hash IS NOT NULL;

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
    (audio ->> 'duration_s')::float8 AS duration_s, updated_at, pushed_out_at
FROM recordings;

-- Each row's hash covers its content and the hash of the row before it, so that a row changed or taken away shows.
CREATE TABLE access_chain (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    hash bytea NOT NULL
);
INSERT INTO access_chain (hash) VALUES (sha256('fareline access log'));

CREATE FUNCTION access_row_hash(row_before bytea, noted access_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_before || convert_to((CASE
        WHEN noted.recording_id IS NULL OR noted.tenants IS NOT NULL OR noted.phone_hash IS NOT NULL
        THEN jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at), noted.auth_method, noted.reason, noted.ip,
            noted.request_id, noted.outcome, noted.bytes_sent, noted.begun, noted.tenants, encode(noted.phone_hash, 'hex'))
        WHEN noted.outcome IS NULL
        THEN jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at))
        ELSE jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at), noted.auth_method, noted.reason, noted.ip,
            noted.request_id, noted.outcome, noted.bytes_sent, noted.begun)
        END)::text, 'UTF8'))
$$;

CREATE FUNCTION chain_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT hash INTO STRICT NEW.previous FROM access_chain FOR UPDATE;
    NEW.access_id := nextval(pg_get_serial_sequence('access_log', 'access_id'));
    NEW.hash := access_row_hash(NEW.previous, NEW);
    UPDATE access_chain SET hash = NEW.hash;
    RETURN NEW;
END $$;
CREATE TRIGGER access_log_chained BEFORE INSERT ON access_log FOR EACH ROW EXECUTE FUNCTION chain_access();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What each tenant's policy says of how long to keep things; the newest revision read counts.
CREATE TABLE tenant_retention (
    tenant text PRIMARY KEY,
    revision bigint NOT NULL,
    recording_days integer NOT NULL,
    call_days integer NOT NULL
);

-- A call under legal hold keeps everything, whatever retention or erasure say.
CREATE TABLE legal_holds (
    call_id text PRIMARY KEY,
    tenant text,
    reason text NOT NULL,
    actor text NOT NULL,
    since timestamptz NOT NULL
);

-- Who put calls on hold and who let them go.
CREATE TABLE legal_hold_log (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id text NOT NULL,
    action text NOT NULL CHECK (action IN ('placed', 'lifted')),
    reason text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL
);
CREATE TRIGGER legal_hold_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON legal_hold_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Receipts. Whom it was about is known only until the topics have forgotten, so that what arrives late is erased too.
CREATE TABLE erasures (
    erasure_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    topics_clear_at timestamptz NOT NULL,
    phone_hashes bytea[] NOT NULL,
    driver_id text,
    client_id text,
    calls integer NOT NULL DEFAULT 0,
    recordings integer NOT NULL DEFAULT 0,
    held integer NOT NULL DEFAULT 0,
    finished_at timestamptz
);

-- Calls out of which somebody was taken: nothing of them is fetched or taken in any more.
CREATE TABLE erased_calls (
    call_id text PRIMARY KEY,
    erasure_id uuid NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX erased_calls_by_time ON erased_calls (at);
