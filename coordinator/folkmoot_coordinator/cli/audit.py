"""`folkmoot-coordinator audit`: what people did here and on the region's site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home, open_site
from folkmoot_operator.console import application

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from folkmoot_operator.hash_chain import Entry, Head

audit_app = application("audit", "What people did here and on the region's site, and who.")

SiteOption = Annotated[
    bool,
    typer.Option(
        "--site",
        help="The log of the region's web site: sign-ins, accounts, questions, downloads, keys.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(audit_app, name="audit")


@audit_app.command()
def show(
    home: HomeOption = Path(),
    json_: JsonOption = False,
    action: Annotated[
        list[str] | None,
        typer.Option(help="Only this action, such as `result withdrawn`; may be repeated."),
    ] = None,
    last: Annotated[int, typer.Option(help="How many of the newest entries.", min=1)] = 50,
    site: SiteOption = False,
) -> None:
    """Show who opened rounds, approved drafts, added policies and withdrew results, newest last.

    `By` is the account as which the command ran, or the program that did something by itself.
    `Signed in as` is the account that had signed in at this machine before. In the log of the site
    `By` is an account of the site, or an account of this machine that ran a command.

    Example: `folkmoot-coordinator audit show --action "result withdrawn"`
    """
    from folkmoot_operator.audit_console import show_entries

    show_entries(_entries(home, action or (), site), last, as_json=json_)


@audit_app.command()
def verify(
    home: HomeOption = Path(),
    json_: JsonOption = False,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            metavar="HEAD",
            help="A head that was printed earlier, from which the log must go on; repeat.",
        ),
    ] = None,
    site: SiteOption = False,
) -> None:
    """Recompute the hash chain of the audit log.

    Newest entries that were cut off leave a chain that is whole: only a head that was noted
    elsewhere shows it. Exit code 7 if anything was changed, dropped or cut off.

    Example: `folkmoot-coordinator audit verify --expect 12:9f86...`
    """
    from folkmoot_operator.audit_console import show_head
    from folkmoot_operator.hash_chain import Head

    show_head(_verify(home, [Head.parse(text) for text in expect or ()], site), as_json=json_)


def _entries(home: Path, actions: Collection[str], site: bool) -> Iterator[Entry]:
    if site:
        return open_site(home, only_reads=True).audit.entries(actions)
    from folkmoot_coordinator.database import audit_log

    _, database = open_home(home)
    return audit_log.entries(database, actions)


def _verify(home: Path, noted: Collection[Head], site: bool) -> Head:
    if site:
        return open_site(home, only_reads=True).audit.verify(noted)
    from folkmoot_coordinator.database import audit_log

    _, database = open_home(home)
    return audit_log.verify(database, noted)
