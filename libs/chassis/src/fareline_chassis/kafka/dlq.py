"""Dead letters: a record given up, with its own bytes and key, beside its topic."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from aiokafka.errors import MessageSizeTooLargeError

from fareline_chassis.kafka.producer import DeliveryRefused
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.logs import get_logger

SUFFIX = ".dlq"
PREFIX = "dlq-"
VERSION = b"1"
TRUNCATED = "dlq-truncated"
NOTHING = "dlq-nothing"
_DETAIL_LIMIT = 1000
_SHORTENED_TO = 4096
_SURELY_FITS = 512 * 1024
MAX_LETTER_BYTES = 16 * 1024 * 1024
"""What a producer of dead letters should let through; above it they are shortened unasked."""
log = get_logger(__name__)


class Sender(Protocol):
    """The producer, as dead letters use it."""

    async def send(self, records: Sequence[OutRecord]) -> object:
        """Send all and return after their acknowledgement; raises DeliveryUnknown or DeliveryRefused."""


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
    key's. A record that was dead before loses its older `dlq-*` headers. A null key stays null; one with neither key
    nor value, which aiokafka cannot send, gets an empty value and the header `dlq-nothing`.
    """
    nothing = record.key is None and record.value is None
    return OutRecord(
        topic=record.topic + SUFFIX,
        key=record.key,
        value=b"" if nothing else record.value,
        headers=(
            *without_dlq(record.headers),
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
            *([(NOTHING, b"1")] if nothing else []),
        ),
    )


def without_dlq(headers: Sequence[tuple[str, bytes | None]]) -> tuple[tuple[str, bytes | None], ...]:
    """Return the headers that the sender wrote."""
    return tuple((name, value) for name, value in headers if not name.startswith(PREFIX))


def shortened(letter: OutRecord) -> OutRecord:
    """Return a letter that surely fits: key and value cut to 4 KiB, the sender's headers left out.

    `dlq-truncated` says how many bytes the value had. Such a letter tells what happened but cannot be replayed.
    """
    about = tuple((name, value) for name, value in letter.headers if name.startswith(PREFIX))
    return replace(
        letter,
        key=None if letter.key is None else letter.key[:_SHORTENED_TO],
        value=None if letter.value is None else letter.value[:_SHORTENED_TO],
        headers=(*about, (TRUNCATED, b"%d" % len(letter.value or b""))),
    )


async def send_letters(sender: Sender, letters: Sequence[OutRecord]) -> None:
    """Send dead letters; one that Kafka finds too large goes shortened, or it would hold up its partition for ever.

    Raises DeliveryUnknown, or DeliveryRefused for another reason than size.
    """
    await sender.send([letter for letter in letters if _weight(letter) <= _SURELY_FITS])
    # One by one: after a refusal the broker takes nothing more from an idempotent producer in that partition.
    for letter in letters:
        if _weight(letter) > _SURELY_FITS:
            await _send_large(sender, letter)


async def _send_large(sender: Sender, letter: OutRecord) -> None:
    try:
        await sender.send([letter])
    except DeliveryRefused as refusal:
        if any(name != MessageSizeTooLargeError.__name__ for _, name in refusal.refused):
            raise
        log.warning("dead_letters.shortened", topic=letter.topic, weight=_weight(letter))
        await sender.send([shortened(letter)])


def _weight(letter: OutRecord) -> int:
    """Return about how many bytes a record takes."""
    headers = sum(len(name) + len(value or b"") for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers
