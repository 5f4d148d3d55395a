-- name: links
SELECT access_id, previous, hash, hash IS NOT DISTINCT FROM access_row_hash(previous, access_log) AS intact
FROM access_log ORDER BY access_id

-- name: head
SELECT hash FROM access_chain
