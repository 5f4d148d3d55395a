"""The people of the story. All are invented; so are their phones."""

from dataclasses import dataclass, field

from fareline_contracts.orders import OrderParty
from fareline_devstack.story.phones import readable


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name and a phone; `other_phone` is one that the taxi platform does not know."""

    id: str
    name: str
    phone: str
    label: str | None = None
    other_phone: str = field(default="")

    @property
    def party(self) -> OrderParty:
        """The person as the taxi platform writes him into an order."""
        return OrderParty(id=self.id, phones=(self.phone,), label=self.label or self.name)

    def __str__(self) -> str:
        return f"{self.name} {readable(self.phone)}"


OLEG = Person("d-21", "driver Oleg", "+79035550101", "grey Rapid 401")
PAVEL = Person("d-22", "driver Pavel", "+79035550102", "blue Polo 402")
VERA = Person("c-21", "client Vera", "+79265550201", "Vera")
NINA = Person("c-22", "client Nina", "+79265550202", "Nina")
STRANGER = Person("", "a stranger", "+79157770001")

ALEXEI = Person("d-5", "driver Alexei", "+79031112233", "white Camry 123", other_phone="+79169998877")
IGOR = Person("d-6", "driver Igor", "+79052223344", "black Octavia 456")
ANNA = Person("c-77", "client Anna", "+79261234567", "Anna")
SERGEI = Person("d-7", "driver Sergei", "+79163334455", "red Rio 789")
BORIS = Person("c-78", "client Boris", "+79174445566", "Boris")
TIMUR = Person("d-8", "driver Timur", "+79064445577", "white Solaris 321")
DARIA = Person("c-79", "client Daria", "+79275556688", "Daria")

SOLO_NUMBER = "+74950000201"
DEMO_MAIN = "+74950000001"
DEMO_DESK = "+74950000009"

_EVERYBODY = (OLEG, PAVEL, VERA, NINA, STRANGER, ALEXEI, IGOR, ANNA, SERGEI, BORIS, TIMUR, DARIA)


def names() -> dict[str, str]:
    """Return whose phone is whose, for a reader who does not know the numbers by heart."""
    return {person.phone: person.name for person in _EVERYBODY} | {ALEXEI.other_phone: "another phone"}
