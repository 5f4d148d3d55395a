-- What is unpublished gets a column of its own: of a column the database knows how seldom it is filled, of two columns
-- that differ it knows nothing, and read the whole table to find a handful of rows.

ALTER TABLE orders ADD COLUMN unpublished integer
    GENERATED ALWAYS AS (CASE WHEN revision <> published_revision THEN key_hash END) STORED;
DROP INDEX orders_unpublished;
CREATE INDEX orders_unpublished ON orders (unpublished) WHERE unpublished IS NOT NULL;

COMMENT ON COLUMN orders.unpublished IS 'The key_hash of a row that is to be published, else null.';
