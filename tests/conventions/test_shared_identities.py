"""What two services derive by themselves, because they may not import each other, is the same."""

from hypothesis import given
from hypothesis import strategies as st

from call_router.domain.identity import call_id_of as routers
from recording_ingest.domain.identity import call_id_of as ingests


@given(st.text(), st.text())
def test_a_call_has_one_id(account, pbx_call_id):
    assert ingests(account, pbx_call_id) == routers(account, pbx_call_id)


def test_the_id_is_what_it_was():
    assert ingests("demo-asterisk", "1700000000.42") == "ece2718b-33d9-5418-aacb-567eb03574d7"
