"""`folkmoot-plugin check`: what a plugin must do, tried on made-up data."""

from __future__ import annotations

import sys
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_kit.cli.wheel_options import AsJson, today
from folkmoot_operator import console
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_kit.checks.plugin import Reading, Result, Step
    from folkmoot_kit.checks.subject import Subject
    from folkmoot_sdk.conformance import Finding

_WIDTH = 80


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check)


def check(
    plugin: Annotated[
        str,
        typer.Argument(
            metavar="PLUGIN|WHEEL", help="An installed distribution, a wheel, or a module here."
        ),
    ],
    source: Annotated[
        str | None, typer.Option("--source", metavar="KIND", help="Kind of source to read.")
    ] = None,
    options: Annotated[
        Path | None,
        typer.Option(
            "--options",
            metavar="FILE",
            help="TOML file with the options of the source; its paths refer to the file's folder.",
        ),
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Let the source that is read use the network.")
    ] = False,
    seconds: Annotated[
        float,
        typer.Option(
            "--seconds", min=0.01, help="Longest time that a factor takes for 65,536 households."
        ),
    ] = 1.0,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write a signed report about a wheel."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            help="Private key that signs it, made with `keygen`.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Checks that a plugin does what it declares: confined as in a node, on made-up data.

    Its factors are tried on made-up households, and of its sources the declaration. With
    --source and --options a source is read, and again from changed copies of its files.

    Exit code 1 if it does not conform.

    Example: folkmoot-plugin check folkmoot-plugin-energy-debt

    Example: folkmoot-plugin check energy.whl --source meters --options options.toml
    --report report.json --key ~/keys/me.pem
    """
    from folkmoot_kit.checks import subject
    from folkmoot_operator.output_places import require_no_link, require_place_for_file

    _together("--source", source, "--options", options)
    _together("--report", report, "--key", key)
    if report is not None:
        require_no_link(report, "--report")
        require_place_for_file(report)
    with subject.opened(plugin) as found:
        if report is not None and found.wheel is None:
            raise Problem(
                "a report is about a wheel, so that nobody can take it for another's",
                where="--report",
                remedy="Build the wheel, and check its file",
                exit_code=ExitCode.SETTINGS,
            )
        reading = _reading(source, options)
        with _steps(quiet=as_json) as step:
            result = _checked(found, reading, network, seconds, step)
        if report is not None and key is not None:
            _write_report(result, found, report, key)
    if as_json:
        console.print_json(_as_json(result))
    else:
        _print(result)
        if report is not None:
            typer.echo(f"Signed report: {report}")
    if not result.conforms:
        raise typer.Exit(ExitCode.FAULT)


def _together(one: str, given: object, other: str, too: object) -> None:
    if (given is None) != (too is None):
        raise Problem(
            "go together",
            where=f"{one} and {other}",
            remedy="Give both, or neither",
            exit_code=ExitCode.SETTINGS,
        )


def _reading(kind: str | None, options: Path | None) -> Reading | None:
    from folkmoot_kit.checks.plugin import Reading

    if kind is None or options is None:
        return None
    return Reading(kind, _toml(options), options.resolve().parent)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror})", "Correct --options"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem, remedy = f"is not valid TOML: {error}", "Correct the file"
    except RecursionError:
        problem, remedy = "is nested too deeply", "Correct the file"
    raise Problem(problem, where=str(path), remedy=remedy, exit_code=ExitCode.SETTINGS)


def _checked(
    found: Subject, reading: Reading | None, network: bool, seconds: float, step: Step
) -> Result:
    from importlib.metadata import version

    from folkmoot_kit.checks.confined_bench import ConfinedBench
    from folkmoot_kit.checks.plugin import check_plugin

    return check_plugin(
        found,
        ConfinedBench(found, network=network),
        reading,
        sdk_version=version("folkmoot-sdk"),
        seconds=seconds,
        step=step,
    )


@contextmanager
def _steps(*, quiet: bool) -> Iterator[Step]:
    """Shows on a terminal what is checked now, until it is done."""
    if quiet or not sys.stderr.isatty():
        yield lambda what: None
        return
    with console.console(stderr=True).status("starting") as status:
        yield lambda what: status.update(what[: _WIDTH - 4])


def _write_report(result: Result, found: Subject, report: Path, key: Path) -> None:
    from folkmoot_kit.checks.report import signed_report
    from folkmoot_operator.output_places import writing_to
    from folkmoot_operator.private_files import publishing

    assert found.wheel is not None
    content = signed_report(result, found.wheel, key, today())
    with writing_to(report), publishing():
        report.write_bytes(content)


def _print(result: Result) -> None:
    named = [f"factor {name}" for name in result.factors]
    named += [f"source {kind}" for kind in result.sources]
    other = dict.fromkeys(finding.subject for finding in result.findings)
    for subject in [*(["plugin"] if "" in other else []), *named,
                    *(name for name in other if name and name not in named)]:  # fmt: skip
        wanted = "" if subject == "plugin" else subject
        _print_subject(subject, [f for f in result.findings if f.subject == wanted])
    for kind in result.declared:
        if f"source {kind}" not in other:
            _line(f"ok     source {kind} (declaration only; give --source and --options to read)")
    errors = sum(finding.is_error for finding in result.findings)
    warnings = len(result.findings) - errors
    counted = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
    _line(f"{result.distribution} {result.version}: {len(result.checks)} rules, {counted}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_subject(subject: str, findings: list[Finding]) -> None:
    errors = [finding for finding in findings if finding.is_error]
    word = "FAULT" if errors else "note" if findings else "ok"
    _line(f"{word:6} {subject}")
    for finding in findings:
        mark = "" if finding.is_error else "warning, "
        _line(f"         - {mark}{finding.check.id}: {finding.seen}", "           ")
        _line(f"           Remedy: {finding.remedy}", "             ")


def _line(text: str, indent: str = "       ") -> None:
    """Prints a line, folded between words on a terminal and whole elsewhere."""
    if sys.stdout.isatty():
        text = textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    typer.echo(text)


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "distribution": result.distribution,
        "version": result.version,
        "conforms": result.conforms,
        "factors": list(result.factors),
        "sources": list(result.sources),
        "declared_only": list(result.declared),
        "checks": [check.id for check in result.checks],
        "findings": [finding.as_json() for finding in result.findings],
    }
