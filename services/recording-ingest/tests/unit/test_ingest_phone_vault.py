"""Keys, hashes and ciphertexts of phones at rest, and what of an event is personal."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_keys import keys_file, vault
from ingest_story import answered_call, dial, routed

from recording_ingest.domain.events import event_from
from recording_ingest.domain.personal import joined, parted
from recording_ingest.outbound.phone_keys import KeysUnusable, PhoneKeys
from recording_ingest.outbound.phone_vault import PhoneVault, Unreadable

DEMO = Path("deploy/demo/phone-keys.json")
PHONE = "+79031112233"


def loaded(folder: Path, document: object) -> PhoneKeys:
    path = folder / "keys.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return PhoneKeys.load(path, demo=False)


def entry(number: int, fill: int, length: int = 32) -> dict[str, object]:
    return {"id": number, "key": base64.b64encode(bytes([fill]) * length).decode()}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{", "Invalid JSON"),
        ({"lookup": [entry(1, 1)]}, "sealing: Field required"),
        ({"lookup": [], "sealing": [entry(1, 2)]}, "lookup"),
        ({"lookup": [entry(1, 1)], "sealing": [entry(1, 2, 16)]}, "sealing/1: key has 16 bytes, 32 are needed"),
        ({"lookup": [entry(1, 1)], "sealing": [{"id": 1, "key": "?"}]}, "sealing/1: key is not base64"),
        ({"lookup": [entry(1, 1)], "sealing": [entry(1, 1)]}, "a key is given twice"),
        ({"lookup": [entry(1, 1), entry(1, 3)], "sealing": [entry(1, 2)]}, "lookup: an id is given twice"),
        ({"lookup": [entry(0, 1)], "sealing": [entry(1, 2)]}, "lookup/0/id"),
    ],
)
def test_a_file_that_is_refused(tmp_path: Path, document: object, why: str) -> None:
    with pytest.raises(KeysUnusable, match=why) as refused:
        loaded(tmp_path, document)
    assert base64.b64encode(bytes([1]) * 32).decode() not in str(refused.value)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="No such file"):
        PhoneKeys.load(tmp_path / "none.json", demo=False)


def test_the_demos_keys_work_in_the_demo_only(pytestconfig: pytest.Config) -> None:
    path = pytestconfig.rootpath / DEMO
    assert PhoneKeys.load(path, demo=True)
    with pytest.raises(KeysUnusable, match="FARELINE_DEMO=1"):
        PhoneKeys.load(path, demo=False)


def test_what_is_sealed_opens_for_its_call_only(tmp_path: Path) -> None:
    phones = vault(tmp_path)
    sealed = phones.seal(PHONE, of="c-1")
    assert phones.open(sealed, of="c-1").decode() == PHONE
    assert PHONE[1:].encode() not in sealed
    assert sealed != phones.seal(PHONE, of="c-1")
    with pytest.raises(Unreadable):
        phones.open(sealed, of="c-2")


@given(place=st.integers(0, 200), mask=st.integers(1, 255))
def test_a_changed_ciphertext_opens_nowhere(tmp_path_factory: pytest.TempPathFactory, place: int, mask: int) -> None:
    phones = vault(tmp_path_factory.mktemp("keys"))
    sealed = bytearray(phones.seal(PHONE, of="c-1"))
    sealed[place % len(sealed)] ^= mask
    with pytest.raises(Unreadable):
        phones.open(bytes(sealed), of="c-1")


def test_old_keys_still_find_and_open_and_new_ones_write(tmp_path: Path) -> None:
    before = vault(tmp_path)
    after = vault(tmp_path, lookup=(2, 1), sealing=(5, 1))
    assert after.open(before.seal(PHONE, of="c"), of="c").decode() == PHONE
    assert before.hash(PHONE) in after.hashes(PHONE)
    assert after.hash(PHONE) not in before.hashes(PHONE)
    assert (after.hash(PHONE)[:2], after.seal(PHONE, of="c")[:2]) == (b"\x00\x02", b"\x00\x05")
    with pytest.raises(Unreadable, match="key 5"):
        before.open(after.seal(PHONE, of="c"), of="c")


def test_keys_do_not_show_in_a_traceback(tmp_path: Path) -> None:
    keys = PhoneKeys.load(keys_file(tmp_path), demo=False)
    assert repr(keys.lookup[0].secret) not in repr(keys) + repr(keys.lookup[0]) + repr(PhoneVault(keys))


def test_an_event_is_whole_again_after_parting() -> None:
    fallback = {"do": "fallback", "target": "operator", "display": "o-1001 client / Anna"}
    for kind, ce_id, data in [
        *answered_call(url="https://pbx.example/79031112233.wav"),
        routed(actions=[{"do": "play", "prompt": "p"}, fallback]),
        routed(actions=[dial()], caller=None),
    ]:
        plain, personal = parted(data)
        assert event_from(kind, ce_id, joined(plain, personal)) == event_from(kind, ce_id, data)
        for secret in ("79031112233", "79261234567", "Anna"):
            assert secret not in json.dumps(plain)


def test_an_event_without_its_people_still_folds() -> None:
    kind, ce_id, data = routed()
    event = event_from(kind, ce_id, parted(data)[0])
    assert (event.caller, event.decision.targets, event.decision.deed) == (None, (), "dial")  # type: ignore[union-attr]
