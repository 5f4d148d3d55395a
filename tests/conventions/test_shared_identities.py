"""What two services derive by themselves, because they may not import each other, is the same."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from call_router.domain.decisions import Reason as RoutersReason
from call_router.domain.identity import call_id_of as routers
from recording_ingest.domain.identity import call_id_of as ingests
from recording_ingest.inbound.words import Reason as ReasonToAskFor


@given(st.text(), st.text())
def test_a_call_has_one_id(account, pbx_call_id):
    assert ingests(account, pbx_call_id) == routers(account, pbx_call_id)


def test_the_id_is_what_it_was():
    assert ingests("demo-asterisk", "1700000000.42") == "ece2718b-33d9-5418-aacb-567eb03574d7"


def test_every_reason_of_the_router_can_be_asked_for():
    assert set(RoutersReason) <= set(get_args(ReasonToAskFor))
