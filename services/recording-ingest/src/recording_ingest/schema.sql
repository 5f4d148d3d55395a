-- The schema recording_ingest as all migrations together leave it (a test compares). Run with it first in the search path.

CREATE TABLE call_events (
    account text NOT NULL,
    ce_id text NOT NULL,
    call_id text NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    traceparent text,
    data jsonb NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, ce_id)
);
CREATE INDEX call_events_of_call ON call_events (call_id);

-- One row a call, whatever its month: what a projection locks, and where the call's row is.
CREATE TABLE call_heads (
    call_id text PRIMARY KEY,
    started_at timestamptz
);

CREATE TABLE calls (
    call_id text NOT NULL,
    account text NOT NULL,
    pbx_call_id text NOT NULL,
    tenant text,
    row_state text NOT NULL,
    number text,
    caller text,
    started_at timestamptz NOT NULL,
    deed text,
    reason text,
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
    target text,
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
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (started_at, call_id)
) PARTITION BY RANGE (started_at);
CREATE TABLE calls_other PARTITION OF calls DEFAULT;
CREATE INDEX calls_of_tenant ON calls (tenant, started_at, call_id);
CREATE INDEX calls_of_order ON calls (tenant, order_id, started_at);
CREATE INDEX calls_of_number ON calls (number, started_at);
CREATE INDEX calls_updated ON calls (updated_at);

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
    EXECUTE format('CREATE TABLE %I (LIKE calls INCLUDING ALL)', name);
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
    channel text CHECK (channel IN ('both', 'caller', 'callee')),
    announce_by timestamptz,
    CHECK (state <> 'stored' OR (object_key IS NOT NULL AND sha256 IS NOT NULL AND size_bytes IS NOT NULL)),
    CHECK (state <> 'missing' OR reason IS NOT NULL)
);
CREATE INDEX recordings_of_call ON recordings (call_id);
CREATE INDEX recordings_due ON recordings (expires_at, next_attempt_at)
    WHERE state IN ('expected', 'ready');
CREATE INDEX recordings_untold ON recordings (updated_at) WHERE revision > told_revision;

-- Whose turn it is to ask an account's API.
CREATE TABLE account_turns (
    account text PRIMARY KEY,
    next_at timestamptz NOT NULL
);

-- Append-only. A row is committed before the first byte leaves.
CREATE TABLE access_log (
    access_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recording_id uuid NOT NULL,
    call_id text NOT NULL,
    tenant text,
    actor text NOT NULL,
    action text NOT NULL,
    byte_range text,
    at timestamptz NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL
);
CREATE INDEX access_log_of_recording ON access_log (recording_id, at);

-- Each row's hash covers its content and the hash of the row before it, so that a row changed or taken away shows.
CREATE TABLE access_chain (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    hash bytea NOT NULL
);
INSERT INTO access_chain (hash) VALUES (sha256('fareline access log'));

CREATE FUNCTION access_row_hash(row_before bytea, noted access_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_before || convert_to(jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor,
        noted.action, noted.byte_range, extract(epoch FROM noted.at))::text, 'UTF8'))
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
