-- name: events
SELECT account, ce_id, call_id, sealed FROM call_events
WHERE (account, ce_id) > ($1, $2) AND substr(sealed, 1, 2) <> $3
ORDER BY account, ce_id LIMIT 500

-- name: write_events
UPDATE call_events SET sealed = fresh.sealed
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) AS fresh (account, ce_id, old, sealed)
WHERE call_events.account = fresh.account AND call_events.ce_id = fresh.ce_id AND call_events.sealed = fresh.old

-- name: calls
SELECT started_at, call_id, caller_sealed, target_sealed, caller_hash, target_hash FROM calls
WHERE (started_at, call_id) > ($1, $2)
    AND (substr(caller_sealed, 1, 2) <> $3 OR substr(target_sealed, 1, 2) <> $3
        OR substr(caller_hash, 1, 2) <> $4 OR substr(target_hash, 1, 2) <> $4)
ORDER BY started_at, call_id LIMIT 500

-- name: follow
-- Whom an erasure is still to forget, once calls on hold are let go: known by the new hashes too.
UPDATE erasures SET phone_hashes = phone_hashes || more.hashes
FROM (
    SELECT erasure_id, array_agg(DISTINCT fresh.hash) AS hashes
    FROM erasures JOIN unnest($1::bytea[], $2::bytea[]) AS fresh (old, hash) ON fresh.old = ANY (phone_hashes)
    WHERE NOT fresh.hash = ANY (phone_hashes)
    GROUP BY erasure_id
) AS more
WHERE erasures.erasure_id = more.erasure_id

-- name: write_calls
UPDATE calls SET
    caller_hash = fresh.caller_hash, caller_sealed = fresh.caller_sealed,
    target_hash = fresh.target_hash, target_sealed = fresh.target_sealed
FROM unnest($1::timestamptz[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[])
    AS fresh (started_at, call_id, old_caller, old_target, caller_hash, caller_sealed, target_hash, target_sealed)
WHERE calls.started_at = fresh.started_at AND calls.call_id = fresh.call_id
    AND calls.caller_sealed IS NOT DISTINCT FROM fresh.old_caller
    AND calls.target_sealed IS NOT DISTINCT FROM fresh.old_target

-- name: addresses
SELECT recording_id, call_id, url FROM recordings
WHERE recording_id > $1 AND url LIKE 'sealed:%' AND substr(decode(substr(url, 8), 'base64'), 1, 2) <> $2
ORDER BY recording_id LIMIT 500

-- name: write_addresses
UPDATE recordings SET url = fresh.url
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS fresh (recording_id, old, url)
WHERE recordings.recording_id = fresh.recording_id AND recordings.url = fresh.old
