-- Who listened, in full: how they were known, why, from where, by which request, and what came of it.

ALTER TABLE access_log ADD COLUMN auth_method text;
ALTER TABLE access_log ADD COLUMN reason text;
ALTER TABLE access_log ADD COLUMN ip text;
ALTER TABLE access_log ADD COLUMN request_id text;
-- Null in rows of before; whose hash covers what they had.
ALTER TABLE access_log ADD COLUMN outcome text CHECK (outcome IN ('granted', 'refused', 'served', 'cut', 'lost'));
ALTER TABLE access_log ADD COLUMN bytes_sent bigint;
-- The row that this one tells the end of.
ALTER TABLE access_log ADD COLUMN begun bigint;

-- Each row's hash covers its content and the hash of the row before it, so that a row changed or taken away shows.
CREATE OR REPLACE FUNCTION access_row_hash(row_before bytea, noted access_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_before || convert_to((CASE WHEN noted.outcome IS NULL
        THEN jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at))
        ELSE jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor, noted.action,
            noted.byte_range, extract(epoch FROM noted.at), noted.auth_method, noted.reason, noted.ip,
            noted.request_id, noted.outcome, noted.bytes_sent, noted.begun)
        END)::text, 'UTF8'))
$$;
