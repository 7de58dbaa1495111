"""`dossier` and below it `approve`, `diff`, `public`: keeping what was approved true."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.dossier_documents import dossier
from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import print_json, print_text
from folkmoot_operator.moments import day_text, to_text
from folkmoot_operator.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from folkmoot_node.scrutiny.differences import Difference

Decider = Annotated[
    str, typer.Option("--by", help="Name and role of the person who approves.", show_default=False)
]
Why = Annotated[
    str,
    typer.Option(
        "--reason",
        help="Why, in a few words that name no resident: the public page shows it.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer()
    group.callback(invoke_without_command=True)(dossier)
    group.command()(approve)
    group.command()(diff)
    group.command()(public)
    app.add_typer(group, name="dossier")


def approve(
    decided_by: Decider,
    reason: Why,
    home: Home = HERE,
    as_json: AsJson = False,
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="FOLDER",
            help="Folder of the documents that were read; their digests are recorded too.",
            file_okay=False,
            exists=True,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Approves how the node is set up now: the audit log has the digest, with name and reason.

    Shows first what has changed since the last approval, and asks. What is approved is the
    configuration: policies, sources, plugins, roles and what people have entered; no figure over
    households. From then on `dossier diff` says what has changed, and where node.toml has
    `[scrutiny] require_approved = true` scoring and releases stop at the changes listed there.

    Example: folkmoot-node dossier approve --by "A. Singh, director" --reason "yearly review"
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.approval import approve as enter
    from folkmoot_node.scrutiny.approval import approved_last, digests_of
    from folkmoot_node.scrutiny.approved_facts import approvable
    from folkmoot_node.scrutiny.differences import differences
    from folkmoot_node.scrutiny.gather.configuration import gather_configuration
    from folkmoot_node.sources.connect import load_plugins
    from folkmoot_operator.accounts import current_operator
    from folkmoot_operator.pauses import checked_name, checked_reason

    checked_name(decided_by)
    checked_reason(reason)
    with open_home(home) as node:
        with load_plugins(node.config) as plugins:
            base = gather_configuration(node, plugins)
        last, facts = approved_last(node), approvable(base, str(node.config.council))
        changes = differences(last.facts, facts) if last else ()
        if not yes:
            if last:
                _show(changes, err=True)
            else:
                typer.echo("Nothing was approved before.", err=True)
            missing = sum(one.is_missing for one in facts.by_key.values())
            typer.echo(f"Facts: {len(facts.by_key)}, of which missing: {missing}.", err=True)
            typer.confirm("Approve this?", abort=True, err=True)
        read = digests_of(documents) if documents else {}
        configured = gather_configuration(node)
        made = enter(node, base, configured, decided_by, reason, current_operator(), read)
    if as_json:
        print_json(
            {
                "version": made.number,
                "approved_at": to_text(made.at),
                "facts_sha256": made.facts_sha256,
                "documents": dict(made.documents),
                "changes": [one.as_json() for one in changes],
            }
        )
        return
    typer.echo(f"Version {made.number} is approved. SHA-256 of its facts: {made.facts_sha256}")


def diff(
    home: Home = HERE,
    as_json: AsJson = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit code 5 if anything has changed.")
    ] = False,
) -> None:
    """Says in words what has changed in how the node is set up since the last approval.

    Marks the changes at which scoring and releases stop. Looks at no household. Exit code 4 if
    nothing was approved yet, 7 if what was approved is not what the audit log names.

    Example: folkmoot-node dossier diff
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.approval import require_approval
    from folkmoot_node.scrutiny.approved_facts import approvable
    from folkmoot_node.scrutiny.differences import differences
    from folkmoot_node.scrutiny.gate import stopping
    from folkmoot_node.scrutiny.gather.configuration import gather_configuration
    from folkmoot_node.sources.connect import load_plugins
    from folkmoot_operator.problems import ExitCode, Problem

    with open_home(home) as node:
        last, council = require_approval(node), str(node.config.council)
        with load_plugins(node.config) as plugins:
            base = gather_configuration(node, plugins)
        changes = differences(last.facts, approvable(base, council))
        settings = node.config.scrutiny
        compared = differences(last.configured, approvable(gather_configuration(node), council))
        stops = {change.key: stop.value for stop, change in stopping(settings, compared)}
    if as_json:
        print_json(
            {
                "version": last.number,
                "approved_at": to_text(last.at),
                "facts_sha256": last.facts_sha256,
                "require_approved": settings.require_approved,
                "changes": [{**one.as_json(), "stop": stops.get(one.key)} for one in changes],
            }
        )
    else:
        typer.echo(
            f"Version {last.number} was approved on {day_text(last.at)} by {last.decided_by}."
        )
        _show(changes, stops=stops)
        if stops:
            print_text(
                "Scoring and releases stop until the changes marked STOPS are undone or approved."
                if settings.require_approved
                else "With `[scrutiny] require_approved = true`, the changes marked STOPS would "
                "stop scoring and releases."
            )
    if check and changes:
        raise Problem(
            f"changes since the approved version {last.number}: {len(changes)}",
            where="folkmoot-node dossier diff",
            remedy="Undo them, or approve them: `folkmoot-node dossier approve`",
            exit_code=ExitCode.REFUSED,
        )


def public(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if it is missing.")],
    home: Home = HERE,
    as_json: AsJson = False,
    address: Annotated[
        str, typer.Option(help="Where the folder will be published: https://.../, for the feed.")
    ] = "",
) -> None:
    """Writes a page for the public: how the council scores households, and what has left it.

    One page that fetches nothing, an Atom feed of changes and a JSON file. In them are the
    configuration as it is now, each approved version with what changed, and the releases that
    have left; no figure about residents, and not who has which role. If the node is not as it
    was approved, the page says so. Exit code 4 if nothing was approved yet. Needs the extra
    `dossier`.

    Example: folkmoot-node dossier public --out public
    """
    from folkmoot_node.scrutiny.documents.dossier import require_libraries

    require_libraries()
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.gather.configuration import gather_configuration
    from folkmoot_node.scrutiny.public.site import checked_address, to_publish, write_site
    from folkmoot_node.sources.connect import load_plugins

    address = checked_address(address)
    with open_home(home) as node:
        with load_plugins(node.config) as plugins:
            base = gather_configuration(node, plugins)
        published = to_publish(node, base)
    written = write_site(published, out, address)
    if as_json:
        print_json(
            {
                "files": [str(path) for path in written],
                "changes_since_approval": [one.as_json() for one in published.changes],
            }
        )
        return
    typer.echo(f"Wrote {', '.join(path.name for path in written)} to {out}.")
    if published.changes or published.unpublished_changes:
        typer.echo(
            "Warning: the node is not as it was approved, and the page says so. See "
            "`folkmoot-node dossier diff`.",
            err=True,
        )


def _show(
    changes: Sequence[Difference], *, stops: dict[str, str] | None = None, err: bool = False
) -> None:
    from folkmoot.public_facts import causes_first

    if not changes:
        typer.echo("Nothing has changed since the last approval.", err=err)
    for one in causes_first(changes):
        stop = (stops or {}).get(one.key)
        typer.echo(f"  - {plain(one.words)}{f' STOPS ({stop})' if stop else ''}", err=err)
