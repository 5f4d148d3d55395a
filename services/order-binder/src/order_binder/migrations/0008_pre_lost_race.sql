-- What a batch was decided on is not locked meanwhile. Where it is not so any more, the statement that writes refuses itself
-- as a whole, by raising: half of it may have been done by then.

CREATE FUNCTION lost_race(codes text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'somebody else was faster', DETAIL = codes;
END $$;

COMMENT ON FUNCTION lost_race IS 'Raises 40001; its detail names the codes that somebody else has by now, as tenant/code between blanks.';
