-- The ledger's further columns, and whose turn it is to ask an account's API.

ALTER TABLE recordings ADD COLUMN channel text CHECK (channel IN ('both', 'caller', 'callee'));
ALTER TABLE recordings ADD COLUMN announce_by timestamptz;

CREATE TABLE account_turns (
    account text PRIMARY KEY,
    next_at timestamptz NOT NULL
);
