-- name: recording
SELECT * FROM recordings WHERE recording_id = $1

-- name: accesses
SELECT noted.*, encode(noted.phone_hash, 'hex') AS phone, coalesce(ended.outcome, noted.outcome) AS final, ended.bytes_sent AS sent, ended.at AS ended_at,
    noted.hash = access_row_hash(noted.previous, noted)
        AND (ended.access_id IS NULL OR ended.hash = access_row_hash(ended.previous, ended)) AS intact
FROM access_log AS noted LEFT JOIN access_log AS ended ON ended.begun = noted.access_id
WHERE noted.recording_id = $1 AND noted.begun IS NULL
ORDER BY noted.access_id

-- name: find_accesses
WITH page AS (
    SELECT * FROM access_log
    WHERE begun IS NULL AND at >= $1 AND at < $2
        AND ($3::text[] IS NULL OR tenant = ANY ($3) OR recording_id IS NULL AND (tenants IS NULL OR tenants && $3))
        AND ($4::text IS NULL OR actor = $4) AND ($5::text IS NULL OR action = $5)
        AND ($6::bytea[] IS NULL OR phone_hash = ANY ($6))
        AND ($7::bigint IS NULL OR (at, access_id) < (SELECT at, access_id FROM access_log WHERE access_id = $7))
    ORDER BY at DESC, access_id DESC LIMIT $8
)
SELECT page.*, encode(page.phone_hash, 'hex') AS phone, coalesce(ended.outcome, page.outcome) AS final, ended.bytes_sent AS sent, ended.at AS ended_at,
    noted.hash = access_row_hash(noted.previous, noted)
        AND (ended.access_id IS NULL OR ended.hash = access_row_hash(ended.previous, ended)) AS intact
FROM page JOIN access_log AS noted USING (access_id) LEFT JOIN access_log AS ended ON ended.begun = page.access_id
ORDER BY page.at DESC, page.access_id DESC

-- name: shown_access
SELECT true FROM access_log
WHERE access_id = $1 AND begun IS NULL
    AND ($2::text[] IS NULL OR tenant = ANY ($2) OR recording_id IS NULL AND (tenants IS NULL OR tenants && $2))

-- name: log_access
INSERT INTO access_log (recording_id, call_id, tenant, actor, action, byte_range, at, auth_method, reason, ip,
    request_id, outcome, bytes_sent, begun, tenants, phone_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
RETURNING access_id
