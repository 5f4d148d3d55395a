-- PBXs that keep a number of bytes: when each recording was made there, and by when newer ones push it out.

ALTER TABLE recordings ADD COLUMN made_at timestamptz;
ALTER TABLE recordings ADD COLUMN pushed_out_at timestamptz;

CREATE OR REPLACE VIEW analytics.recordings AS
SELECT recording_id, call_id, account, tenant, part, state, reason, attempts, expires_at, stored_at, size_bytes,
    (audio ->> 'duration_s')::float8 AS duration_s, updated_at, pushed_out_at
FROM recordings;
