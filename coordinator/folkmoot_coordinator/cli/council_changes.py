"""`folkmoot-coordinator councils`: councils that enrol again, and councils that merge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home, read_council
from folkmoot_operator.console import print_json


def add_to(app: typer.Typer) -> None:
    """Adds the commands to `councils`."""
    for command in (requests, approve, refuse, merge):
        app.command()(command)


def requests(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List councils whose certificate has ended and that ask for another.

    Example: `folkmoot-coordinator councils requests`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.enrolling_again import waiting_requests
    from folkmoot_operator.moments import to_text

    _, database = open_home(home)
    found = waiting_requests(database, system_clock())
    if json_:
        print_json(
            [
                {
                    "council": one.council,
                    "fingerprint": one.fingerprint,
                    "ended_certificate": one.ended,
                    "asked_at": to_text(one.asked_at),
                    "until": to_text(one.until),
                }
                for one in found
            ]
        )
        return
    for one in found:
        typer.echo(f"{one}.\n{one.remedy}.")
    if not found:
        typer.echo("No council asks.")


_Fingerprint = Annotated[
    str, typer.Option("--fingerprint", help="As the council has read it out, in quotation marks.")
]


def approve(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    fingerprint: _Fingerprint,
    home: HomeOption = Path(),
) -> None:
    """Let a council have a new certificate in place of one that has ended.

    Ring the council on a number that you know, and let it read out the fingerprint. Whoever holds
    the old key can ask; only the fingerprint says that it is the council.

    Example: `folkmoot-coordinator councils approve E08000009 --fingerprint "3f2a 91c0 5be4 07d1
    aa26 90fe"`
    """
    _decide(council, fingerprint, home, yes=True)


def refuse(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    fingerprint: _Fingerprint,
    home: HomeOption = Path(),
) -> None:
    """Refuse such a request: the council does not know its fingerprint.

    Example: `folkmoot-coordinator councils refuse E08000009 --fingerprint "3f2a 91c0 5be4 07d1
    aa26 90fe"`
    """
    _decide(council, fingerprint, home, yes=False)


def _decide(council: str, fingerprint: str, home: Path, *, yes: bool) -> None:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.enrolling_again import decide
    from folkmoot_operator.moments import to_text

    code = read_council(council)
    place, database = open_home(home)
    hours = place.settings().certificates.invitation_hours
    decided = decide(database, code, fingerprint, system_clock(), hours, yes=yes)
    if not yes:
        typer.echo(f"{code}: request {decided.fingerprint} refused")
        return
    typer.echo(f"{code}: request {decided.fingerprint} approved")
    typer.echo(
        f"Next, at the council, until {to_text(decided.until)}: `folkmoot-node enrol --again`"
    )


def merge(
    councils: Annotated[
        list[str], typer.Argument(metavar="GSS...", help="GSS codes of the councils that merged.")
    ],
    into: Annotated[
        str, typer.Option("--into", metavar="GSS", help="GSS code of the council that follows.")
    ],
    home: HomeOption = Path(),
) -> None:
    """End the membership of councils that merged into another, which has a code of its own.

    Their certificates and invitations are withdrawn: rounds that invite them wait for them no
    more than for others that do not answer, and series that count them end with the rounds that
    they have answered. Results stay as they are. Exit code 3 if the list of councils does not say
    that one followed the others: name a newer one as `council_list` in coordinator.toml.

    Example: `folkmoot-coordinator councils merge E07000026 E07000028 --into E06000063`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.merging import merge as end

    codes = [read_council(one) for one in councils]
    following = read_council(into, is_invited=True)
    place, database = open_home(home)
    for code, withdrawn in end(place, database, codes, following, system_clock()).items():
        typer.echo(f"{code}: certificates withdrawn: {withdrawn}")
    typer.echo(
        f"Next: `folkmoot-coordinator invite {following}`. At the council: make its node, and"
    )
    typer.echo("begin its ledger with `folkmoot-node ledger inherit HOME...` before it enrols.")
