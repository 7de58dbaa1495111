"""Whether areas of households can be those that they are taken for.

The guard against joining areas of two years holds only if both sides state theirs, and a
council's homes are in its own country.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from folkmoot_node.scoring.bound import Binding
from folkmoot_sdk import RecordLevel
from folkmoot_sdk.geography import COUNTRIES

_SHOWN = 3


def unstated_areas(binding: Binding) -> dict[str, str]:
    """For each source that is joined by a field without `area_type`, the type of its areas."""
    found = {}
    for source in binding.sources:
        if source.schema.level is RecordLevel.AREA and binding.wanted.get(source.name):
            joined = binding.fields.get(source.area_field or "")
            if source.schema.area_type and joined is not None and not joined.field.area_type:
                found[source.name] = source.schema.area_type
    return found


def unstated_area(source: str, area_type: str) -> tuple[str, str]:
    """Says that nobody knows whether the areas of homes are those of a source.

    Args:
        source: Its name.
        area_type: The type of its areas.

    Returns:
        The problem, and what to do about it.
    """
    return (
        f"the areas of homes do not say what they are, and those of {source!r} are {area_type}: "
        "their codes may come from another year",
        f'Write `area_type = "{area_type}"` into the area field of the mapping if it holds such '
        "areas",
    )


def foreign_areas(labels: Mapping[str, Sequence[str]], council: str) -> dict[str, tuple[str, ...]]:
    """Codes of another country than the council's: by area field, the first few.

    Args:
        labels: For each area field the codes that occur, GSS codes.
        council: GSS code of the council.
    """
    found = {
        field: sorted(code for code in codes if code[0] in COUNTRIES and code[0] != council[0])
        for field, codes in labels.items()
    }
    return {field: tuple(codes[:_SHOWN]) for field, codes in found.items() if codes}
