"""A leg that a PBX names by the phone it rings is somebody's phone: sealed at rest, masked for most readers."""

from ingest_story import ended, events, progress, routed

from recording_ingest.domain.personal import joined, parted
from recording_ingest.domain.projection import fold, ordered
from recording_ingest.domain.search import Listed
from recording_ingest.domain.storyboard import legs, timeline
from recording_ingest.inbound.call_page_shapes import call_page_out
from recording_ingest.inbound.shown import in_full, masked
from recording_ingest.usecases.show_call import CallPage

PHONE = "79261234567"


def page(leg: str) -> CallPage:
    story = ordered(events([routed(), progress(2, "ringing", leg=leg), ended(60)]))
    row = fold(story)
    return CallPage(
        Listed(row, row.started_at, None), attempts=[], legs=legs(story), timeline=timeline(story), decisions=[], recordings=[]
    )  # fmt: skip


def test_it_is_kept_apart() -> None:
    _, _, data = progress(2, "ringing", leg=PHONE)
    plain, personal = parted(data)
    assert PHONE not in str(plain)
    assert joined(plain, personal) == data


def test_it_is_shown_in_full_only_to_who_may_see_numbers() -> None:
    assert PHONE not in call_page_out(page(PHONE), masked).model_dump_json()
    assert PHONE in call_page_out(page(PHONE), in_full).model_dump_json()


def test_an_extension_is_no_phone() -> None:
    shown = call_page_out(page("201"), masked)
    assert [leg.name for leg in shown.legs] == ["201"]
    assert "leg 201" in [moment.detail for moment in shown.timeline]
