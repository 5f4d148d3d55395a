-- A number that was just withdrawn is looked after as well: a batch that began before may have lent it unseen.

COMMENT ON COLUMN numbers.leaving IS 'What becomes of the bindings that use it: they end (drain) or get other numbers (move). It is withdrawn when nothing uses it, and stays here a minute longer for those that a batch under way was giving it.';
