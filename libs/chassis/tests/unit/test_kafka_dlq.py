import pytest

from fareline_chassis.kafka.dlq import dead_letter, send_letters
from fareline_chassis.kafka.producer import DeliveryRefused
from fareline_chassis.kafka.records import InRecord


def record(**changes) -> InRecord:
    fields = {"topic": "t.v1", "partition": 2, "offset": 41, "timestamp_ms": 1_764_000_000_000, "key": b"\xff\x00"}
    return InRecord(**{**fields, "value": b"\xfe not json", **changes})


def test_a_dead_letter_keeps_bytes_and_says_where_from_and_why() -> None:
    letter = dead_letter(record(), reason="undecodable", detail="not JSON", group="g", sqlstate="22P02", attempts=3)

    assert (letter.topic, letter.key, letter.value) == ("t.v1.dlq", b"\xff\x00", b"\xfe not json")
    assert dict(letter.headers) == {
        "dlq-topic": b"t.v1",
        "dlq-partition": b"2",
        "dlq-offset": b"41",
        "dlq-timestamp": b"1764000000000",
        "dlq-group": b"g",
        "dlq-reason": b"undecodable",
        "dlq-detail": b"not JSON",
        "dlq-sqlstate": b"22P02",
        "dlq-attempts": b"3",
        "dlq-version": b"1",
    }


def test_foreign_headers_come_along_and_older_dlq_headers_do_not() -> None:
    headers = (("x", b"\xff"), ("x", b"2"), ("nothing", None), ("dlq-reason", b"older"))
    letter = dead_letter(record(headers=headers), reason="newer", detail="", group="g")

    assert letter.headers[:3] == (("x", b"\xff"), ("x", b"2"), ("nothing", None))
    assert [value for name, value in letter.headers if name == "dlq-reason"] == [b"newer"]


def test_a_long_detail_is_cut_and_a_lone_surrogate_is_no_obstacle() -> None:
    letter = dead_letter(record(), reason="r", detail="\ud800" + "x" * 5000, group="g")

    assert len(dict(letter.headers)["dlq-detail"]) == 1000


class Topic:
    """A sender that finds everything above `limit` bytes too large, or refuses for `reason`."""

    def __init__(self, limit: int = 1_000_000, reason: str = "MessageSizeTooLargeError") -> None:
        self.limit, self.reason, self.sent = limit, reason, []

    async def send(self, records) -> None:
        refused = [(index, self.reason) for index, each in enumerate(records) if len(each.value or b"") > self.limit]
        self.sent += [each for index, each in enumerate(records) if index not in dict(refused)]
        if refused:
            raise DeliveryRefused(refused)


async def test_a_letter_too_large_for_its_topic_goes_shortened_and_says_so() -> None:
    topic = Topic()
    letters = [
        dead_letter(record(offset=n, value=b"x" * size, headers=(("h", b"1"),)), reason="r", detail="", group="g")
        for n, size in enumerate((10, 2_000_000, 10))
    ]
    await send_letters(topic, letters)

    assert [dict(each.headers)["dlq-offset"] for each in topic.sent] == [b"0", b"2", b"1"]
    short = topic.sent[-1]
    assert (dict(short.headers)["dlq-truncated"], len(short.value)) == (b"2000000", 4096)
    assert dict(short.headers)["dlq-reason"] == b"r"


async def test_any_other_refusal_is_not_hidden() -> None:
    letter = dead_letter(record(value=b"x" * 2_000_000), reason="r", detail="", group="g")
    with pytest.raises(DeliveryRefused):
        await send_letters(Topic(reason="TopicAuthorizationFailedError"), [letter])
