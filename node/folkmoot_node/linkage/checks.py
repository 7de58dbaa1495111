"""Whether the libraries that linkage needs are installed."""

from __future__ import annotations

from importlib.util import find_spec

from folkmoot_node.linkage.addresses import missing_extra
from folkmoot_node.settings.linkage import LinkageSettings
from folkmoot_operator.checks import Check


def libraries(settings: LinkageSettings) -> Check:
    """Whether the library of each way of linkage that the settings ask for is installed."""

    def look() -> str:
        ways = (
            ("addresses", "uk_address_matcher", settings.addresses),
            ("people", "splink", settings.people),
        )
        asked = {way: library for way, library, table in ways if table is not None}
        if not asked:
            return "off: records without a UPRN count for nobody"
        if any(find_spec(library) is None for library in asked.values()):
            raise missing_extra()
        return f"by {' and '.join(asked)}"

    return Check("linkage", look)
