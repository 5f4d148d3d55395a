"""What must hold at every step of a history, whatever has happened before it."""

from model_calls import reached, reached_by_code
from model_events import MAIN, PHONES, POOL, usable
from model_orders import Expected, Rules
from model_slots import OTHER, Watch, codes_held, direction, open_at, slots_held
from model_world import record_of

from order_binder.domain.states import TOMBSTONE_AFTER


class Checks:
    """Knows what every order should be worth and what every slot and code means."""

    def __init__(self) -> None:
        self.rules = dict.fromkeys(POOL, Rules())
        self.states = {e164: "active" for numbers in POOL.values() for e164 in numbers}
        self.expected: dict[str, Expected] = {}
        self.touched: dict[str, Rules] = {}
        self.slots, self.codes = Watch("slot"), Watch("code")
        self.seen: dict = {}

    def deliver(self, events, now):
        """Take events that were ingested at `now`."""
        for event in events:
            order, rules = self.expected.setdefault(str(event.key), Expected()), self.rules[event.key.tenant]
            if order.take(event, rules, usable, now):
                self.touched[str(event.key)] = rules

    def swept(self, known, now):
        """A day after its end a binding is forgotten, and whom it bound."""
        for key, order in self.expected.items():
            last = max((closes for _, closes, _ in order.windows.values()), default=None)
            if last and now >= last + TOMBSTONE_AFTER:
                order.driver, order.windows = None, {}
                assert key not in known or known[key].terms is None

    def step(self, known, now):
        """Compare everything after one step; `known` are the orders of the database."""
        for key, order in list(self.expected.items()):
            if key not in known:
                assert order.over(now)
                del self.expected[key]
                continue
            assert known[key].version == order.version
            self.agree(key, order, known[key], now)
        assert set(known) == set(self.expected)
        self.watch({key: record_of(order) for key, order in known.items()}, now)

    def agree(self, key, order, stored, now):
        record = record_of(stored)
        if stored.unroutable == "no_number":
            assert key.partition("/")[0] not in MAIN
            self.no_number_was_to_be_had(key, order, now)
            order.close(now)
        elif order.over(now):
            assert not open_at(record, now), key
        else:
            assert record is not None, stored
            assert windows_of(record, now) == {side: opened(*window, now) for side, window in order.windows.items()}
            assert (record.parties.driver.phones, record.parties.client.phones) == (
                order.driver.phones,
                order.client.phones,
            )
            if record.number == MAIN.get(record.tenant):
                self.no_number_was_to_be_had(key, order, now)

    def no_number_was_to_be_had(self, key, order, now):
        """A pool number is left unused only where every one of them means somebody else to one of the phones."""
        tenant = key.partition("/")[0]
        if list(self.touched) != [key] or order.over(now) or self.rules[tenant].numbering == "main":
            return
        for e164 in POOL[tenant]:
            if self.states[e164] == "active":
                assert any(
                    self.slots.taken_for(key, (e164, phone), f"{OTHER[side]} {getattr(order, OTHER[side]).who}", now)
                    for side in OTHER
                    for phone in getattr(order, side).phones
                ), f"{e164} could have been lent to {key}"

    def watch(self, records, now):
        pool = {e164 for numbers in POOL.values() for e164 in numbers}
        cool = {key: rules.cool_down for key, rules in self.touched.items()}
        was_open = {key for key in cool if open_at(self.seen.get(key), now)}
        self.slots.changed({key: slots_held(records[key], pool, cool[key], now) for key in cool}, now, cool, was_open)
        self.codes.changed({key: codes_held(records[key], cool[key], now) for key in cool}, now, cool, was_open)
        for key in self.touched:
            self.what_may_stay_stays(key, self.seen.get(key), records[key], now)
        self.touched, self.seen = {}, records
        self.nobody_reaches_a_stranger([record for record in records.values() if record], now)

    def what_may_stay_stays(self, key, before, after, now):
        if not open_at(before, now) or not open_at(after, now):
            return
        for side in OTHER:
            was, is_ = getattr(before.parties, side), getattr(after.parties, side)
            same = (was.id or was.phones[0]) == (is_.id or is_.phones[0])
            assert (was.code == is_.code) == same, key
        lent = self.states.get(before.number) in ("active", "draining")
        if lent and before.parties == after.parties and self.rules[before.tenant].numbering != "main":
            assert after.number == before.number, key

    def nobody_reaches_a_stranger(self, records, now):
        mains = {e164: tenant for tenant, e164 in MAIN.items()}
        numbers = {e164: tenant for tenant, found in POOL.items() for e164 in found} | mains
        for e164, tenant in numbers.items():
            of_tenant = [record for record in records if record.tenant == tenant]
            for caller in PHONES:
                found = reached(of_tenant, e164, caller, now, main=e164 in mains)
                assert e164 in mains or len(found) <= 1, f"{e164} means {len(found)} people"
                for record, side in (way for ways in found.values() for way in ways):
                    self.is_other_party(record, side, now)
            for digits in {getattr(record.parties, side).code for record in of_tenant for side in OTHER}:
                ways = reached_by_code(of_tenant, e164, "+79039999999", digits, now)
                assert len(ways) <= 1
                for record, side in ways:
                    self.is_other_party(record, side, now)

    def is_other_party(self, record, side, now):
        order = self.expected[f"{record.tenant}/{record.order_id}"]
        opens, closes, allowed = order.windows[side]
        assert allowed
        assert opens <= now < closes
        assert getattr(record.parties, OTHER[side]).phones == getattr(order, OTHER[side]).phones


def windows_of(record, now):
    found = {side: direction(record, side) for side in OTHER}
    return {side: opened(window.opens_at, window.closes_at, window.allowed, now) for side, window in found.items()}


def opened(opens, closes, allowed, now):
    """Return a window as it matters from now on: since when it has been open is nobody's business."""
    return max(opens, now), closes, allowed
