-- The ledger's further columns, and whose turn it is to ask an account's API.

ALTER TABLE recordings ADD COLUMN channel text CHECK (channel IN ('both', 'caller', 'callee'));
ALTER TABLE recordings ADD COLUMN announce_by timestamptz;
-- Attempts that ended with a refusal; the others ended with their worker, which is not the recording's fault.
ALTER TABLE recordings ADD COLUMN failures integer NOT NULL DEFAULT 0;

CREATE TABLE account_turns (
    account text PRIMARY KEY,
    next_at timestamptz NOT NULL
);
