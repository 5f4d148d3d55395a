-- name: recording
SELECT * FROM recordings WHERE recording_id = $1

-- name: accesses
SELECT *, hash = access_row_hash(previous, access_log) AS intact FROM access_log
WHERE recording_id = $1 ORDER BY access_id

-- name: log_access
INSERT INTO access_log (recording_id, call_id, tenant, actor, action, byte_range, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
