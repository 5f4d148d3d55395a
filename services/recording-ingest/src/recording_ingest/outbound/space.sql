-- name: filling
WITH lately AS (
    SELECT size_bytes FROM recordings
    WHERE account = $1 AND made_at IS NOT NULL AND size_bytes IS NOT NULL
    ORDER BY made_at DESC LIMIT 1000
), day AS (
    SELECT coalesce(sum(size_bytes), 0)::bigint AS known_bytes, count(*) FILTER (WHERE size_bytes IS NULL) AS unknown
    FROM recordings
    WHERE account = $1 AND made_at > $2::timestamptz - interval '1 day'
        AND (state <> 'missing' OR reason NOT IN ('not_found', 'never_announced', 'expired'))
)
SELECT day.*, (SELECT avg(size_bytes)::float8 FROM lately) AS mean_bytes FROM day

-- name: waiting
WITH held AS (
    SELECT recording_id, made_at, state, pushed_out_at,
        coalesce(sum(size_bytes) OVER newer, 0)::bigint AS known_bytes,
        count(*) FILTER (WHERE size_bytes IS NULL) OVER newer AS unknown
    FROM recordings
    WHERE account = $1 AND made_at >= (
            SELECT min(made_at) FROM recordings WHERE account = $1 AND state IN ('expected', 'ready'))
        AND (state <> 'missing' OR reason NOT IN ('not_found', 'never_announced', 'expired'))
    WINDOW newer AS (ORDER BY made_at DESC, recording_id)
)
SELECT recording_id::text, pushed_out_at, known_bytes, unknown FROM held
WHERE state IN ('expected', 'ready')
ORDER BY made_at LIMIT $2

-- name: note
WITH free AS (
    SELECT recording_id, fresh.at
    FROM recordings JOIN unnest($1::uuid[], $2::timestamptz[]) AS fresh (id, at) ON recording_id = fresh.id
    WHERE state IN ('expected', 'ready')
    ORDER BY recording_id FOR UPDATE OF recordings SKIP LOCKED
)
UPDATE recordings SET pushed_out_at = free.at FROM free WHERE recordings.recording_id = free.recording_id

-- name: unbound
UPDATE recordings SET pushed_out_at = NULL
WHERE state IN ('expected', 'ready') AND pushed_out_at IS NOT NULL AND account <> ALL ($1)
