-- outside a transaction
-- What vanishes first at its PBX, by either bound; and what an account's PBX holds, in the order in which it drops it.
DROP INDEX CONCURRENTLY IF EXISTS recordings_vanishing;
CREATE INDEX CONCURRENTLY recordings_vanishing ON recordings (least(expires_at, pushed_out_at), next_attempt_at)
    WHERE state IN ('expected', 'ready');
DROP INDEX CONCURRENTLY IF EXISTS recordings_waiting;
CREATE INDEX CONCURRENTLY recordings_waiting ON recordings (account, made_at)
    WHERE state IN ('expected', 'ready');
DROP INDEX CONCURRENTLY IF EXISTS recordings_made;
CREATE INDEX CONCURRENTLY recordings_made ON recordings (account, made_at) WHERE made_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS recordings_due;
