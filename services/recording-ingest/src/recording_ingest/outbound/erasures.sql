-- name: ask
INSERT INTO erasures (erasure_id, tenant, actor, asked_at, topics_clear_at, phone_hashes, driver_id, client_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: receipt
SELECT erasure_id::text, tenant, actor, asked_at, topics_clear_at, calls, recordings, held, finished_at
FROM erasures WHERE erasure_id = $1

-- name: open
SELECT erasure_id::text FROM erasures WHERE finished_at IS NULL OR held > 0 OR topics_clear_at > $1 ORDER BY asked_at

-- name: forget_whom
UPDATE erasures SET phone_hashes = '{}', driver_id = NULL, client_id = NULL
WHERE topics_clear_at <= $1 AND finished_at IS NOT NULL AND held = 0
    AND (phone_hashes <> '{}' OR driver_id IS NOT NULL OR client_id IS NOT NULL)

-- name: who
SELECT tenant, asked_at, phone_hashes, driver_id, client_id, finished_at IS NULL OR held > 0 AS whole
FROM erasures WHERE erasure_id = $1 FOR UPDATE

-- name: calls_of_person
WITH theirs AS (
    SELECT call_id FROM calls WHERE caller_hash = ANY ($3) AND tenant = $1 AND started_at <= $2
    UNION SELECT call_id FROM calls WHERE target_hash = ANY ($3) AND tenant = $1 AND started_at <= $2
    UNION SELECT call_id FROM calls WHERE driver_id = $4 AND tenant = $1 AND started_at <= $2
    UNION SELECT call_id FROM calls WHERE client_id = $5 AND tenant = $1 AND started_at <= $2
)
SELECT call_id, EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = theirs.call_id) AS held FROM theirs

-- name: changed_calls_of_person
SELECT call_id, EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = calls.call_id) AS held FROM calls
WHERE updated_at > clock_timestamp() - interval '2 hours' AND tenant = $1 AND started_at <= $2
    AND (caller_hash = ANY ($3) OR target_hash = ANY ($3) OR driver_id = $4 OR client_id = $5)

-- name: late_calls
SELECT call_id FROM erased_calls
WHERE at > $1 AND NOT EXISTS (SELECT FROM legal_holds WHERE legal_holds.call_id = erased_calls.call_id)
    AND (EXISTS (SELECT FROM call_events WHERE call_events.call_id = erased_calls.call_id AND sealed IS NOT NULL)
        OR EXISTS (SELECT FROM recordings WHERE recordings.call_id = erased_calls.call_id AND state <> 'deleted'))
ORDER BY call_id LIMIT $2

-- name: lock_calls
SELECT call_id FROM call_heads WHERE call_id = ANY ($1) ORDER BY call_id FOR UPDATE

-- name: erase_events
UPDATE call_events SET sealed = NULL, data = data #- '{decision,driver_id}' #- '{decision,client_id}'
WHERE call_id = ANY ($1)

-- name: erase_calls
UPDATE calls SET caller_hash = NULL, caller_sealed = NULL, caller_masked = NULL, target_hash = NULL,
    target_sealed = NULL, target_masked = NULL, target_index = NULL, driver_id = NULL, client_id = NULL,
    updated_at = clock_timestamp()
FROM call_heads AS head
WHERE head.call_id = ANY ($1) AND calls.call_id = head.call_id AND calls.started_at = head.started_at

-- name: erase_recordings
UPDATE recordings SET state = 'deleted', reason = 'erasure', detail = '', url = NULL, audio = NULL, sha256 = NULL,
    next_attempt_at = NULL, announce_by = NULL, lease = NULL, lease_until = NULL, updated_at = clock_timestamp()
WHERE call_id = ANY ($1) AND (state <> 'deleted' OR reason <> 'erasure')
RETURNING recording_id

-- name: note_calls
INSERT INTO erased_calls (call_id, erasure_id, at)
SELECT call_id, $2, clock_timestamp() FROM unnest($1::text[]) AS call (call_id)
ON CONFLICT (call_id) DO NOTHING

-- name: count
UPDATE erasures SET calls = calls + $2, recordings = recordings + $3, held = $4 WHERE erasure_id = $1

-- name: finish
UPDATE erasures SET finished_at = coalesce(finished_at, $2) WHERE erasure_id = $1

-- name: recently_erased
SELECT recordings.* FROM recordings JOIN erased_calls USING (call_id) WHERE at > $1
