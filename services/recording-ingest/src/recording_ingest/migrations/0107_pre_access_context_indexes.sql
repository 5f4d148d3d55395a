-- outside a transaction
-- What became of an access; who was given what, and everything in order of time.
DROP INDEX CONCURRENTLY IF EXISTS access_log_of_begun;
CREATE INDEX CONCURRENTLY access_log_of_begun ON access_log (begun) WHERE begun IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS access_log_of_actor;
CREATE INDEX CONCURRENTLY access_log_of_actor ON access_log (actor, at, access_id);
DROP INDEX CONCURRENTLY IF EXISTS access_log_by_time;
CREATE INDEX CONCURRENTLY access_log_by_time ON access_log (at, access_id);
