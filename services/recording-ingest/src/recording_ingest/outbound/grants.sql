-- name: exists
SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1

-- name: create
CREATE ROLE "{role}" LOGIN

-- name: grants
GRANT USAGE ON SCHEMA analytics TO "{role}";
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO "{role}";
ALTER DEFAULT PRIVILEGES IN SCHEMA analytics GRANT SELECT ON TABLES TO "{role}";
ALTER ROLE "{role}" SET default_transaction_read_only = on;
ALTER ROLE "{role}" SET statement_timeout = '{timeout_ms}ms';
ALTER ROLE "{role}" SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE "{role}" SET search_path = analytics;
ALTER ROLE "{role}" CONNECTION LIMIT {connections};
