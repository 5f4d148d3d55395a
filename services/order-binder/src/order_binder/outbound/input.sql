-- name: note_input
-- A process whose clock is ahead must not hide what is still to be done: the database's clock is the limit.
INSERT INTO order_binder.input_progress AS p (partition, as_of, next_offset, updated_at)
SELECT n.partition, least(n.as_of, clock_timestamp()), n.next_offset, clock_timestamp()
FROM unnest($1::integer[], $2::timestamptz[], $3::bigint[]) AS n (partition, as_of, next_offset)
ORDER BY n.partition
ON CONFLICT (partition) DO UPDATE SET
    as_of = greatest(p.as_of, excluded.as_of),
    next_offset = greatest(p.next_offset, excluded.next_offset),
    updated_at = excluded.updated_at

-- name: expect_input
-- A partition that nobody has heard of counts as unprocessed since $2.
INSERT INTO order_binder.input_progress (partition, as_of, next_offset, updated_at)
SELECT partition, $2, 0, clock_timestamp() FROM generate_series(0, $1 - 1) AS partition
ON CONFLICT (partition) DO NOTHING

-- name: forget_input
DELETE FROM order_binder.input_progress WHERE partition >= $1

-- name: input_as_of
-- Unknown until every partition of the input has been heard of.
SELECT nullif(min(as_of), '2000-01-01T00:00:00Z'::timestamptz) FROM order_binder.input_progress
