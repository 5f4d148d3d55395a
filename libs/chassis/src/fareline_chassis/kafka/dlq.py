"""Dead letters: a record given up, with its own bytes and key, beside its topic."""

from fareline_chassis.kafka.records import InRecord, OutRecord

SUFFIX = ".dlq"
VERSION = b"1"
_DETAIL_LIMIT = 1000


def dead_letter(
    record: InRecord,
    *,
    reason: str,
    detail: str,
    group: str,
    sqlstate: str | None = None,
    attempts: int = 1,
) -> OutRecord:
    """Return `record` for `<topic>.dlq`: key, value and headers untouched, `dlq-*` headers added.

    `reason` is a short code, `detail` is for people (no phone number in it; cut at 1000 bytes). The partition is the
    key's. A record that was dead before loses its older `dlq-*` headers. A null key stays null.
    """
    return OutRecord(
        topic=record.topic + SUFFIX,
        key=record.key,
        value=record.value,
        headers=(
            *_kept(record),
            ("dlq-topic", record.topic.encode()),
            ("dlq-partition", b"%d" % record.partition),
            ("dlq-offset", b"%d" % record.offset),
            ("dlq-timestamp", b"%d" % record.timestamp_ms),
            ("dlq-group", group.encode()),
            ("dlq-reason", reason.encode()),
            ("dlq-detail", detail.encode(errors="replace")[:_DETAIL_LIMIT]),
            ("dlq-sqlstate", (sqlstate or "").encode()),
            ("dlq-attempts", b"%d" % attempts),
            ("dlq-version", VERSION),
        ),
    )


def _kept(record: InRecord) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((name, value) for name, value in record.headers if not name.startswith("dlq-"))
