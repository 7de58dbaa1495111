"""`casework notice`, `subject-access`, `rectify`, `erase`: residents' rights by command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.casework import casework_app
from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import print_json

if TYPE_CHECKING:
    from folkmoot_node.casework.desk import Desk
    from folkmoot_node.casework.rights.by_command import Answering
    from folkmoot_node.casework.rights.kinds import RequestKind

Uprn = Annotated[int, typer.Argument(metavar="UPRN", help="The household.", min=1)]
Reason = Annotated[
    str,
    typer.Option("--reason", help="Why, in a few words that name nobody: the log keeps it."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to `casework`."""
    casework_app.command()(notice)
    casework_app.command("subject-access")(subject_access)
    casework_app.command()(rectify)
    casework_app.command()(erase)
    casework_app.command("translations")(translations)


def notice(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id of a case.")],
    reason: Reason,
    language: Annotated[str, typer.Option(help="`en` or `cy`.")] = "en",
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Prints what the household of a case is told: what counted, from where, and how to object.

    The log has an entry before anything is shown. The page of the case prints it on paper, also in
    large print. Exit code 4 if there is no such case.

    Example: folkmoot-node casework notice k3jx8m2n5p7q --reason "The tenant asked on the phone"
    """
    with _desk(home) as desk:
        from folkmoot_node.casework.rights.by_command import notice_by_command

        made = notice_by_command(desk, case, reason, language)
    if as_json:
        print_json(
            {
                "title": made.title,
                "language": made.language,
                "untranslated": made.untranslated,
                "complete": not made.hidden,
                "sections": [
                    {
                        "heading": one.heading,
                        "paragraphs": one.paragraphs,
                        "points": one.points,
                        "address": one.address,
                    }
                    for one in made.sections
                ],
            }
        )
        return
    if made.hidden:
        typer.echo("Not complete: you may not see all sources. Do not hand it over.", err=True)
    typer.echo(f"{made.title}\n{made.council}, {made.written_on}")
    for one in made.sections:
        typer.echo(f"\n{one.heading}")
        for text in one.paragraphs:
            typer.echo(text)
        for text in one.points:
            typer.echo(f"  - {text}")
        for text in one.address:
            typer.echo(f"  {text}")


def translations(as_json: AsJson = False) -> None:
    """Counts the texts for residents that have no translation yet, by language.

    Translators edit `notice.po`; what is empty there is shown in English.

    Example: folkmoot-node casework translations
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.rights.texts import LANGUAGES, LOCALE, untranslated

    missing = {code: untranslated(code) for code in LANGUAGES if code != "en"}
    if as_json:
        print_json({"untranslated": missing})
        return
    for code, texts in missing.items():
        typer.echo(f"{LANGUAGES[code]}: {len(texts)} texts without a translation, in {LOCALE}.")


def subject_access(
    uprn: Uprn,
    out: Annotated[Path, typer.Option("--out", help="Folder to make.")],
    reason: Reason,
    review: Annotated[
        Path | None,
        typer.Option(
            help="The review of an earlier call, with `true` beside each text that may be shown.",
            dir_okay=False,
        ),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Writes everything that is held on a household into a folder that opens without a network.

    Texts that may be about somebody else are kept back. The command lists them in a private file
    beside the folder: `OUT.review.json`. Read it, put `true` beside what may be shown, and give it
    with --review to make another folder. The request and the answer are recorded; the folder is
    personal data. Exit code 4 if nothing is held, 5 if the casework policy does not permit it.

    Example: folkmoot-node casework subject-access 100012345678 --out answer --reason "A letter"
    """
    from folkmoot_operator.output_places import require_place_for_file, require_safe_folder

    notes = out.with_name(f"{out.name}.review.json")
    require_place_for_file(notes)
    require_safe_folder(out)
    with _desk(home) as desk:
        from folkmoot_node.casework.holders import RECORDS
        from folkmoot_node.casework.rights.access_folder import require_new_folder
        from folkmoot_node.casework.rights.by_command import answer_access, write_review
        from folkmoot_node.casework.rights.dossier import SHOWN
        from folkmoot_node.casework.rights.kinds import RequestKind

        require_new_folder(out)
        answering = _begin(desk, uprn, RequestKind.ACCESS, reason, SHOWN)
        made, listed = answer_access(desk, answering, RECORDS, review)
        made.write(out)
        write_review(notes, listed)
    if as_json:
        print_json({"folder": str(out), "review": str(notes), "kept_back": made.redacted})
        return
    typer.echo(f"Wrote {out}: open index.html.")
    typer.echo(f"{made.redacted} texts are kept back; {notes} lists them.")


def rectify(
    uprn: Uprn,
    reason: Reason,
    reference: Annotated[
        str | None, typer.Option(help="The text, as the command lists it without this option.")
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(help="File with what is right; `-` for standard input.", allow_dash=True),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Replaces a text in casework that is wrong; without --reference, lists those there are.

    An input of the score is corrected by an objection, on the page of its case.

    Example: folkmoot-node casework rectify 100012345678 --reason "A letter of the tenant"
    """
    with _desk(home) as desk:
        from folkmoot_node.casework.holders import RECORDS
        from folkmoot_node.casework.rights.by_command import rectifiable, rectify_by_command
        from folkmoot_node.casework.rights.kinds import RequestKind

        if reference is None or text is None:
            found = rectifiable(desk, uprn, reason, RECORDS)
            rows = [
                {"reference": one.reference, "where": one.item.title, "text": one.fact.value}
                for one in found
            ]
            if as_json:
                print_json(rows)
                return
            for row in rows:
                typer.echo(f"{row['reference']}  {row['where']}: {row['text']}")
            if not rows:
                typer.echo("There is no text that can be corrected here.")
            return
        right = _read(text)
        answering = _begin(desk, uprn, RequestKind.RECTIFICATION, reason, "rectification")
        wrong = rectify_by_command(desk, answering, RECORDS, reference, right)
    if as_json:
        print_json({"room": wrong.room, "entry": wrong.item.title})
        return
    typer.echo(f"Corrected: {wrong.item.title}, {wrong.fact.label}.")


def erase(
    uprn: Uprn,
    reason: Reason,
    ground: Annotated[
        str,
        typer.Option(
            help="`no longer needed`, `consent withdrawn`, `objected`, `unlawful` or `legal duty`."
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Erases a household from casework, after showing what is erased, what stays, and why.

    The council's own records are not erased: the next scoring run reads them again. Exit code 5 if
    a legal hold or an open objection stands in the way.

    Example: folkmoot-node casework erase 100012345678 --ground objected --reason "A letter"
    """
    with _desk(home) as desk:
        from folkmoot_node.casework.holders import RECORDS
        from folkmoot_node.casework.rights.by_command import (
            erase_by_command,
            leave,
            preview_erasure,
        )
        from folkmoot_node.casework.rights.kinds import Ground, RequestKind
        from folkmoot_operator.problems import ExitCode, Problem

        if ground not in list(Ground):
            raise Problem(
                f"{ground!r} is no ground on which a household is erased",
                where="--ground",
                remedy=f"Give one of: {', '.join(Ground)}",
                exit_code=ExitCode.USAGE,
            )
        answering = _begin(desk, uprn, RequestKind.ERASURE, reason, "erasure")
        preview = preview_erasure(desk, answering, RECORDS)
        if not yes:
            for title, count in preview.rooms:
                typer.echo(f"Erased: {title} ({count})", err=True)
            for one in preview.stays:
                typer.echo(f"Stays: {one}", err=True)
            if not typer.confirm("Erase it permanently?", err=True):
                leave(desk, answering, "Whoever ran the command declined")
                raise typer.Abort
        counts = erase_by_command(desk, answering, RECORDS, Ground(ground))
    if as_json:
        print_json({"erased": counts, "stays": preview.stays})
        return
    for room, count in counts.items():
        typer.echo(f"Erased: {room} ({count}).")
    typer.echo("The council's own records stay: the next scoring run reads them again.")


def _begin(desk: Desk, uprn: int, kind: RequestKind, reason: str, what: str) -> Answering:
    from folkmoot_node.casework.rights.by_command import begin

    return begin(desk, uprn, kind, reason, what)


def _read(path: Path) -> str:
    from folkmoot_operator.problems import ExitCode, Problem

    content = typer.get_text_stream("stdin").read() if str(path) == "-" else path.read_text("utf-8")
    if not content.strip():
        raise Problem(
            "there is no text",
            where=str(path),
            remedy="Give a file with what is right",
            exit_code=ExitCode.USAGE,
        )
    return content.strip()


@contextmanager
def _desk(home: Path) -> Iterator[Desk]:
    from folkmoot_node.casework.settings import load_config_as_reader, require_casework

    require_casework()
    from folkmoot_node.casework.desk import desk_for_command

    with desk_for_command(load_config_as_reader(home)) as desk:
        yield desk
