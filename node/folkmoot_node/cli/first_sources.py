"""What `init --from` prints: which extracts it recognised, and what they allow to score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot_operator.console import print_text, progress
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from folkmoot_node.operations.initialise_from import FirstDay, Proposal
    from folkmoot_node.operations.recognise_extracts import Likeness


def look_at(folder: Path, home: Path) -> list[Likeness]:
    """Recognises the extracts in a folder. Writes nothing.

    Args:
        folder: The folder.
        home: The node's own, which no source may look into.

    Raises:
        Problem: If the folder cannot be read.
    """
    from folkmoot_node.operations.recognise_extracts import files_in, recognise
    from folkmoot_node.sources.connect import load_plugins

    files = files_in(folder.absolute())
    # A gazetteer looks for the directories beside it.
    within = [] if home.resolve().is_relative_to(folder.resolve()) else [folder.absolute()]
    with load_plugins(None, reading=[*files, *within]) as plugins, progress() as bars:
        task = bars.add_task("files", total=len(files))
        return recognise(files, plugins, lambda done: bars.update(task, completed=done))


def give_first(home: Path, folder: Path, found: Sequence[Likeness], *, keep_policy: bool) -> None:
    """Gives a new node its sources, and prints which."""
    from folkmoot_node.operations.initialise_from import give_sources

    _print(home, give_sources(home, folder, found, new=True, keep_policy=keep_policy))


def give_again(home: Path, council: str, folder: Path, *, replace: bool) -> None:
    """Gives sources to a node that is there already, and keeps what stands in their place.

    Raises:
        Problem: If it is another council's, or has sources that nobody has said to replace.
    """
    from folkmoot_node.operations.initialise_from import give_sources, require_room
    from folkmoot_node.settings.node_toml import FILE_NAME, load_config
    from folkmoot_operator.problems import ExitCode, Problem

    there = load_config(home).council
    if council.strip().upper() != there:
        raise Problem(
            f"the node belongs to {there}",
            where=str(home / FILE_NAME),
            remedy=f"Give --council {there}, or the --home of the other node",
            exit_code=ExitCode.USAGE,
        )
    if not replace:
        require_room(home, ())  # before the extracts are read, which takes long
    found = look_at(folder, home)
    if not replace:
        require_room(home, found)
    _print(home, give_sources(home, folder, found, new=False, keep_policy=False))


def _print(home: Path, day: FirstDay) -> None:
    from rich.table import Column, Table

    from folkmoot_node.store.source_summary import share_in_words

    table = Table(
        "File",
        "Looks like",
        Column("UPRN", justify="right", no_wrap=True),
        Column("Open", justify="right", no_wrap=True),
    )
    for one in day.proposals:
        likeness = one.likeness
        table.add_row(
            likeness.file,
            _looks(one),
            _uprn(one),
            str(likeness.questions + bool(one.not_in_use)) if likeness.draft else "",
        )
    print_table(table)
    print_text(
        "UPRN: share of the records that have one. Open: questions in node.toml and mappings. "
        "After a colon: the name of the source, if it has another."
    )
    for one in day.proposals:
        if one.likeness.why_not:
            print_text(f"{one.likeness.file} is no source: it {one.likeness.why_not}.")
        elif one.likeness.with_:
            print_text(f"{one.likeness.file} is read with {one.likeness.with_}.")
        elif one.not_in_use:
            print_text(f"{one.likeness.name} is not in use yet: {one.not_in_use}.")
        elif one.share < day.minimum_share:
            print_text(
                f"{one.likeness.name}: a run that reads it stops below "
                f"{share_in_words(day.minimum_share)}, until somebody accepts it or the others are "
                "linked. `folkmoot-node sources check` says more."
            )
    if day.frame:
        print_text(f"The households are the UPRNs of {day.frame}.")
    else:
        print_text("No source has households yet: nothing can be scored.")
    if day.policy is not None:
        factors = ", ".join(day.policy.factors)
        print_text(f"Factors in risk-policy.toml, each with its inputs: {factors}.")
        for name, reason in day.policy.left_out.items():
            print_text(f"It leaves out {name}: {reason}.")
    elif day.frame:
        print_text(f"{home / 'risk-policy.toml'} stays as it was.")
    if day.replaced is not None:
        print_text(
            f"What stood there is in {day.replaced}. To undo: cp -a {day.replaced}/. {home}/"
        )


def _looks(one: Proposal) -> str:
    likeness = one.likeness
    if likeness.with_:
        return "read with another file"
    if not likeness.kind:
        return "not understood"
    if likeness.kind == "extracts":
        looks = f"a table: {likeness.name}"
    else:
        looks = likeness.kind
        if likeness.name != likeness.kind:
            looks += f": {likeness.name}"
    return f"({looks})" if one.not_in_use else looks


def _uprn(one: Proposal) -> str:
    from folkmoot_node.store.source_summary import share_in_words

    return share_in_words(one.share) if one.records else ""
