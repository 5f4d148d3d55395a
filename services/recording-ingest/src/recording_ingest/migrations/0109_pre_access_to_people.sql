-- Who looked for a person, and who took the call log away as a file: rows of the access log that are about no recording.

ALTER TABLE access_log ALTER COLUMN recording_id DROP NOT NULL;
ALTER TABLE access_log ALTER COLUMN call_id DROP NOT NULL;
-- Whose calls were asked for, where it was no recording; null: those of every tenant.
ALTER TABLE access_log ADD COLUMN tenants text[];
-- Whose phone was looked for, hashed as in `calls`.
ALTER TABLE access_log ADD COLUMN phone_hash bytea;

-- Each row's hash covers its content and the hash of the row before it, so that a row changed or taken away shows.
CREATE OR REPLACE FUNCTION access_row_hash(row_before bytea, noted access_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_before || convert_to((CASE
        WHEN noted.recording_id IS NULL OR noted.tenants IS NOT NULL OR noted.phone_hash IS NOT NULL
        THEN jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at), noted.auth_method, noted.reason, noted.ip,
            noted.request_id, noted.outcome, noted.bytes_sent, noted.begun, noted.tenants, encode(noted.phone_hash, 'hex'))
        WHEN noted.outcome IS NULL
        THEN jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at))
        ELSE jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at), noted.auth_method, noted.reason, noted.ip,
            noted.request_id, noted.outcome, noted.bytes_sent, noted.begun)
        END)::text, 'UTF8'))
$$;
