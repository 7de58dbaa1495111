"""What a reader of a map has to know of its boundaries, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from folkmoot_coordinator.geography.shapes import Shapes

_MOST_NAMED = 20
"""Areas that a sentence names; of more it gives the number."""


def notes_of(shapes: Shapes, names: Mapping[str, str]) -> list[str]:
    """Sentences for beside a map: other edition, areas missing, moved or repaired.

    Args:
        shapes: The areas.
        names: What people call areas, by code; an area without a name is called by its code.
    """
    return list(_sentences(shapes, names))


def _sentences(shapes: Shapes, names: Mapping[str, str]) -> Iterator[str]:
    missing = [names.get(code, code) for code in shapes.fit.missing]
    if shapes.fit.other_edition:
        yield shapes.fit.other_edition
    if len(missing) == 1:
        yield (
            "1 area is not on the map, because the file of boundaries does not have it: "
            f"{missing[0]}."
        )
    elif missing:
        yield (
            f"{len(missing)} areas are not on the map, because the file of boundaries does not "
            f"have them: {_list(missing)}."
        )
    if shapes.apart:
        lies, is_drawn = ("lie", "are drawn") if len(shapes.apart) > 1 else ("lies", "is drawn")
        yield f"{_list(list(shapes.apart))} {lies} further away, and {is_drawn} beside the others."
    if shapes.repaired:
        yield (
            "The file has broken borders, which were repaired, of "
            f"{_list([names.get(code, code) for code in shapes.repaired])}."
        )


def _list(names: list[str]) -> str:
    shown = names[:_MOST_NAMED]
    if len(names) > _MOST_NAMED:
        return f"{', '.join(shown)} and {len(names) - _MOST_NAMED} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
