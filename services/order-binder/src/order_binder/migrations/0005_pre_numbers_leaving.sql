-- Numbers on their way out of the inventory: what is to become of the bindings that use them.

ALTER TABLE numbers ADD COLUMN leaving text;
CREATE INDEX numbers_leaving ON numbers (e164) WHERE leaving IS NOT NULL;

COMMENT ON COLUMN numbers.leaving IS 'Withdrawn as soon as nothing uses it; until then its bindings are left to end (drain) or given other numbers (move).';
