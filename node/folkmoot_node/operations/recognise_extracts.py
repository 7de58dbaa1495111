"""Finds out what the files of a folder are, by asking each kind of source in turn.

Nothing of a record is kept: what a kind of source drafts holds names of columns, and says how
values are written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from folkmoot_kit.hosting import PluginFailure
from folkmoot_node.sources.connect import Plugins
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError

MAPPED = "extracts"
"""The kind of source that reads by a mapping file, which it drafts for any table."""
_ORDER = ("gazetteer",)
_QUESTION = "QUESTION:"
_FILES = re.compile(r"^files = \[.*\]$", re.MULTILINE)
_MOST_FILES = 500


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a file looks like.

    Attributes:
        file: Its name.
        kind: Kind of source that reads it; empty if none does.
        name: Proposed name of the source.
        draft: What the kind of source has drafted: its options, or a mapping file.
        with_: Name of the file with whose source this one is read; empty if it has its own.
        why_not: Why no source reads it, and what to do; empty if one does.
    """

    file: str
    kind: str = ""
    name: str = ""
    draft: str = ""
    with_: str = ""
    why_not: str = ""

    @property
    def questions(self) -> int:
        """Questions in the draft that wait for a person."""
        return self.draft.count(_QUESTION)

    @property
    def says(self) -> dict[str, Any]:
        """The keys and values of the draft."""
        return tomllib.loads(self.draft)


@dataclass(slots=True)
class _Names:
    taken: set[str] = field(default_factory=set)

    def new(self, wanted: str) -> str:
        name, number = wanted[:60], 2
        while name in self.taken:
            name, number = f"{wanted[:56]}_{number}", number + 1
        self.taken.add(name)
        return name


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that may be extracts, by name.

    Raises:
        Problem: Exit code DATA, if it is no folder, cannot be read or has no files or too many.
    """
    try:
        found = sorted(p for p in folder.iterdir() if p.is_file() and p.name[:1] not in ".~")
    except OSError as error:
        raise Problem(
            f"cannot be read as a folder of extracts ({error.strerror})",
            where=str(folder),
            remedy="Give --from the folder in which the extracts are",
            exit_code=ExitCode.DATA,
        ) from None
    if not found or len(found) > _MOST_FILES:
        raise Problem(
            "holds no file" if not found else f"holds {len(found):,} files",
            where=str(folder),
            remedy="Put the extracts into it, and of each the newest alone",
            exit_code=ExitCode.DATA,
        )
    for file in found:  # its name stands in node.toml: a line break there would begin a setting
        if not file.name.isprintable():
            raise Problem(
                "the name of a file has a sign that cannot be shown, such as a line break",
                where=f"{folder}: {ascii(file.name)[:200]}",
                remedy="Find out who put it there, and rename it or take it away",
                exit_code=ExitCode.DATA,
            )
    return found


def recognise(
    files: Sequence[Path], plugins: Plugins, progress: Callable[[int], None] = lambda done: None
) -> list[Likeness]:
    """Finds for each file the kind of source that fits it best.

    Args:
        files: Files of one folder.
        plugins: Loaded so that they may read these files.
        progress: Called with the number of files that were looked at.

    Returns:
        One likeness for each file, in the same order.
    """
    found = []
    for number, file in enumerate(files, start=1):
        found.append(_alike(file, plugins))
        progress(number)
    found = _claimed(found)
    found = _in_series(found)
    return _named(found)


def _alike(file: Path, plugins: Plugins) -> Likeness:
    fits: list[tuple[int, int, str, str]] = []
    for kind in plugins.sources:
        text = None if kind == MAPPED else _draft(plugins, kind, file)
        if isinstance(text, str):
            lacks = len(tomllib.loads(text).get("without", ()))
            fits.append((kind not in _ORDER, lacks, kind, text))
    if fits:
        *_, kind, text = min(fits)
        return Likeness(file.name, kind, draft=text)
    text = _draft(plugins, MAPPED, file)
    if not isinstance(text, str):
        return Likeness(file.name, why_not=f"{text.problem}. {text.remedy}")
    said = tomllib.loads(text)
    if not said.get("fields"):
        return Likeness(
            file.name,
            why_not="has no column that a factor or a statistic could use. Leave it out, or map it "
            "by hand",
        )
    return Likeness(file.name, MAPPED, draft=text)


def _draft(plugins: Plugins, kind: str, file: Path) -> str | PluginError:
    try:
        text = plugins.sources[kind].draft(file)
        tomllib.loads(text)
    except PluginError as error:
        return error
    except (PluginFailure, tomllib.TOMLDecodeError):
        return PluginError(file.name, "could not be read to its end", "Fetch the file again")
    return text


def _claimed(found: Iterable[Likeness]) -> list[Likeness]:
    """Files that the options of another source name, such as a directory beside a gazetteer."""
    found = list(found)
    claims = {
        name: one.file
        for one in found
        if one.kind != MAPPED and one.draft
        for table in one.says.values()
        if isinstance(table, dict)
        for name in table.get("files", ())
    }
    return [
        Likeness(one.file, with_=claims[one.file]) if one.file in claims else one for one in found
    ]


def _in_series(found: Sequence[Likeness]) -> list[Likeness]:
    """Extracts of one series share a source; of others that a pattern fits, none takes the rest."""
    newest: dict[object, Likeness] = {}
    for one in found:
        if one.draft:
            newest[_series(one)] = one  # the last by name
    result = []
    for one in found:
        leads = newest.get(_series(one)) if one.draft else one
        if leads is not None and leads is not one:
            result.append(Likeness(one.file, with_=leads.file))
            continue
        others = [
            other.file
            for other in found
            if one.draft and other.draft and _series(other) != _series(one)
        ]
        patterns = one.says["files"] if one.draft else ()
        takes = [o for o in others for p in patterns if fnmatch(o.lower(), str(p).lower())]
        result.append(_with_files(one) if takes else one)
    return result


def _series(one: Likeness) -> object:
    if not one.draft:
        return one.file
    said = one.says
    return one.kind, tuple(said["files"]), tuple(said.get("fields", ()))


def _with_files(one: Likeness) -> Likeness:
    name = one.file.replace("\\", "\\\\").replace('"', '\\"')
    return replace(one, draft=_FILES.sub(lambda _: f'files = ["{name}"]', one.draft, count=1))


def _named(found: Sequence[Likeness]) -> list[Likeness]:
    names = _Names()
    return [
        replace(one, name=names.new(one.kind if one.kind != MAPPED else str(one.says["name"])))
        if one.draft
        else one
        for one in found
    ]


def without_repeats(
    found: Sequence[Likeness], fields: Mapping[str, Sequence[str]]
) -> list[Likeness]:
    """Lets one source alone provide each field, as a policy needs it.

    The first that has a field keeps it. A mapping calls its own otherwise; options leave it out.

    Args:
        found: What was recognised.
        fields: By name of the source, the fields of its schema.
    """
    order = sorted(found, key=lambda one: (one.kind == MAPPED, one.kind not in _ORDER))
    owner: dict[str, str] = {}
    changed: dict[str, Likeness] = {}
    for one in order:
        again = [name for name in fields.get(one.name, ()) if name in owner]
        for name in fields.get(one.name, ()):
            owner.setdefault(name, one.name)
        changed[one.file] = _less(one, again) if again else one
    return [changed[one.file] for one in found]


def _less(one: Likeness, again: Sequence[str]) -> Likeness:
    text = one.draft
    if one.kind == MAPPED:
        for name in again:
            text = text.replace(f"[fields.{name}]\n", f"[fields.{one.name[:30]}_{name[:30]}]\n")
        return replace(one, draft=text)
    said = one.says
    if isinstance(said.get("fields"), list):
        kept = ", ".join(f'"{name}"' for name in said["fields"] if name not in again)
        text = re.sub(r"^fields = \[.*\]$", f"fields = [{kept}]", text, flags=re.MULTILINE)
    else:
        left = ", ".join(f'"{name}"' for name in [*said.get("without", ()), *again])
        text = re.sub(r"^without = \[.*\]\n", "", text, flags=re.MULTILINE)
        text = _FILES.sub(lambda m: f"{m[0]}\nwithout = [{left}]", text, count=1)
    return replace(one, draft=text)
