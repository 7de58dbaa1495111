"""`folkmoot-coordinator invite` and `councils`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli import council_changes, council_pages
from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home, read_council
from folkmoot_operator.console import minute, print_json
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from folkmoot.geography import GssCode
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.membership.issued_certificates import KnownCertificate
    from folkmoot_coordinator.membership.policy_keys import PolicySigner

_SHORT = 16
"""Digits of a fingerprint in a list; enough to tell certificates of one council apart."""

councils_app = typer.Typer(rich_markup_mode="markdown")
"""See `council_changes` and `council_pages` for more of its commands."""


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("invite")(invite)
    council_changes.add_to(councils_app)
    council_pages.add_to(councils_app)
    app.add_typer(councils_app, name="councils")


def invite(
    councils: Annotated[list[str], typer.Argument(metavar="GSS...", help="GSS codes of councils.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the invitation files.")] = Path(),
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Invite councils: write a file for each, with a token that works once and expires.

    Warns of codes that ended or were never issued, and of councils that have a certificate
    already: a second node of a council is not refused, and has a certificate of its own. A code
    that is no council's is refused.

    Example: `folkmoot-coordinator invite E08000009 --out invitations`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.authorities import load_authorities
    from folkmoot_coordinator.membership.invitations import invite as make_invitation
    from folkmoot_coordinator.signing import SigningKey
    from folkmoot_operator.moments import to_text
    from folkmoot_operator.output_places import require_folder, writing_to

    codes = [read_council(council, is_invited=True) for council in councils]
    require_folder(out)  # a new invitation ends the one before
    place, database = open_home(home)
    settings, now = place.settings(), system_clock()
    doubts = _doubts(place, database, codes, now)
    for doubt in doubts:
        typer.echo(f"Warning: {doubt}.", err=True)
    authority = load_authorities(place.keys).invited.decode()
    signing_key = SigningKey.load(place.keys).public
    written = []
    for code in codes:
        invitation = make_invitation(
            database, settings, code, authority=authority, signing_key=signing_key, now=now
        )
        with writing_to(out):
            path = invitation.write(out)
        expires = to_text(invitation.expires_at)
        written.append({"council": code, "file": str(path), "expires": expires})
        if not json_:
            typer.echo(f"Invitation of {code} written to {path}")
    if json_:
        print_json(written)
        return
    typer.echo(f"It works once, until {expires}. Hand it over privately.")
    typer.echo(f"Next, at the council: `folkmoot-node enrol {path.name}`")


def _doubts(place: Home, database: Database, codes: Sequence[GssCode], now: int) -> tuple[str, ...]:
    """What a person should know before councils are invited to the region.

    Raises:
        Problem: If one is no council.
    """
    from folkmoot_coordinator.membership.councils import enrolled
    from folkmoot_coordinator.membership.known_councils import (
        doubts_about,
        known_councils,
        overlaps,
    )
    from folkmoot_operator.moments import day

    known = known_councils(place)
    found = list(doubts_about(known, codes, day(now), "council"))
    members = {one.code: one.valid_certificates for one in enrolled(database, now)}
    for code in codes:
        valid = members.get(code, 0)
        if valid:
            found.append(
                f"{code} has {valid} valid certificate{'s' * (valid > 1)} already, and a node "
                "that uses this invitation gets another beside: see `folkmoot-coordinator "
                f"councils show {code}`"
            )
    return (*found, *overlaps(known, codes, [code for code, valid in members.items() if valid]))


@councils_app.callback(invoke_without_command=True)
def councils(context: typer.Context, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """The councils that have enrolled; without a command, list them.

    Example: `folkmoot-coordinator councils --json`
    """
    if context.invoked_subcommand is None:
        list_(home, json_)
    elif any(
        (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
        for name in ("home", "json_")
    ):
        # They would be taken for options of the command, and have no effect.
        raise typer.BadParameter(f"give options after `{context.invoked_subcommand}`")


@councils_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List the councils that have enrolled, each with its valid certificates.

    Example: `folkmoot-coordinator councils list --json`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import enrolled
    from folkmoot_coordinator.membership.enrolling_again import waiting_requests
    from folkmoot_coordinator.membership.issued_certificates import Validity, issued_certificates
    from folkmoot_coordinator.membership.policy_keys import policy_signers
    from folkmoot_operator.moments import to_text

    place, database = open_home(home)
    settings = place.settings()
    now = system_clock()
    councils, certificates = enrolled(database, now), issued_certificates(database)
    signers = policy_signers(database)
    if json_:
        print_json(
            [
                {
                    "council": council.code,
                    "name": settings.names.get(council.code),
                    "enrolled_at": to_text(council.enrolled_at),
                    "last_seen": to_text(council.last_seen) if council.last_seen else None,
                    "valid_certificates": council.valid_certificates,
                    "certificate_expires": to_text(council.expires_at)
                    if council.expires_at
                    else None,
                    "certificates": [
                        _certificate_json(one, now)
                        for one in certificates
                        if one.council == council.code
                    ],
                    "policy_signer": _signer_json(signers.get(council.code)),
                }
                for council in councils
            ]
        )
        return
    for signer in signers.values():
        if signer.has_changed:
            typer.echo(f"Warning: {signer.council}: {signer}. See `doctor`.", err=True)
    for waiting in waiting_requests(database, now):
        typer.echo(f"Warning: {waiting}. See `councils requests`.", err=True)
    if not councils:
        typer.echo("No council has enrolled. Invite one: `folkmoot-coordinator invite GSS-CODE`")
        return
    from rich.table import Table

    table = Table("Council", "Enrolled (UTC)", "Last seen (UTC)", "Certificate until (UTC)")
    table.add_column("Fingerprint", no_wrap=True)
    for council in councils:
        last_seen = council.last_seen
        valid = [
            one
            for one in certificates
            if one.council == council.code and one.validity(now) is Validity.VALID
        ]
        table.add_row(
            settings.label(council.code),
            minute(to_text(council.enrolled_at)),
            minute(to_text(last_seen) if last_seen else None, "never"),
            "\n".join(minute(to_text(one.expires_at)) for one in valid) or "none valid",
            "\n".join(one.fingerprint[:_SHORT] for one in valid),
        )
    print_table(table)


@councils_app.command()
def show(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Show every certificate that a council was ever given, and whether it is valid.

    Several are valid at once after each renewal, until the older ones expire, and where a
    council was invited again. One that nobody at the council knows: revoke, and invite again.

    Example: `folkmoot-coordinator councils show E08000009`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.issued_certificates import issued_certificates
    from folkmoot_coordinator.membership.policy_keys import policy_signers
    from folkmoot_operator.moments import to_text

    code = read_council(council)
    place, database = open_home(home)
    now, found = system_clock(), issued_certificates(database, code)
    signer = policy_signers(database).get(code)
    if not found:
        raise Problem(
            "has no certificate",
            where=code,
            remedy="`folkmoot-coordinator councils list` shows who is enrolled",
            exit_code=ExitCode.USAGE,
        )
    if json_:
        print_json(
            {
                "council": code,
                "certificates": [_certificate_json(one, now) for one in found],
                "policy_signer": _signer_json(signer),
            }
        )
        return
    from rich.table import Column, Table

    typer.echo(place.settings().label(code))
    typer.echo(str(signer) if signer else "policy signer not stated")
    table = Table(
        Column("SHA-256 fingerprint", overflow="fold"), "Issued (UTC)", "Until (UTC)", "Validity"
    )
    for one in found:
        revoked = f" {minute(to_text(one.revoked_at))}" if one.revoked_at is not None else ""
        table.add_row(
            one.fingerprint,
            minute(to_text(one.issued_at)),
            minute(to_text(one.expires_at)),
            one.validity(now).value + revoked,
        )
    print_table(table)


@councils_app.command("accept-signer")
def accept_signer(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    home: HomeOption = Path(),
) -> None:
    """Accept the key with which a council now signs its release policy; ask the council first.

    Example: `folkmoot-coordinator councils accept-signer E08000009`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.policy_keys import accept_policy_key

    code = read_council(council)
    _, database = open_home(home)
    key = accept_policy_key(database, code, system_clock())
    if key is None:
        raise Problem(
            "signs with no other key than the region knows",
            where=code,
            remedy="`folkmoot-coordinator councils show` says which that is",
            exit_code=ExitCode.USAGE,
        )
    typer.echo(f"{code}: policy signer {key.hex()} accepted")


def _signer_json(signer: PolicySigner | None) -> dict[str, Any] | None:
    from folkmoot_operator.moments import to_text

    if signer is None:
        return None
    return {
        "key": signer.key.hex(),
        "stated_at": to_text(signer.stated_at),
        "pinned": signer.pinned.hex(),
        "changed": signer.has_changed,
    }


def _certificate_json(one: KnownCertificate, now: int) -> dict[str, Any]:
    from folkmoot_operator.moments import to_text

    return {
        "fingerprint": one.fingerprint,
        "serial": one.serial,
        "issued_at": to_text(one.issued_at),
        "expires": to_text(one.expires_at),
        "revoked_at": to_text(one.revoked_at) if one.revoked_at is not None else None,
        "validity": one.validity(now).value,
    }


@councils_app.command()
def revoke(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    home: HomeOption = Path(),
) -> None:
    """Withdraw a council's certificates, unused invitations and requests, at once.

    Its open connections end within seconds.

    Example: `folkmoot-coordinator councils revoke E08000009`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import revoke as withdraw

    code = read_council(council)
    _, database = open_home(home)
    certificates, invitations = withdraw(database, code, system_clock())
    if not certificates and not invitations:
        raise Problem(
            "has neither a valid certificate nor an unused invitation",
            where=code,
            remedy="`folkmoot-coordinator councils list` shows who is enrolled",
            exit_code=ExitCode.USAGE,
        )
    typer.echo(f"{code}: certificates withdrawn: {certificates}, invitations: {invitations}")


@councils_app.command()
def left(
    file: Annotated[
        Path, typer.Argument(help="The council's certificate of leaving.", exists=True)
    ],
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """End the membership of a council that has left, by its certificate of leaving.

    Checks that a certificate which this region gave to the council has signed it; then withdraws
    the council's certificates and unused invitations, as `councils revoke` does, and notes it in
    the audit log. Exit code 7 if the file was changed or another has signed it.

    Example: `folkmoot-coordinator councils left certificate-of-leaving.json`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.leaving import end_membership

    _, database = open_home(home)
    found = end_membership(database, file, system_clock())
    if json_:
        print_json(
            {
                "council": found.council,
                "left_at": found.body["left_at"],
                "reason": found.body["reason"],
                "ledger": found.body["logs"]["ledger"],
                "certificates_withdrawn": found.certificates,
                "invitations_withdrawn": found.invitations,
            }
        )
        return
    typer.echo(f"{found.council} left on {found.body['left_at']}: {found.body['reason']}")
    typer.echo(f"Certificates withdrawn: {found.certificates}, invitations: {found.invitations}")
