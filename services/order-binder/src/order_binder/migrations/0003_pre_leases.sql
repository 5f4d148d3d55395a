-- Who publishes which partition of which topic.

CREATE TABLE publication_lease (
    topic      text        NOT NULL,
    partition  integer     NOT NULL,
    holder     text        NOT NULL,
    epoch      bigint      NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
);
