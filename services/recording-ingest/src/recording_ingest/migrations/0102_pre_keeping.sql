-- How long things are kept, what is held, whom we were asked to forget.

ALTER TABLE recordings DROP CONSTRAINT recordings_state_check;
ALTER TABLE recordings ADD CONSTRAINT recordings_state_check
    CHECK (state IN ('expected', 'ready', 'stored', 'missing', 'deleted'));
CREATE INDEX recordings_of_object ON recordings (object_key) WHERE object_key IS NOT NULL;
CREATE INDEX recordings_kept ON recordings (stored_at) WHERE state = 'stored';
CREATE INDEX recordings_to_purge ON recordings (recording_id) WHERE state = 'deleted' AND object_key IS NOT NULL;

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
