import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

from fareline_chassis.kafka.foreign_names import TolerantRecords

CODECS = {"none": 0, "gzip": 1, "lz4": 3}


class ForeignName(str):
    """A header name that goes out as bytes which are no text."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"caf\xe9"


def batch_of(*headers: list, codec: int = 0) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 1 << 20)
    for offset, named in enumerate(headers):
        builder.append(offset, timestamp=1_764_000_000_000, key=b"k", value=b"v%d" % offset, headers=named)
    return bytes(builder.build())


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS.keys())
def test_a_foreign_header_name_costs_neither_its_record_nor_its_neighbours(codec: int) -> None:
    data = batch_of([("a", b"\xff")], [(ForeignName("cafe"), b"1"), ("n", None)], [], codec=codec)
    with pytest.raises((UnicodeDecodeError, CorruptRecordException)):
        list(DefaultRecordBatch(data))  # what the library alone makes of it

    records = TolerantRecords(data)
    batch = records.next_batch()

    assert batch.validate_crc()
    read = [(record.offset, record.key, record.value, list(record.headers)) for record in batch]
    assert read == [
        (0, b"k", b"v0", [("a", b"\xff")]),
        (1, b"k", b"v1", [("caf\ufffd", b"1"), ("n", None)]),
        (2, b"k", b"v2", []),
    ]
    assert batch.next_offset == 3
    assert not records.has_next()


def test_several_batches_come_in_order_and_a_torn_last_one_is_left_for_the_next_fetch() -> None:
    one, two = batch_of([]), batch_of([(ForeignName("x"), b"")])
    records = TolerantRecords(one + two + one[:-3])

    batches = []
    while records.has_next():
        batches.append(list(records.next_batch()))

    assert [len(batch) for batch in batches] == [1, 1]


def test_a_record_that_is_truly_corrupt_is_still_refused() -> None:
    data = bytearray(batch_of([]))
    data[61] = 0x7F  # the length of the first record
    with pytest.raises(CorruptRecordException):
        list(TolerantRecords(bytes(data)).next_batch())
