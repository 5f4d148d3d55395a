-- The access log as a chain of hashes that nobody can change unseen.

ALTER TABLE access_log ADD COLUMN previous bytea;
ALTER TABLE access_log ADD COLUMN hash bytea;

-- Each row's hash covers its content and the hash of the row before it, so that a row changed or taken away shows.
CREATE TABLE access_chain (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    hash bytea NOT NULL
);
INSERT INTO access_chain (hash) VALUES (sha256('fareline access log'));

CREATE FUNCTION access_row_hash(row_before bytea, noted access_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(row_before || convert_to(jsonb_build_array(noted.recording_id, noted.call_id, noted.tenant, noted.actor,
        noted.action, noted.byte_range, extract(epoch FROM noted.at))::text, 'UTF8'))
$$;

CREATE FUNCTION chain_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT hash INTO STRICT NEW.previous FROM access_chain FOR UPDATE;
    NEW.access_id := nextval(pg_get_serial_sequence('access_log', 'access_id'));
    NEW.hash := access_row_hash(NEW.previous, NEW);
    UPDATE access_chain SET hash = NEW.hash;
    RETURN NEW;
END $$;
CREATE TRIGGER access_log_chained BEFORE INSERT ON access_log FOR EACH ROW EXECUTE FUNCTION chain_access();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DO $$
DECLARE
    earlier access_log;
    link bytea;
BEGIN
    SELECT hash INTO STRICT link FROM access_chain;
    FOR earlier IN SELECT * FROM access_log ORDER BY access_id LOOP
        UPDATE access_log SET previous = link, hash = access_row_hash(link, earlier)
        WHERE access_id = earlier.access_id RETURNING hash INTO link;
    END LOOP;
    UPDATE access_chain SET hash = link;
END $$;
ALTER TABLE access_log ALTER COLUMN previous SET NOT NULL;
ALTER TABLE access_log ALTER COLUMN hash SET NOT NULL;

CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
