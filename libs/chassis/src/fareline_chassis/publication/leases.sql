-- name: attend
WITH forgotten AS (
    DELETE FROM {table}_holder WHERE topic = $1 AND expires_at < clock_timestamp() - interval '1 hour' AND holder <> $2
)
INSERT INTO {table}_holder AS known (topic, holder, expires_at)
VALUES ($1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (topic, holder) DO UPDATE SET expires_at = excluded.expires_at;

-- name: holders
-- What ends later than anything written now could is from before the clock was set back: whoever lives writes it anew.
SELECT holder FROM {table}_holder
WHERE topic = $1 AND expires_at > clock_timestamp() AND expires_at <= clock_timestamp() + $2::interval;

-- name: standing
SELECT partition, holder FROM {table}
WHERE topic = $1 AND expires_at > clock_timestamp() AND expires_at <= clock_timestamp() + $2::interval;

-- name: acquire
INSERT INTO {table} AS lease (topic, partition, holder, epoch, expires_at)
SELECT $1, wanted.partition, $3, 1, clock_timestamp() + $4::interval
FROM unnest($2::integer[]) AS wanted (partition)
ORDER BY wanted.partition
ON CONFLICT (topic, partition) DO UPDATE SET
    holder = excluded.holder,
    expires_at = clock_timestamp() + $4::interval,
    epoch = lease.epoch + CASE
        WHEN lease.holder = excluded.holder
            AND lease.expires_at > clock_timestamp()
            AND lease.expires_at <= clock_timestamp() + $4::interval THEN 0
        ELSE 1
    END
WHERE lease.holder = excluded.holder
   OR lease.expires_at <= clock_timestamp()
   OR lease.expires_at > clock_timestamp() + $4::interval
RETURNING partition, epoch;

-- name: give_up
UPDATE {table} SET expires_at = clock_timestamp()
WHERE topic = $1 AND holder = $2 AND partition = ANY ($3::integer[]) AND expires_at > clock_timestamp();

-- name: leave
WITH gone AS (DELETE FROM {table}_holder WHERE topic = $1 AND holder = $2)
UPDATE {table} SET expires_at = clock_timestamp() WHERE topic = $1 AND holder = $2 AND expires_at > clock_timestamp();
