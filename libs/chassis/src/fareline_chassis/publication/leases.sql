-- name: acquire
INSERT INTO {table} AS lease (topic, partition, holder, epoch, expires_at)
SELECT $1, wanted.partition, $3, 1, clock_timestamp() + $4::interval
FROM unnest($2::integer[]) AS wanted (partition)
ORDER BY wanted.partition
ON CONFLICT (topic, partition) DO UPDATE SET
    holder = excluded.holder,
    expires_at = clock_timestamp() + $4::interval,
    epoch = lease.epoch
        + CASE WHEN lease.holder = excluded.holder AND lease.expires_at > clock_timestamp() THEN 0 ELSE 1 END
WHERE lease.holder = excluded.holder OR lease.expires_at <= clock_timestamp()
RETURNING partition, epoch;

-- name: release
UPDATE {table} SET expires_at = clock_timestamp() WHERE topic = $1 AND holder = $2 AND expires_at > clock_timestamp();
