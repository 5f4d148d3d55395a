"""Which letters are open, how they would be sent again, and what the command line says and does."""

import json

import pytest
import typer
from typer.testing import CliRunner

from fareline_chassis.kafka.dead_letter_cli import DeadLetterCommands
from fareline_chassis.kafka.dead_letters import DeadLetter, DeadLettersUnavailable, Place, Selection, unsettled
from fareline_chassis.kafka.dlq import dead_letter
from fareline_chassis.kafka.records import InRecord

NOON_MS = 1_764_000_000_000


def lying(
    offset, *, reason="invalid", partition=0, value=b'{"phone": "+79031112233"}', key=b"o-1", **about
) -> InRecord:
    """Return a dead letter as it lies in its topic."""
    died = InRecord("t.v1", 2, 40 + offset, NOON_MS - 5000, key, value, (("x", b"\xff"), ("nothing", None)))
    letter = dead_letter(died, reason=reason, detail="client/phones: +79031112233 is none", group="g", **about)
    return InRecord("t.v1.dlq", partition, offset, NOON_MS + offset * 1000, key, value, letter.headers)


def settling(offset, *, partition=0, at=90) -> InRecord:
    return InRecord("t.v1.dlq", partition, at, NOON_MS, b"o-1", None, (("dlq-settles", b"%d" % offset),))


class Box:
    """A box in memory; `error` is raised by whatever is asked of it."""

    def __init__(self, *records, error=None):
        self.letters, self.error, self.done = unsettled(records), error, []

    async def read(self):
        if self.error:
            raise self.error
        return self.letters

    async def replay(self, letters):
        self.done.append(("replay", [str(letter.place) for letter in letters]))
        return len(letters)

    async def drop(self, letters):
        self.done.append(("drop", [str(letter.place) for letter in letters]))
        return len(letters)


def call(box, *arguments):
    app = typer.Typer()
    app.add_typer(DeadLetterCommands(lambda: box).group(), name="dlq")
    return CliRunner().invoke(app, ["dlq", *arguments])


def test_what_is_settled_is_off_the_list_and_only_in_its_own_partition():
    records = [lying(1), lying(2), lying(2, partition=1), settling(2), settling(7)]
    assert [str(letter.place) for letter in unsettled(records)] == ["0/1", "1/2"]


def test_a_letter_goes_back_exactly_as_it_came():
    original = DeadLetter(lying(3)).original(partitions=3)
    assert (original.topic, original.key, original.value) == ("t.v1", b"o-1", b'{"phone": "+79031112233"}')
    assert original.headers == (("x", b"\xff"), ("nothing", None))
    assert (original.partition, original.timestamp_ms) == (2, NOON_MS - 5000)
    assert DeadLetter(lying(3)).original(partitions=2).partition is None


def test_a_letter_that_names_another_topic_is_not_sent_there():
    record = lying(1)
    forged = InRecord("other.v1.dlq", 0, 1, NOON_MS, b"k", b"v", record.headers)
    assert DeadLetter(record).obstacle is None
    assert "this topic" in DeadLetter(forged).obstacle
    short = InRecord("t.v1.dlq", 0, 1, NOON_MS, b"k", b"v", (*record.headers, ("dlq-truncated", b"9")))
    assert "whole" in DeadLetter(short).obstacle


def test_places_win_over_reasons():
    letters = unsettled([lying(1), lying(2, reason="too_large")])
    assert [letter.place.offset for letter in Selection(reasons=["too_large"]).of(letters)] == [2]
    assert [letter.place.offset for letter in Selection({Place(0, 1)}, ["too_large"]).of(letters)] == [1]


@pytest.mark.parametrize("text", ["", "1", "1/", "/2", "a/b", "1/2/3", "-1/2"])
def test_a_place_is_two_numbers(text):
    with pytest.raises(ValueError, match="is no place"):
        Place.parse(text)


def test_the_list_says_what_there_is_and_shows_no_phone():
    shown = call(Box(lying(1), lying(2, reason="unknown_tenant", key=b"79031112233")), "list")
    assert shown.exit_code == 0
    assert "0/1  2025-11-24T16:00:01Z  invalid  t.v1:2/41  o-1" in shown.output
    assert "2 letters (invalid 1, unknown_tenant 1)" in shown.output
    lines = call(Box(lying(1)), "list", "--json").output.splitlines()
    assert json.loads(lines[0])["place"] == "0/1"
    for each in (shown.output, call(Box(lying(1)), "show", "0/1").output):
        assert "9031112233" not in each
        assert "+7***2233" in each


def test_nothing_is_done_without_being_told_so():
    box = Box(lying(1), lying(2))
    would = call(box, "replay", "--all")
    assert (would.exit_code, box.done) == (0, [])
    assert "would replay 2 letters" in would.output
    assert call(box, "drop", "0/2", "--yes").exit_code == 0
    assert call(box, "replay", "--reason", "invalid", "--yes").output == "replay: 2 settled\n"
    assert box.done == [("drop", ["0/2"]), ("replay", ["0/1", "0/2"])]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "say which letters"),
        (["drop", "--yes"], "say which letters"),
        (["replay", "0/9"], "no unsettled letter at 0/9"),
        (["replay", "nine"], "is no place"),
        (["list", "--since", "yesterday"], "is no span"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_2(arguments, said):
    found = call(Box(lying(1)), *arguments)
    assert found.exit_code == 2
    assert said in found.output


def test_without_kafka_there_is_one_sentence():
    found = call(Box(error=DeadLettersUnavailable("KafkaConnectionError")), "list")
    assert (found.exit_code, found.output) == (1, "dead letters cannot be reached: KafkaConnectionError\n")
