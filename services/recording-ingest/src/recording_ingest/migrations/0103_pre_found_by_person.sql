-- Whom a call was about, to be found without reading every call; what is due, without walking over what others keep
-- for longer. The indexes are built while nobody writes: on a large call log, allow for minutes.

CREATE INDEX calls_of_driver ON calls (tenant, driver_id, started_at, call_id) WHERE driver_id IS NOT NULL;
CREATE INDEX calls_of_client ON calls (tenant, client_id, started_at, call_id) WHERE client_id IS NOT NULL;

DROP INDEX recordings_kept;
CREATE INDEX recordings_kept ON recordings (tenant, stored_at) WHERE state = 'stored';
