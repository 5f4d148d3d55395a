-- Who is there to publish, so that the leases are shared out evenly.

CREATE TABLE publication_lease_holder (
    topic      text        NOT NULL,
    holder     text        NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (topic, holder)
);
