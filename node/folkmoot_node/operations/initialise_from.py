"""Gives a node its first sources and policy, from a folder of extracts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from folkmoot_kit.hosting import PluginFailure
from folkmoot_node.operations.initialise import RELEASE_POLICY_FILE, RISK_POLICY_FILE, listed
from folkmoot_node.operations.recognise_extracts import MAPPED, Likeness, without_repeats
from folkmoot_node.operations.sample_policy import SamplePolicy, policy_for
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig, load_config
from folkmoot_node.settings.sources import SourceSettings
from folkmoot_node.sources.connect import ConnectedSource, connect, load_plugins
from folkmoot_operator.private_files import make_private_folder, write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.schema import UPRN_COLUMN, RecordLevel
from folkmoot_sdk.source import ReadContext, Rejection

_TABLE = re.compile(r"^\[(?P<name>[a-z_.]+)\]$", re.MULTILINE)
_FRAME = re.compile(r"^frame = .*$", re.MULTILINE)
_SOURCES = re.compile(
    r"^(?:# )?\[\[sources\]\].*?(?=^\[(?!sources|\[sources)|\Z)", re.MULTILINE | re.DOTALL
)
_RELEASED = re.compile(r"^attributes = \[.*\]$", re.MULTILINE)
_FRAMES = ("gazetteer", "council_tax")
"""Kinds of sources that know every home, the best first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What became of one file.

    Attributes:
        likeness: What the file looks like.
        records: Records of the source; None if it is not read.
        with_uprn: Those of them with a UPRN.
        fields: Names of the fields that it gives.
        not_in_use: Why the source is in node.toml as a comment; empty if it is in use.
    """

    likeness: Likeness
    records: int | None = None
    with_uprn: int = 0
    fields: tuple[str, ...] = ()
    not_in_use: str = ""

    @property
    def share(self) -> float:
        """Share of the records that have a UPRN, from 0 to 1; 1 if it is not read."""
        return self.with_uprn / self.records if self.records else 1.0


@dataclass(frozen=True, slots=True)
class FirstDay:
    """What a node has been given.

    Attributes:
        proposals: One for each file of the folder.
        frame: Name of the source whose UPRNs are the households; empty if there is none.
        policy: The sample policy that was written; None if one was there, or none fits.
        replaced: Folder with the files that were replaced; None if none was.
        minimum_share: Share of a source's records that have to find a household, or a run stops.
    """

    proposals: tuple[Proposal, ...]
    frame: str
    policy: SamplePolicy | None
    replaced: Path | None
    minimum_share: float


@dataclass(slots=True)
class _Files:
    """Writes files of the home, and keeps what stood there before."""

    home: Path
    kept: Path | None = None
    written: list[str] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        if path.exists() and path.read_text("utf-8") == text:
            return
        if path.exists():
            if self.kept is None:
                self.kept = _new_folder(self.home)
            make_private_folder((self.kept / name).parent)
            write_private(self.kept / name, path.read_bytes(), replace=False)
        write_private(path, text.encode(), replace=True)
        self.written.append(name)


def require_room(home: Path, found: Sequence[Likeness]) -> None:
    """Refuses to replace what somebody may have written into a node that is there already.

    Raises:
        Problem: Exit code SETTINGS, naming what is there.
    """
    config = load_config(home)
    mappings = [mapping_file(one) for one in found if one.kind == MAPPED]
    there = [name for name in mappings if (home / name).exists()]
    if config.sources:
        there.insert(0, f"sources in {FILE_NAME} ({len(config.sources)})")
    if there:
        raise Problem(
            f"there are already {', '.join(there[:4])}",
            where=str(home),
            remedy="Give --replace to write the sources, the mappings and the risk policy again; "
            "what stands there is kept in the folder replaced",
            exit_code=ExitCode.SETTINGS,
        )


def mapping_file(one: Likeness) -> str:
    """Where the mapping file of a source stands in the home."""
    return f"mappings/{one.name}.toml"


def give_sources(
    home: Path,
    folder: Path,
    found: Sequence[Likeness],
    *,
    new: bool,
    keep_policy: bool,
) -> FirstDay:
    """Writes mappings, sources and a risk policy whose factors have their inputs.

    Args:
        home: The node's folder.
        folder: Where the extracts are. They stay there.
        found: What was recognised in it.
        new: Whether the node has been made just now, so that nobody has changed its files.
        keep_policy: Whether the risk policy that is there stays.

    Raises:
        Problem: If a file cannot be written.
    """
    files = _Files(home)
    for one in found:
        if one.kind == MAPPED:
            files.write(mapping_file(one), one.draft)
    config = load_config(home)
    where = _place(config.home, folder)
    sources, why = _connected(config, where, found)
    fields = {name: [f.name for f in source.schema.fields] for name, source in sources.items()}
    # A person answers for two sources of one field; until then one of them gives it.
    found = without_repeats(found, fields)
    for one in found:
        if one.kind == MAPPED:
            files.write(mapping_file(one), one.draft)
    used = tuple(_settings(one, where) for one in found if one.name in sources)
    config = _with(config, used)
    with load_plugins(config) as plugins:
        connected = {source.name: source for source in connect(config, plugins)}
        proposals = tuple(_measured(one, connected, why) for one in found)
        connected = {p.likeness.name: connected[p.likeness.name] for p in proposals if p.records}
        frame = _frame(proposals, connected)
        policy = None
        if not keep_policy and frame:
            policy = policy_for(plugins, tuple(connected.values()))
    if policy is not None:
        files.write(RISK_POLICY_FILE, policy.text)
        if new:
            _release(home, policy)
    files.write(FILE_NAME, _node_toml(home, folder, proposals, where, frame))
    least = load_config(home).linkage.minimum_share
    return FirstDay(proposals, frame, policy, None if new else files.kept, least)


def _new_folder(home: Path) -> Path:
    number = 1
    while (home / "replaced" / str(number)).exists():
        number += 1
    make_private_folder(home / "replaced")
    folder = home / "replaced" / str(number)
    make_private_folder(folder)
    return folder


def _place(home: Path, folder: Path) -> Path:
    """The folder as node.toml names it: from the home if it is in it."""
    absolute = folder.resolve()
    return absolute.relative_to(home) if absolute.is_relative_to(home) else absolute


def _settings(one: Likeness, folder: Path) -> SourceSettings:
    return SourceSettings(name=one.name, kind=one.kind, options=_options(one, folder))


def _options(one: Likeness, folder: Path) -> dict[str, Any]:
    if one.kind == MAPPED:
        return {"mapping": mapping_file(one), "folder": str(folder)}
    options = one.says
    for table in (options, *(v for v in options.values() if isinstance(v, dict))):
        if "folder" in table:
            table["folder"] = str(folder)
    return options


def _with(config: NodeConfig, sources: tuple[SourceSettings, ...]) -> NodeConfig:
    settings = config.settings.model_copy(update={"sources": sources})
    return replace(config, settings=settings)


def _connected(
    config: NodeConfig, folder: Path, found: Sequence[Likeness]
) -> tuple[dict[str, ConnectedSource], dict[str, str]]:
    """The sources that can be made, and of the others why not, by name."""
    wanted = [_settings(one, folder) for one in found if one.draft]
    made: dict[str, ConnectedSource] = {}
    why: dict[str, str] = {}
    with load_plugins(_with(config, tuple(wanted))) as plugins:
        for one in wanted:
            try:
                (made[one.name],) = connect(_with(config, (one,)), plugins)
            except Problem as problem:
                lead = "" if one.kind == MAPPED else "its options are not complete: "
                why[one.name] = f"{lead}{problem.problem}"
    return made, why


def _measured(one: Likeness, sources: dict[str, ConnectedSource], why: dict[str, str]) -> Proposal:
    source = sources.get(one.name) if one.draft else None
    if source is None:
        return Proposal(one, not_in_use=why.get(one.name, "") if one.draft else "")
    fields = tuple(field.name for field in source.schema.fields)
    keyed = source.schema.level is not RecordLevel.AREA
    rejected: list[int] = [0]

    def reject(values: Sequence[Rejection]) -> None:
        rejected[0] += len(values)

    today = datetime.datetime.now(datetime.UTC).date()
    records = known = 0
    try:
        for batch in source.source.read(ReadContext(fields, today, reject)):
            frame = pl.DataFrame(batch.data)
            records += frame.height
            known += frame.height - frame[UPRN_COLUMN].null_count() if keyed else 0
    except PluginError as error:
        return Proposal(one, fields=fields, not_in_use=f"{error.problem}. {error.remedy}")
    except PluginFailure:
        return Proposal(one, fields=fields, not_in_use="it could not be read to its end")
    if not records:
        return Proposal(one, 0, fields=fields, not_in_use="it has no record")
    if not known:
        return Proposal(one, records, fields=fields, not_in_use="no record has a UPRN")
    return Proposal(one, records, known, fields)


def _frame(proposals: Sequence[Proposal], sources: dict[str, ConnectedSource]) -> str:
    usable = [p for p in proposals if p.likeness.name in sources and not p.not_in_use]
    for kind in _FRAMES:
        for one in usable:
            if one.likeness.kind == kind:
                return one.likeness.name
    best = max(usable, key=lambda one: one.with_uprn, default=None)
    return best.likeness.name if best else ""


def _release(home: Path, policy: SamplePolicy) -> None:
    """Lets the new release policy name what the risk policy tabulates, if nobody has changed it."""
    path = home / RELEASE_POLICY_FILE
    if path.with_name(f"{path.name}.sig").exists():
        return
    attributes = f"attributes = [{listed(policy.attributes)}]"
    text = _RELEASED.sub(lambda _: attributes, path.read_text("utf-8"), count=1)
    write_private(path, text.encode(), replace=True)


def _node_toml(
    home: Path, folder: Path, proposals: Sequence[Proposal], where: Path, frame: str
) -> str:
    text = (home / FILE_NAME).read_text("utf-8")
    if frame:
        comment = "# the source whose UPRNs are the council's households"
        text = _FRAME.sub(lambda _: f'frame = "{frame}"{" " * 4}{comment}', text, count=1)
    text = _SOURCES.sub("", text).rstrip()
    lines = [text, ""]
    for one in proposals:
        if one.likeness.draft:
            lines += ["", *map(_shown, _table(one, folder, where))]
    return "\n".join(lines).rstrip() + "\n"


def _table(one: Proposal, folder: Path, where: Path) -> Iterator[str]:
    likeness = one.likeness
    lines = [
        "[[sources]]",
        f"# {likeness.file}",
        f'name = "{likeness.name}"',
        f'kind = "{likeness.kind}"',
        "[sources.options]",
        *_option_lines(likeness, folder, where),
    ]
    if not one.not_in_use:
        yield from lines
        return
    yield "# [[sources]]"
    yield f"# QUESTION: not in use, for {one.not_in_use[:200]}"
    yield "# When that is put right, remove the first hash of each line of this table."
    yield from (f"# {line}".rstrip() for line in lines[1:])


def _shown(line: str) -> str:
    """A line that stays one: what a comment says may quote an extract."""
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def _option_lines(one: Likeness, folder: Path, where: Path) -> list[str]:
    if one.kind == MAPPED:
        return [f'mapping = "{mapping_file(one)}"', f"folder = {_quoted(str(where))}"]
    here = _quoted(str(folder.absolute()))
    text = one.draft.replace(f"folder = {here}", f"folder = {_quoted(str(where))}")
    return _TABLE.sub(r"[sources.options.\g<name>]", text).rstrip().splitlines()[1:]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
