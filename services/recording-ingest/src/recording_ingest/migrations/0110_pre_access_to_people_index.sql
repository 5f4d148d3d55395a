-- outside a transaction
-- Who looked for one person.
DROP INDEX CONCURRENTLY IF EXISTS access_log_of_phone;
CREATE INDEX CONCURRENTLY access_log_of_phone ON access_log (phone_hash, at, access_id) WHERE phone_hash IS NOT NULL;
