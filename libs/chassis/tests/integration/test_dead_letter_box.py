"""Dead letters on a real broker: put aside, listed, sent again byte by byte, settled."""

from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.dead_letters import DeadLetterBox, DeadLettersUnavailable
from fareline_chassis.kafka.dlq import MAX_LETTER_BYTES, dead_letter, send_letters
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord

SENT_AT = 1_764_000_000_000


@pytest.fixture
def scene(kafka_bootstrap: str, topic_prefix: str) -> Scene:
    return Scene(kafka_bootstrap, topic_prefix)


@pytest.fixture
def box(scene: Scene) -> DeadLetterBox:
    return DeadLetterBox(scene.bootstrap, "t", client_id="test", topic_prefix=scene.prefix)


@pytest.fixture
async def producer(scene: Scene):
    found = Producer(scene.bootstrap, client_id="test", topic_prefix=scene.prefix, max_request_bytes=MAX_LETTER_BYTES)
    await found.start(HealthComponent("kafka"))
    yield found
    await found.stop()


async def standing(scene: Scene, topic: str, partitions: int = 3) -> list:
    consumer = AIOKafkaConsumer(bootstrap_servers=scene.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(scene.prefix + topic, n) for n in range(partitions)]
        consumer.assign(places)
        ends, found = await consumer.end_offsets(places), []
        while any([await consumer.position(place) < ends[place] for place in places]):
            found += [one for batch in (await consumer.getmany(timeout_ms=200)).values() for one in batch]
        return found
    finally:
        await consumer.stop()


def died(offset: int, *, key=b"\xff\x00", value=b"\xfe not json", partition=2) -> InRecord:
    headers = (("x", b"\xff"), ("x", b"2"), ("nothing", None))
    return InRecord("t", partition, offset, SENT_AT, key, value, headers)


async def test_what_is_replayed_is_the_very_record_and_leaves_the_list(scene, box, producer) -> None:
    await scene.topic("t", 3)
    await scene.topic("t.dlq", 3)
    records = [died(1), died(2, key=None, partition=1), died(3, value=None)]
    records.append(died(4, key=None, value=None))
    await send_letters(producer, [dead_letter(each, reason="r", detail="", group="g") for each in records])
    letters = await box.read()
    assert sorted(letter.about("offset") for letter in letters) == ["1", "2", "3", "4"]

    by_offset = {letter.about("offset"): letter for letter in letters}
    assert await box.replay([by_offset["1"], by_offset["2"]]) == 2
    assert await box.replay([by_offset["4"]]) == 0
    assert await box.drop([by_offset["3"], by_offset["4"]]) == 2

    again = {record.partition: record for record in await standing(scene, "t")}
    assert set(again) == {1, 2}
    for record, original in ((again[2], records[0]), (again[1], records[1])):
        assert (record.key, record.value, record.timestamp) == (original.key, original.value, SENT_AT)
        assert tuple(record.headers) == original.headers
    assert await box.read() == []
    assert len(await standing(scene, "t.dlq")) == 8


async def test_a_record_as_large_as_its_topic_allows_is_put_aside_whole_and_a_larger_one_shortened(
    scene, box, producer
) -> None:
    await scene.topic("t", 1, max_message_bytes=str(8 * 1024 * 1024))
    await scene.topic("t.dlq", 1, max_message_bytes=str(1024 * 1024 + 64 * 1024))
    largest, larger = died(1, value=b"x" * (1024 * 1024)), died(2, value=b"x" * (5 * 1024 * 1024))
    await send_letters(producer, [dead_letter(each, reason="r", detail="", group="g") for each in (largest, larger)])
    letters = {letter.about("offset"): letter for letter in await box.read()}
    assert len(letters["1"].record.value) == 1024 * 1024
    assert (len(letters["2"].record.value), letters["2"].about("truncated")) == (4096, str(5 * 1024 * 1024))
    assert await box.replay(list(letters.values())) == 1
    assert [letter.about("offset") for letter in await box.read()] == ["2"]


async def test_a_topic_that_is_not_there_is_said(box, monkeypatch) -> None:
    monkeypatch.setattr("fareline_chassis.kafka.dead_letters._PATIENCE", timedelta(seconds=1))
    with pytest.raises(DeadLettersUnavailable, match="waiting for kafka"):
        await box.read()
