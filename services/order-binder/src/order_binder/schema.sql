-- The whole schema as it stands after all migrations, for reading; a test proves that it is the same.
-- The service's schema, order_binder, comes first in the search path.

-- Orders with their bindings, the slots and codes these hold, and how far the input is processed.

CREATE TABLE orders (
    tenant             text        NOT NULL,
    order_id           text        NOT NULL,
    version            bigint      NOT NULL,
    status             text        NOT NULL,
    state              text        NOT NULL,
    revision           bigint      NOT NULL,
    published_revision bigint      NOT NULL,
    key_hash           integer     NOT NULL,
    number             text,
    phones             text[]      NOT NULL,
    document           jsonb       NOT NULL,
    traceparent        text,
    caused_at          timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    next_change_at     timestamptz,
    purge_after        timestamptz,
    unpublished        integer     GENERATED ALWAYS AS (CASE WHEN revision <> published_revision THEN key_hash END) STORED,
    PRIMARY KEY (tenant, order_id)
);
CREATE INDEX orders_unpublished ON orders (unpublished) WHERE unpublished IS NOT NULL;
CREATE INDEX orders_due ON orders (next_change_at) WHERE next_change_at IS NOT NULL;
CREATE INDEX orders_purge ON orders (purge_after) WHERE purge_after IS NOT NULL;
CREATE INDEX orders_by_phone ON orders USING gin (phones) WHERE number IS NOT NULL;
CREATE INDEX orders_by_number ON orders (number) WHERE number IS NOT NULL;

COMMENT ON TABLE orders IS 'One row per order: what is known of it, and its binding while it has one. Without one the row is a stub that guards against old versions.';
COMMENT ON COLUMN orders.revision IS 'Grows with every change, over deletions too: microseconds since 1970, or the last one plus one.';
COMMENT ON COLUMN orders.published_revision IS 'The revision that Kafka has acknowledged; the row is published when it differs from revision.';
COMMENT ON COLUMN orders.key_hash IS 'Murmur2 of the Kafka key without its sign: modulo the number of partitions it is the partition.';
COMMENT ON COLUMN orders.unpublished IS 'The key_hash of a row that is to be published, else null.';

CREATE SEQUENCE slot_stamps;
CREATE TABLE slots (
    number     text        NOT NULL,
    phone      text        NOT NULL,
    peer       text        NOT NULL,
    holds      jsonb       NOT NULL,
    kept_until timestamptz NOT NULL,
    stamp      bigint      NOT NULL DEFAULT nextval('slot_stamps'),
    follows    bigint      NOT NULL,
    PRIMARY KEY (number, phone)
);
CREATE INDEX slots_by_phone ON slots (phone);
CREATE INDEX slots_over ON slots (kept_until);

COMMENT ON TABLE slots IS 'What one phone reaches by dialling one pool number: the primary key lets it mean one peer at a time.';
COMMENT ON COLUMN slots.stamp IS 'New with every change; a claim names the stamp it was decided on, as follows, and fails on any other.';

CREATE TABLE codes (
    tenant     text        NOT NULL,
    code       text        NOT NULL,
    order_id   text        NOT NULL,
    role       text        NOT NULL,
    held_until timestamptz NOT NULL,
    PRIMARY KEY (tenant, code)
);
CREATE INDEX codes_over ON codes (held_until);

CREATE TABLE input_progress (
    partition   integer     PRIMARY KEY,
    as_of       timestamptz NOT NULL,
    next_offset bigint      NOT NULL,
    updated_at  timestamptz NOT NULL
);
COMMENT ON COLUMN input_progress.as_of IS 'Every order event of the partition before this time is processed.';

CREATE FUNCTION lost_race(codes text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'somebody else was faster', DETAIL = codes;
END $$;

COMMENT ON FUNCTION lost_race IS 'Raises 40001; its detail names the codes that somebody else has by now, as tenant/code between blanks.';

-- Tenants and their numbers.

CREATE TABLE tenants (
    tenant             text        PRIMARY KEY,
    region             text        NOT NULL,
    policy             jsonb       NOT NULL,
    staff              text[]      NOT NULL,
    revision           bigint      NOT NULL,
    published_revision bigint      NOT NULL,
    key_hash           integer     NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE INDEX tenants_unpublished ON tenants (key_hash) WHERE revision <> published_revision;

CREATE TABLE numbers (
    e164               text        PRIMARY KEY,
    tenant             text        NOT NULL REFERENCES tenants (tenant),
    role               text        NOT NULL,
    state              text        NOT NULL,
    asks_code          boolean     NOT NULL,
    city               text,
    default_route      text,
    withdrawn          boolean     NOT NULL,
    revision           bigint      NOT NULL,
    published_revision bigint      NOT NULL,
    key_hash           integer     NOT NULL,
    updated_at         timestamptz NOT NULL,
    leaving            text
);
CREATE INDEX numbers_of_tenant ON numbers (tenant) WHERE NOT withdrawn;
CREATE INDEX numbers_unpublished ON numbers (key_hash) WHERE revision <> published_revision;
CREATE INDEX numbers_leaving ON numbers (e164) WHERE leaving IS NOT NULL;

COMMENT ON COLUMN numbers.withdrawn IS 'Out of the inventory: published as a tombstone; the row stays so that its revision goes on growing.';
COMMENT ON COLUMN numbers.leaving IS 'What becomes of the bindings that use it: they end (drain) or get other numbers (move). It is withdrawn when nothing uses it, and stays here a minute longer for those that a batch under way was giving it.';

-- Who publishes which partition of which topic.

CREATE TABLE publication_lease (
    topic      text        NOT NULL,
    partition  integer     NOT NULL,
    holder     text        NOT NULL,
    epoch      bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE publication_lease_holder (
    topic      text        NOT NULL,
    holder     text        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (topic, holder)
);
