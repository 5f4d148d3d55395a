-- name: expect_input
-- A partition that nobody has heard of counts as unprocessed since $2.
INSERT INTO order_binder.input_progress (partition, as_of, next_offset, updated_at)
SELECT partition, $2, 0, clock_timestamp() FROM generate_series(0, $1 - 1) AS partition
ON CONFLICT (partition) DO NOTHING

-- name: forget_input
DELETE FROM order_binder.input_progress WHERE partition >= $1

-- name: input_as_of
-- Unknown until every partition of the input has been heard of.
SELECT nullif(min(as_of), '2000-01-01T00:00:00Z'::timestamptz) FROM order_binder.input_progress WHERE partition >= 0
