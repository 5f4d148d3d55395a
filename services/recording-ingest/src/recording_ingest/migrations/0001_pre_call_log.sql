-- The call log: events as they came, one row a call folded from them, the ledger of recordings, and who listened.

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
    state text NOT NULL CHECK (state IN ('expected', 'ready', 'stored', 'missing')),
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
    CHECK (state <> 'stored' OR (object_key IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL)),
    CHECK (state <> 'missing' OR reason IS NOT NULL)
);
CREATE INDEX recordings_of_call ON recordings (call_id);
CREATE INDEX recordings_due ON recordings (expires_at, next_attempt_at)
    WHERE state IN ('expected', 'ready');
CREATE INDEX recordings_untold ON recordings (updated_at) WHERE revision > told_revision;

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

-- Append-only. A row is committed before the first byte leaves.
CREATE TABLE access_log (
    access_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recording_id uuid NOT NULL,
    call_id text NOT NULL,
    tenant text,
    actor text NOT NULL,
    action text NOT NULL,
    byte_range text,
    at timestamptz NOT NULL
);
CREATE INDEX access_log_of_recording ON access_log (recording_id, at);
