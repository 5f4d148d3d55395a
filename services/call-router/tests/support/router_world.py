"""A small world to route calls in: tenant `demo` with a pool, tenant `solo` with one number, people and orders.

The replica and the memory of recent calls are the real ones: they are in memory anyway.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from call_router.domain.actions import Action
from call_router.domain.bindings import Binding, CallPolicy, Direction, Link, Party, Role, Window
from call_router.domain.calls import Attempt, CallSoFar, DialResult, Outcome, Question, QuestionKind, WrongCode
from call_router.domain.decisions import Decision
from call_router.domain.inventory import Account, NumberRole, ProxyNumber, Tenant
from call_router.domain.policy import Policy
from call_router.domain.route import route
from call_router.domain.values import replace
from call_router.replica.store import ReplicaStore

T0 = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
MAIN, DESK = "+74950000001", "+74950000009"
POOL, POOL2, POOL3 = "+74950000101", "+74950000102", "+74950000103"
SOLO = "+74950000201"
D1, D1_OTHER, D2, D3 = "+79031112233", "+79169998877", "+79052223344", "+79035550101"
C1, C1_SECOND, C2, C3 = "+79261234567", "+79261234568", "+79265550202", "+79265550203"
STRANGER = "+79157770001"
STAFF = "+74957770001"
DRIVERS_CODE, CLIENTS_CODE = "482913", "118204"

ACCOUNT = Account("demo-generic", frozenset({"demo", "solo"}), "RU", "operator")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def binding(
    order_id: str = "o-1",
    *,
    driver: str | tuple[str, ...] = D1,
    client: str | tuple[str, ...] = C1,
    number: str = POOL,
    tenant: str = "demo",
    status: str = "accepted",
    revision: int = 1,
    changed: datetime = T0,
    driver_window: tuple[datetime, datetime] | None = None,
    client_window: tuple[datetime, datetime] | None = None,
    driver_allowed: bool = True,
    client_allowed: bool = True,
    driver_id: str | None = "",
    client_id: str | None = "",
    codes: tuple[str, str] = (DRIVERS_CODE, CLIENTS_CODE),
    record: bool = True,
    announce_client: str | None = "recording",
    trace: str | None = None,
) -> Binding:
    """Return a binding that is open for two days unless told otherwise; ids follow from the phones."""
    drivers = (driver,) if isinstance(driver, str) else driver
    clients = (client,) if isinstance(client, str) else client
    open_window = (T0 - minutes(60), T0 + timedelta(hours=48))
    return Binding(
        tenant=tenant,
        order_id=order_id,
        revision=revision,
        order_version=revision,
        order_status=status,
        status_changed_at=changed,
        number=number,
        driver=Party(drivers, f"d{drivers[0]}" if driver_id == "" else driver_id, "white Camry 123", codes[0]),
        client=Party(clients, f"c{clients[0]}" if client_id == "" else client_id, "Anna", codes[1]),
        from_driver=Window(*(driver_window or open_window), driver_allowed),
        from_client=Window(*(client_window or open_window), client_allowed),
        call=CallPolicy(record=record, announce_client=announce_client),
        trace=trace,
    )


def in_grace(order_id: str = "o-1", *, completed: datetime = T0, **more: object) -> Binding:
    """Return a binding of an order that was completed: the client may call for a day, the driver for 15 minutes."""
    return binding(
        order_id,
        status="completed",
        changed=completed,
        driver_window=(completed - minutes(60), completed + minutes(15)),
        client_window=(completed - minutes(60), completed + timedelta(hours=24)),
        **more,  # type: ignore[arg-type]
    )


@dataclass
class World:
    """What a router knows, and a telephone."""

    store: ReplicaStore = field(default_factory=ReplicaStore)
    account: Account = ACCOUNT
    now: datetime = T0 + minutes(5)
    mistyped_so_far: int = 0

    def __post_init__(self) -> None:
        self.tenant("demo", staff=frozenset({STAFF, "101"}))
        self.tenant("solo")
        numbers = {MAIN: NumberRole.MAIN, DESK: NumberRole.DESK, POOL: NumberRole.POOL, POOL2: NumberRole.POOL}
        for revision, (e164, role) in enumerate({**numbers, POOL3: NumberRole.POOL}.items(), start=1):
            self.store.put_number(ProxyNumber(e164, "demo", role, asks_code=role != "desk", revision=revision))
        self.store.put_number(ProxyNumber(SOLO, "solo", NumberRole.MAIN, revision=1))

    def tenant(self, name: str, policy: Policy | None = None, staff: frozenset[str] = frozenset()) -> None:
        """Put a tenant's record, newer than the last."""
        known = self.store.inventory.tenant(name)
        revision = 1 if known is None else known.revision + 1
        kept = staff or (known.staff if known else frozenset())
        self.store.put_tenant(Tenant(name, "RU", policy or Policy(), kept, revision))

    def put(self, *bindings: Binding) -> None:
        """Take bindings in."""
        for one in bindings:
            known = self.store.bindings.get(one.tenant, one.order_id)
            revision = max(one.revision, known.revision + 1 if known else 1)
            assert self.store.put_binding(replace(one, revision=revision))

    def call(self, caller: str, number: str, *, so_far: CallSoFar | None = None) -> Decision:
        """Return the answer to a call that begins."""
        return self.decide(self.question(QuestionKind.STARTED, caller, number, so_far=so_far or CallSoFar()))

    def types(self, caller: str, number: str, digits: str, *, asked: str | None = None, wrong: int = 0) -> Decision:
        """Return the answer to digits that were typed at an ask."""
        so_far = CallSoFar(step=2 + wrong, wrong_codes=wrong, asked=asked)
        return self.decide(self.question(QuestionKind.DIGITS, caller, number, digits=digits, so_far=so_far))

    def dialled(self, caller: str, number: str, result: DialResult, direction: Direction | None) -> Decision:
        """Return the answer to the result of a dial."""
        so_far = CallSoFar(step=2, dials=1, direction=direction)
        return self.decide(self.question(QuestionKind.DIALED, caller, number, result=result, so_far=so_far))

    def question(self, kind: QuestionKind, caller: str, number: str, **more: object) -> Question:
        """Return a question."""
        return Question(kind, self.account, "c-1", caller, number, self.now, **more)  # type: ignore[arg-type]

    def decide(self, question: Question) -> Decision:
        """Return the decision as of now."""
        return route(question, self.store.view, self.now)

    def tried(self, link: Link, *, at: datetime, outcome: Outcome = Outcome.UNANSWERED, **more: object) -> None:
        """Remember an attempt of one side of a binding to reach the other."""
        one, role = link.binding, link.role
        call_id = f"{one.order_id}-{role}-{at.isoformat()}-{len(self.store.recent)}"
        attempt = Attempt(
            tenant=one.tenant,
            order_id=one.order_id,
            from_person=one.person(role),
            to_person=one.person(role.other),
            caller=link.caller.phones[0],
            at=at,
            gives_up_at=at + timedelta(seconds=30),
            outcome=outcome,
            **more,  # type: ignore[arg-type]
        )
        self.store.recent.dialled(call_id, 1, attempt)

    def mistyped(self, caller: str | None, number: str, times: int, *, known: bool, at: datetime | None = None) -> None:
        """Remember wrong codes."""
        for _ in range(times):
            self.mistyped_so_far += 1
            wrong = WrongCode("demo", caller, number, known, at or self.now)
            self.store.recent.wrong_code("c-wrong", self.mistyped_so_far, wrong)


def last(decision: Decision) -> Action:
    """Return what a call is finally told to do."""
    return decision.actions[-1]


FROM_DRIVER, FROM_CLIENT = Role.DRIVER, Role.CLIENT
