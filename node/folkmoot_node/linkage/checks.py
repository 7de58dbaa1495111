"""Whether linkage has what it needs: its libraries, and how many people live in the area."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from folkmoot_node.linkage.addresses import missing_extra
from folkmoot_node.settings.linkage import LinkageSettings
from folkmoot_node.settings.people import POPULATION
from folkmoot_operator.checks import Check, Finding, State

_ASSUMED = f"as in an area of {POPULATION:,} people"
_STATE_IT = (
    "Set population in [linkage.people] to the council's, from the ONS's mid-year population "
    "estimates"
)


def libraries(settings: LinkageSettings) -> Check:
    """Whether the library of each way of linkage that the settings ask for is installed.

    Warns, if people are linked and the settings do not say how many live in the area.
    """

    def look() -> str | Iterable[Finding]:
        ways = (
            ("addresses", "uk_address_matcher", settings.addresses),
            ("people", "splink", settings.people),
        )
        asked = {way: library for way, library, table in ways if table is not None}
        if not asked:
            return "off: records without a UPRN count for nobody"
        if any(find_spec(library) is None for library in asked.values()):
            raise missing_extra()
        found = f"by {' and '.join(asked)}"
        if settings.people is not None and settings.people.population is None:
            return [Finding("linkage", State.WARN, f"{found}, {_ASSUMED}", _STATE_IT)]
        return found

    return Check("linkage", look)
