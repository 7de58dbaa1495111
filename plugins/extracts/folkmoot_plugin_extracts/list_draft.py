"""Drafts for sources whose options name each column of one list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from folkmoot_plugin_extracts.draft_text import joined, option_lines, quoted
from folkmoot_plugin_extracts.guesses import guess
from folkmoot_plugin_extracts.headings import matched, no_likeness
from folkmoot_plugin_extracts.sample import read_sample


def draft_list(
    kind: str,
    path: Path,
    columns: Mapping[str, str | Sequence[str]],
    needed: Collection[str],
    dates: Collection[str],
    usual_format: str,
) -> str:
    """The options of a source that reads a list, as TOML.

    Args:
        kind: Of the source.
        path: The file.
        columns: What the source calls its columns, by key of its option `columns`.
        needed: Keys without which a file is no such list.
        dates: Keys of the columns of dates.
        usual_format: How dates are written unless the options say otherwise.

    Raises:
        PluginError: If the file cannot be read or lacks what is needed.
    """
    sample = read_sample(path)
    names = {k: [c] if isinstance(c, str) else list(c) for k, c in columns.items() if c}
    found = matched(sample.frame.columns, {name: () for of in names.values() for name in of})
    lacking = [key for key in needed if not set(names[key]) <= set(found)]
    if lacking:
        raise no_likeness(kind, str(path), f"it has no column {names[lacking[0]][0]}")

    def lines() -> Iterator[str]:
        yield f"# Drafted from {path.name}: its header and {sample.frame.height:,} of its rows."
        yield from option_lines(path, sample)
        formats = [
            pattern
            for key in dates
            if names[key][0] in found
            for pattern in guess(sample.frame[found[names[key][0]]]).formats
        ]
        if any(pattern != usual_format for pattern in formats):
            yield f"date_format = [{', '.join(map(quoted, dict.fromkeys(formats)))}]"
        changed = list(_changed(names, found))
        if changed:
            yield ""
            yield "[columns]"
            yield from changed

    return joined(lines())


def _changed(names: Mapping[str, list[str]], found: Mapping[str, str]) -> Iterator[str]:
    for key, of in names.items():
        here = [found[name] for name in of if name in found]
        if here == of:
            continue
        if len(of) == 1:
            yield f"{key} = {quoted(here[0] if here else '')}"
        else:
            yield f"{key} = [{', '.join(map(quoted, here))}]" if here else f'{key} = ""'
