"""As many bindings as a busy company has at once, made by the database itself: 20 tenants, 50 numbers each."""

# Indexes are built after the rows: ten times as fast as keeping them up to date.
FILL = """
INSERT INTO order_binder.tenants
SELECT 't-' || n, 'RU', '{{}}', '{{}}', 1, 1, n, clock_timestamp() FROM generate_series(0, 19) AS n;

INSERT INTO order_binder.numbers (e164, tenant, role, state, asks_code, withdrawn, revision, published_revision,
                                  key_hash, updated_at)
SELECT '+7495' || lpad(n::text, 7, '0'), 't-' || n / 50, 'pool', 'active', true, false, 1, 1, n, clock_timestamp()
FROM generate_series(0, 999) AS n;

INSERT INTO order_binder.orders
SELECT 't-' || n % 20, 'o-' || n, 1, 'accepted', 'active', 1, CASE WHEN n % 1000 = 0 THEN 0 ELSE 1 END,
       ('x' || left(md5(n::text), 7))::bit(28)::int, '+7495' || lpad((n % 20 * 50 + n / 20 % 50)::text, 7, '0'),
       ARRAY['+7903' || lpad(n::text, 7, '0'), '+7926' || lpad(n::text, 7, '0')],
       '{{"since": "2026-11-24T10:00:00+00:00", "city": null, "unroutable": null, "terms": null, "allocation": null}}',
       NULL, now(), now() - n * interval '1 ms', now() + (n - 100) * interval '1 ms',
       CASE WHEN n % 50 = 0 THEN now() + (n - 100) * interval '1 s' END
FROM generate_series(0, {bindings} - 1) AS n;

INSERT INTO order_binder.slots
SELECT o.number, phone, 'client:id:c', '{{}}', o.next_change_at + interval '2 h', 1, 0
FROM order_binder.orders AS o, unnest(o.phones) AS phone;

INSERT INTO order_binder.codes
SELECT 't-' || n % 20, lpad((n / 20)::text, 8, '0'), 'o-' || n / 2, 'driver', now() + (n - 100) * interval '1 ms'
FROM generate_series(0, 2 * {bindings} - 1) AS n;
"""
INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made_by
FROM pg_index
WHERE indrelid = ANY (ARRAY['order_binder.orders', 'order_binder.slots', 'order_binder.codes']::regclass[])
  AND NOT indisprimary
"""


async def fill(connection, bindings: int) -> None:
    """Make that many live bindings, with slots and codes, in an empty schema."""
    await connection.execute("SET transaction_timeout = 0")  # no batch of the service takes as long as this
    indexes = await connection.fetch(INDEXES)
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    await connection.execute(FILL.format(bindings=bindings), timeout=600)
    for index in indexes:
        await connection.execute(index["made_by"], timeout=600)
    await connection.execute("ANALYZE", timeout=600)
