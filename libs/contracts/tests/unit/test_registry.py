"""The registry is whole, and every record of it has schema and examples that hold."""

from pathlib import Path

import jsonschema
import pytest

from fareline_contracts.schemas import rendered_schemas
from fareline_contracts.topics import CALLS, REGISTRY, TAXI_ORDERS, deployed_topics, dlq_of

MEMBER = Path(__file__).parents[2]
RECORDS = [(record_type, model) for topic in REGISTRY for record_type, model in topic.records.items()]


@pytest.mark.parametrize("topic", REGISTRY, ids=lambda topic: topic.name)
def test_a_topic_says_everything_that_a_reader_needs(topic):
    assert topic.description.endswith(".")
    assert topic.key
    assert topic.records
    assert topic.producers
    assert topic.settings["cleanup.policy"] in {"compact", "delete"}
    assert topic.compacted or int(topic.config["retention.ms"]) > 0


def test_names_are_unique_and_versioned():
    names = [topic.name for topic in deployed_topics()]
    assert len(set(names)) == len(names)
    assert all(".v" in name for name in names)


@pytest.mark.parametrize("topic", [TAXI_ORDERS, CALLS], ids=lambda topic: topic.name)
def test_a_dead_letter_has_room_for_its_headers(topic):
    assert dlq_of(topic).max_message_bytes == topic.max_message_bytes + 64 * 1024
    assert dlq_of(topic).partitions == topic.partitions


@pytest.mark.parametrize(("record_type", "model"), RECORDS, ids=[name for name, _ in RECORDS])
def test_examples_parse_and_fit_the_schema(record_type, model):
    import json

    examples = sorted((MEMBER / "examples" / record_type).glob("*.json"))
    assert examples, f"{record_type} has no example"
    schema = json.loads(rendered_schemas()[f"{record_type}.json"])
    for path in examples:
        record = model.model_validate_json(path.read_bytes())
        assert model.model_validate_json(record.to_json()) == record
        jsonschema.validate(json.loads(record.to_json()), schema)


def test_no_example_is_left_without_a_record():
    folders = {path.name for path in (MEMBER / "examples").iterdir()}
    assert folders == {name for name, _ in RECORDS}


def test_a_value_of_tomorrow_is_read_as_other():
    from fareline_contracts.calls import CallEnded
    from fareline_contracts.numbers import NumberRecord

    number = MEMBER / "examples/fareline.number.v1/role_of_tomorrow.json"
    ended = MEMBER / "examples/fareline.call.ended.v1/word_of_tomorrow.json"
    assert NumberRecord.model_validate_json(number.read_bytes()).role == "other"
    assert CallEnded.model_validate_json(ended.read_bytes()).disposition == "other"
