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
    updated_at         timestamptz NOT NULL
);
CREATE INDEX numbers_of_tenant ON numbers (tenant) WHERE NOT withdrawn;
CREATE INDEX numbers_unpublished ON numbers (key_hash) WHERE revision <> published_revision;

COMMENT ON COLUMN numbers.withdrawn IS 'Out of the inventory: published as a tombstone; the row stays so that its revision goes on growing.';
