"""A small world to make histories of: few people and numbers, and what a platform and an operator may say of them."""

from datetime import timedelta

from hypothesis import strategies as st
from model_orders import Rules

from order_binder.domain.events import WrittenParty
from order_binder.domain.orders import OrderKey, OrderStatus

PHONES = tuple(f"+7903000000{index}" for index in range(5))
POOL = {"north": ("+74950000101", "+74950000102"), "bare": ("+74950000301",), "south": ()}
MAIN = {"north": "+74950000001", "south": "+74950000201"}
USELESS = ("anonymous", "12", POOL["north"][0], MAIN["south"])
PREFIXES = ((), (), ("+7",), ("+7903000000", "+44"), ("+79030000000", "+79030000002", "+79030000003"))
SPANS = [timedelta(minutes=n) for n in (0, 1, 14, 15, 30, 31, 60, 119, 121, 121, 60 * 25, 60 * 49, 60 * 24 * 31)]


def people(phones, ids):
    """Return parties with few phones and fewer names, now and then with a phone that is of no use."""
    return st.builds(
        lambda person, phones, extra: WrittenParty((*phones, *extra), id=person),
        st.sampled_from([*ids, None]),
        st.lists(st.sampled_from(phones), min_size=1, max_size=2),
        st.sampled_from([(), (), (), (), (), *((text,) for text in USELESS)]),
    )


drivers, clients = people(PHONES[:3], ["d-1", "d-2"]), people(PHONES[2:], ["c-1", "c-2"])
changes = st.fixed_dictionaries(
    {
        "key": st.builds(
            OrderKey, st.sampled_from(["north", "north", "north", *POOL]), st.sampled_from(["o-1", "o-2", "o-3", "o-4"])
        ),
        "status": st.sampled_from(["accepted"] * 4 + ["completed"] * 2 + [*OrderStatus]).map(OrderStatus),
        "driver": st.one_of(drivers, drivers, drivers, drivers, st.none()),
        "client": clients,
        "ago": st.sampled_from([0, 0, 0, 0, 10, 60 * 50, -2]),
        "ahead": st.sampled_from([None, None, None, None, 20, 45, 60 * 26]),
        "may": st.sampled_from([(True, True)] * 4 + [(False, True), (True, False)]),
        "jump": st.integers(1, 3),
    }
)
batches = st.lists(st.tuples(changes, st.sampled_from([True, True, True, False])), min_size=1, max_size=5)
policies = st.builds(
    Rules,
    numbering=st.sampled_from([None, None, None, "main", "pool"]),
    grace_client=st.sampled_from([60, 24 * 60]),
    grace_driver=st.sampled_from([0, 15]),
    cap=st.sampled_from([120, 48 * 60]),
    cool_down=st.sampled_from([0, 120, 600]),
    allowed_prefixes=st.sampled_from(PREFIXES),
)
OWNED = [(tenant, e164) for tenant, numbers in POOL.items() for e164 in numbers]
number_states = st.sampled_from(["active", "active", "active", "draining", "resting", "pending_label"])


def usable(texts, rules: Rules) -> tuple[str, ...]:
    """Return the phones that may be called, by the rules and this test's small world."""
    return tuple(
        dict.fromkeys(
            text
            for text in texts
            if text in PHONES and (not rules.allowed_prefixes or text.startswith(rules.allowed_prefixes))
        )
    )
