"""How a field of a document is filled: by a fact, a sentence around facts, or a table of them.

Each way gives a statement that says by itself when something is missing or held back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from pydantic import JsonValue

from folkmoot.public_facts import for_people
from folkmoot_node.scrutiny.documents.answers import Grid, Statement, Used
from folkmoot_node.scrutiny.documents.reading import Reading, in_words
from folkmoot_node.scrutiny.facts import Fact, Mark, Value, in_sentence

Say: TypeAlias = "Callable[[Reading], Statement]"
"""Makes a statement from facts."""
_SLUGS = frozenset({"categories", "category", "level", "protected", "identifiers"})
"""Ends of keys whose values are words of a closed list, written as programs write them."""
_MANY = 3
"""More figures that are held than these are named together."""
_PLUGIN = "folkmoot-plugin-"
"""What names of packages begin with, which stay as they are."""
_NO_VOWEL = re.compile(r"[b-df-hj-np-tv-xz]{2,}")
_NOTHING = "-"
"""In a cell for which there is no fact."""
_LONG = 60
"""Characters, from which on what people wrote is taken for sentences."""
_PLACE = re.compile(r"\{([a-z0-9_.-]+)\}")
_SPACES = re.compile(r"\s+")
_PARAGRAPH = re.compile(r"\n\s*\n|\n(?=\s*[-*\u2022] )")
"""Where a person's text goes on in a paragraph or list entry of its own; lines may be wrapped."""


def fact(key: str, label: str = "") -> Say:
    """What is known under a key, in a field whose title says what it is.

    Args:
        key: Of the fact.
        label: What it is, where the node knows of no such thing.
    """
    return _fact(key, label, lambda used: in_words(used.value))


def labelled(key: str, label: str = "") -> Say:
    """The same with its label before it, for a field with several statements.

    What is a sentence needs no label.
    """
    return _fact(key, label, _labelled)


def _fact(key: str, label: str, words: Callable[[Used], str]) -> Say:
    def say(reading: Reading) -> Statement:
        used = reading.used(reading.fact(key, label))
        if used.mark is Mark.MISSING or used.held:
            return _without(used)
        grid = _grid_of(used.label, used.value)
        return _statement("" if grid else words(used), (used,), grid)

    return say


def sentence(text: str) -> Say:
    """Whole sentences with facts in them, such as `It ends on {policy.risk.sunset}`."""
    keys = tuple(dict.fromkeys(_PLACE.findall(text)))

    def say(reading: Reading) -> Statement:
        facts = {key: reading.fact(key) for key in keys}
        used = tuple(map(reading.used, facts.values()))
        if any(one.mark is Mark.MISSING or one.held for one in used):
            return _without(*used)
        words = {key: reading.words(one).rstrip(".") for key, one in facts.items()}
        return _statement(_PLACE.sub(lambda at: words[at[1]], text), used)

    return say


def program(text: str) -> Say:
    """What this program does at every council, in its own words."""

    def say(reading: Reading) -> Statement:
        used = Used(
            key="program",
            label="How the program works",
            value=reading.program,
            mark=Mark.SYSTEM,
            place=reading.program,
        )
        return _statement(text, (used,))

    return say


def table(
    caption: str,
    prefix: str,
    head: str,
    columns: Mapping[str, str],
    *,
    name: str = "",
    order: str = "",
) -> Say:
    """A table with a row for each thing below a prefix of which anything is known.

    Args:
        caption: What it shows.
        prefix: What keys begin with, such as `sources`.
        head: Name of the first column, which names the thing.
        columns: Name of a column by the end of the key: `sources.NAME.kind` by `kind`.
        name: End of the key under which a thing has a name for people.
        order: End of the key by whose value, ascending, rows stand.
    """

    def say(reading: Reading) -> Statement:
        known = {
            one: {end: reading.facts.get(f"{prefix}.{one}.{end}") for end in (*columns, name)}
            for one in reading.children(prefix)
        }
        things = [one for one, cells in known.items() if any(cells[end] for end in columns)]
        if not things:
            return _nothing(reading, prefix, caption)
        if order:
            things.sort(key=lambda one: _place(known[one].get(order)))
        used = tuple(
            reading.used(cell) for one in things for cell in known[one].values() if cell is not None
        )
        if all(one.held for one in used):
            return _without(*used, caption=caption)
        rows = tuple(
            (
                _called(reading, one, known[one][name] if name else None),
                *(
                    _NOTHING if (cell := known[one][end]) is None else _cell(reading, end, cell)
                    for end in columns
                ),
            )
            for one in things
        )
        return _statement("", used, _grid(caption, (head, *columns.values()), rows))

    return say


def _place(fact: Fact | None) -> float:
    value = fact.value if fact else None
    return float(value) if isinstance(value, int | float) else 0.0


def _called(reading: Reading, one: str, fact: Fact | None) -> str:
    """What a thing is called: by people, if it has a name, else by its key."""
    return title(one) if fact is None or fact.value is None else reading.words(fact)


def _cell(reading: Reading, end: str, fact: Fact) -> str:
    if not fact.own and (share := for_people(fact.key, fact.value)) != fact.value:
        return str(share)
    return _in_column(end, reading.words(fact))


def _part(name: str, value: JsonValue) -> str:
    return _in_column(name, in_words(value)) if value else _NOTHING


def _in_column(end: str, words: str) -> str:
    return words.replace("_", " ") if end in _SLUGS else words


def listed(caption: str, prefix: str, end: str, head: str, columns: Mapping[str, str]) -> Say:
    """A table of what is in the lists that several things have: `sources.NAME.fields`.

    Args:
        caption: What it shows.
        prefix: What keys begin with.
        end: How they end. A value is a list of things with parts, or such things by name.
        head: Name of the first column, which names whose list it is.
        columns: Name of a column by the name of a part; of the name of the part's thing by "".
    """

    def say(reading: Reading) -> Statement:
        facts = [
            (one, fact)
            for one in reading.children(prefix)
            if (fact := reading.facts.get(f"{prefix}.{one}.{end}")) is not None
        ]
        used = tuple(reading.used(fact) for _, fact in facts)
        rows = tuple(
            (title(one), *(_part(part, parts.get(part)) for part in columns))
            for (one, _), of in zip(facts, used, strict=True)
            for parts in _things(of.value)
        )
        if not rows:
            return _without(*used) if used else _nothing(reading, prefix, caption)
        return _statement("", used, _grid(caption, (head, *columns.values()), rows))

    return say


def parts(key: str, *names: str) -> Say:
    """A table of a list of things with parts, of which only some are shown."""

    def say(reading: Reading) -> Statement:
        used = reading.used(reading.fact(key))
        things = list(_things(used.value))
        if used.mark is Mark.MISSING or used.held or not things:
            return _without(used)
        rows = tuple(tuple(in_words(one.get(name)) for name in names) for one in things)
        return _statement("", (used,), _grid(used.label, tuple(map(title, names)), rows))

    return say


def only_if(key: str, value: Value, some: Say, otherwise: str) -> Say:
    """Something that is asked only if a fact has a value.

    Args:
        key: Of the fact.
        value: Which value.
        some: What is said if it has that value, or if the fact is missing.
        otherwise: Whole sentences for every other value.
    """

    def say(reading: Reading) -> Statement:
        used = reading.used(reading.fact(key))
        if used.mark is Mark.MISSING or used.value == value:
            return some(reading)
        return _statement(otherwise, (used,))

    return say


def everything(caption: str, *prefixes: str, without: str = "") -> Say:
    """A table of all facts with these keys, or below them, each with its label.

    Args:
        caption: What it shows.
        *prefixes: Keys, or what keys begin with.
        without: How keys end that are left out, since they have a table of their own.
    """

    def say(reading: Reading) -> Statement:
        facts = [
            one
            for prefix in prefixes
            for one in _all(reading, prefix)
            if not without or not one.key.endswith(without)
        ]
        if not facts:
            return _nothing(reading, prefixes[0], caption)
        used = tuple(map(reading.used, facts))
        if all(one.held or one.mark is Mark.MISSING for one in used):
            return _without(*used, caption=caption)
        rows = tuple((one.label, reading.words(one)) for one in facts)
        return _statement("", used, _grid(caption, ("What", "Value"), rows))

    return say


def names(text: str, prefix: str) -> Say:
    """A sentence that ends with the names of all things below a prefix of which "yes" is known.

    Args:
        text: Its beginning.
        prefix: What keys begin with; the word after it is the name.
    """

    def say(reading: Reading) -> Statement:
        found = [one for one in reading.facts.below(prefix) if one.value is True]
        if not found:
            return _nothing(reading, prefix, text.rstrip(": "))
        listed_names = ", ".join(title(one.key.removeprefix(f"{prefix}.")) for one in found)
        return _statement(f"{text} {listed_names}.", tuple(map(reading.used, found)))

    return say


def groups(caption: str, prefix: str) -> Say:
    """A table of the groups of the equality audit, with the share of each band.

    Args:
        caption: What it shows.
        prefix: What keys begin with; those that end in `.groups` are meant.
    """

    def say(reading: Reading) -> Statement:
        facts = [one for one in reading.facts.below(prefix) if one.key.endswith(".groups")]
        used = tuple(map(reading.used, facts))
        if not facts or any(one.held or one.mark is Mark.MISSING for one in used):
            return _without(*used) if used else _nothing(reading, prefix, caption)
        named = [(one.key.split(".")[-2], group) for one in used for group in _things(one.value)]
        bands = list(dict.fromkeys(band for _, group in named for band in _parts(group["bands"])))
        rows = tuple(
            (
                title(field),
                in_words(group[""]),
                in_words(group["households"]),
                in_words(group["mean_score"]),
                *(_share(_parts(group["bands"]).get(band)) for band in bands),
            )
            for field, group in named
        )
        columns = ("Field", "Group", "Households", "Mean score", *map(title, bands))
        return _statement("", used, _grid(caption, columns, rows))

    return say


def _parts(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _share(value: JsonValue) -> str:
    """A share with its interval."""
    if not isinstance(value, dict):
        return in_words(value)
    share, low, high = (value[name] for name in ("share", "low", "high"))
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def unless_none(prefix: str, say_some: Say, none: str) -> Say:
    """Says that there is nothing below a prefix, where the node is known; else something else.

    Args:
        prefix: What keys begin with.
        say_some: Where there is something.
        none: Whole sentences for where there is nothing.
    """

    def say(reading: Reading) -> Statement:
        if list(_all(reading, prefix)):
            return say_some(reading)
        node = reading.used(reading.fact("node.council"))
        if node.mark is Mark.MISSING:
            return say_some(reading)
        return _statement(none, (node,))

    return say


def _all(reading: Reading, prefix: str) -> Iterable[Fact]:
    itself = reading.facts.get(prefix)
    yield from () if itself is None else (itself,)
    yield from reading.facts.below(prefix)


def _statement(text: str, used: tuple[Used, ...], grid: Grid | None = None) -> Statement:
    """Marked as entered by a person if any of its facts was; as missing if all are."""
    marks = {one.mark for one in used}
    mark = (
        Mark.PERSON
        if Mark.PERSON in marks
        else Mark.SYSTEM
        if Mark.SYSTEM in marks
        else Mark.MISSING
    )
    paragraphs = (_SPACES.sub(" ", one).strip() for one in _PARAGRAPH.split(text))
    return Statement(mark=mark, text="\n".join(filter(None, paragraphs)), grid=grid, used=used)


def _without(*used: Used, caption: str = "") -> Statement:
    """What is said in the place of a statement whose facts are missing or held back.

    Args:
        *used: The facts.
        caption: What they show together; said in the place of many labels.
    """
    missing = [one for one in used if one.mark is Mark.MISSING]
    held = [one for one in used if one.held]
    text = ""
    if missing:
        text = f"Missing: {_listed(missing)}."
    if held:
        what = _listed(held)
        if caption and len(held) > _MANY:
            what = f"{in_sentence(caption)} ({len(held)} figures)"
        text += f" Held by the council, and not in this document: {what}."
    mark = Mark.MISSING if missing else Mark.SYSTEM
    return Statement(mark=mark, text=text.strip(), used=used)


def _nothing(reading: Reading, prefix: str, caption: str) -> Statement:
    return _without(reading.used(reading.fact(prefix, caption)))


def _listed(used: Iterable[Used]) -> str:
    labels = dict.fromkeys(in_sentence(one.label) for one in used)
    return "; ".join(labels)


def _labelled(used: Used) -> str:
    words = in_words(used.value)
    is_sentence = used.mark is Mark.PERSON and (len(words) > _LONG or words.endswith("."))
    return words if is_sentence else f"{used.label}: {words}."


def _grid_of(caption: str, value: JsonValue) -> Grid | None:
    """A table, if the value is a list of things that have parts, or one thing that has some."""
    if isinstance(value, dict) and value:
        of_parts = tuple((title(name), in_words(one)) for name, one in value.items())
        return _grid(caption, ("What", "Value"), of_parts)
    things = list(_things(value))
    columns = tuple(dict.fromkeys(name for one in things for name in one))
    rows = tuple(tuple(in_words(one.get(name)) for name in columns) for one in things)
    return _grid(caption, tuple(map(title, columns)), rows) if rows else None


def _things(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Things that have parts: in a list, or by name, which is then the part without a name."""
    if isinstance(value, dict):
        yield from ({"": name, **one} for name, one in value.items() if isinstance(one, dict))
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _grid(caption: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Grid:
    return Grid(caption=caption, columns=columns, rows=rows)


def title(slug: str) -> str:
    """A slug as a heading; what no mouth can say is an abbreviation."""
    if slug.startswith(_PLUGIN):
        return slug
    words = " ".join(
        one.upper() if _NO_VOWEL.fullmatch(one) else one
        for one in slug.replace("_", " ").replace("-", " ").split(" ")
    )
    return words[:1].upper() + words[1:]
