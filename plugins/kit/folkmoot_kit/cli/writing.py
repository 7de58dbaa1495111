"""`folkmoot-plugin new` and `run`: a plugin written, and tried without a node."""

from __future__ import annotations

import sys
import textwrap
import time
import tomllib
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from folkmoot_operator import console
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from folkmoot_kit.confinement import Grants
    from folkmoot_kit.hosting import HostedPlugins
    from folkmoot_kit.writing.trial_run import FactorRun, SourceRun

_WIDTH = 80
_MEMORY_MIB = 2048
_SECONDS = 120.0


class _Kind(Enum):
    """What `new` can write."""

    SOURCE = "source"
    FACTOR = "factor"
    MODEL = "model"
    AREA = "area"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("new")(new)
    app.command("run")(run)


def new(
    name: str = typer.Argument(metavar="NAME", help="Lower-case words, such as energy-debt."),
    kind: _Kind = typer.Option(_Kind.FACTOR, help="What it is."),
    folder: Path = typer.Option(Path(), metavar="FOLDER", help="Where to make it."),
    json: bool = typer.Option(False, "--json", help="For programs to read."),
) -> None:
    """Write a distribution with one plugin, which passes its tests and checks at once.

    It has typed code, sample data, tests, a README, and a file for continuous integration. A
    model is a factor with coefficients that scikit-learn has trained, and exact explanations.

    Examples:
    `folkmoot-plugin new energy-debt`

    `folkmoot-plugin new meter-readings --kind source --folder ~/plugins`
    """
    from folkmoot_kit.writing.skeleton import Kind, write

    root, *written = write(name, Kind(kind.value), folder)
    if json:
        console.print_json(
            {"folder": str(root), "distribution": root.name, "files": [str(p) for p in written]}
        )
        return
    for path in written:
        typer.echo(str(path))
    typer.echo(
        f'\nNext:\n  cd {root}\n  pip install -e ".[test]"\n  pytest\n'
        f"  folkmoot-plugin check {root.name}\nIts README says the rest."
    )


def run(
    plugin: str = typer.Argument(
        metavar="PLUGIN|WHEEL", help="An installed distribution, a wheel, or a module here."
    ),
    factor: str | None = typer.Option(
        None, metavar="NAME", help="Factor to score with; not needed if there is only one."
    ),
    parameters: Path | None = typer.Option(
        None, metavar="FILE", help="TOML file with the factor's parameters."
    ),
    source: str | None = typer.Option(
        None, metavar="KIND", help="Kind of source to read; not needed if there is only one."
    ),
    options: Path | None = typer.Option(
        None,
        metavar="FILE",
        help="TOML file with the options of the source; its paths refer to the file's folder.",
    ),
    sample: Path | None = typer.Option(
        None, metavar="FILE", help="CSV or Parquet with a column for each input of the factor."
    ),
    rows: int = typer.Option(5, min=0, max=1000, help="Households or records to show."),
    households: int = typer.Option(
        1000, min=1, max=1_000_000, help="How many to make up where there is no sample."
    ),
    network: bool = typer.Option(
        False, "--network", help="Let the source use the network, as a council may allow."
    ),
    json: bool = typer.Option(False, "--json", help="For programs to read."),
) -> None:
    """Try a plugin on a sample, confined as in a node: values, explanations, timings.

    A factor scores the households of --sample, or made-up ones. A source is read by --options.
    Values are shown as they are: use made-up data.

    Examples:
    `folkmoot-plugin run folkmoot-plugin-energy-debt --sample samples/households.csv`

    `folkmoot-plugin run my_source --source my_kind --options options.toml`
    """
    if source is not None or (options is not None and factor is None and sample is None):
        _refuse_together("--source", {"--factor": factor, "--parameters": parameters,
                                      "--sample": sample})  # fmt: skip
        if options is None:
            _together("--source", source, "--options", options)
        _run_source(plugin, source, options or Path(), rows, network, json)
        return
    _refuse_together("a factor", {"--options": options, "--network": network or None})
    _run_factor(plugin, factor, parameters, sample, rows, households, json)


def _run_factor(
    plugin: str,
    wanted: str | None,
    parameters: Path | None,
    sample: Path | None,
    rows: int,
    households: int,
    json: bool,
) -> None:
    from folkmoot_kit.writing import sample as samples
    from folkmoot_kit.writing.trial_run import try_factor

    given = _toml(parameters, "--parameters") if parameters else {}
    where = str(parameters) if parameters else "parameters"
    with _opened(plugin, _grants()) as (plugins, started):
        name = _only("--factor", "factor", wanted, plugins.factors)
        cls = plugins.factors[name]
        drawn = samples.read(sample, cls.inputs) if sample else None
        found = try_factor(cls, given, where, drawn, count=households, rows=rows)
    if json:
        console.print_json(_as_json(found, started))
    else:
        _print_factor(found, started)


def _run_source(
    plugin: str, kind: str | None, options: Path, rows: int, network: bool, json: bool
) -> None:
    from folkmoot_kit.writing.trial_run import named_paths, try_source

    given = _toml(options, "--options")
    base = options.resolve().parent
    # Libraries that read files read the time as well, and end where they cannot.
    grants = _grants(readable=named_paths(given, base), network=network, clock=True)
    with _opened(plugin, grants) as (plugins, started):
        name = _only("--source", "source", kind, plugins.sources)
        found = try_source(plugins.sources[name], given, str(options), base, rows=rows)
    if json:
        console.print_json(_as_json(found, started))
    else:
        _print_source(found, started)


def _grants(**given: Any) -> Grants:
    from folkmoot_kit.confinement import Grants, Limits

    return Grants(limits=Limits(memory_mib=_MEMORY_MIB, seconds=_SECONDS), **given)


@contextmanager
def _opened(plugin: str, grants: Grants) -> Iterator[tuple[HostedPlugins, float]]:
    """The plugin in a confined process, and the milliseconds that starting it took."""
    from folkmoot_kit import confinement
    from folkmoot_kit.checks import subject
    from folkmoot_kit.hosting import Hosting, open_plugins

    with subject.opened(plugin) as found:
        wanted = Hosting(distributions=(found.name,), grants=grants, show_messages=True)
        folders = (*found.folders, *confinement.import_folders())
        start = time.perf_counter()
        with open_plugins([wanted], import_folders=folders) as plugins:
            started = 1000 * (time.perf_counter() - start)
            for broken in plugins.broken:
                raise Problem(
                    broken.problem,
                    where=f"{broken.origin}{', ' if broken.hook else ''}{broken.hook}",
                    remedy=broken.remedy,
                    exit_code=ExitCode.FAULT,
                )
            yield plugins, started


def _only(option: str, noun: str, wanted: str | None, known: Mapping[str, object]) -> str:
    """The one that is asked for; the only one if none is."""
    from folkmoot_sdk.parameters import nearest

    if wanted in known:
        return str(wanted)
    if wanted is None and len(known) == 1:
        return next(iter(known))
    if not known:
        problem, remedy = f"registers no {noun}", "Look at `folkmoot-plugin list`"
    elif wanted is None:
        problem, remedy = f"is needed: there are {len(known)}", f"Valid: {', '.join(sorted(known))}"
    else:
        problem, remedy = f"is no {noun} of this plugin", nearest(wanted, known)
    where = option if wanted is None else f"{option} {wanted}"
    raise Problem(problem, where=where, remedy=remedy, exit_code=ExitCode.SETTINGS)


def _together(one: str, given: object, other: str, too: object) -> None:
    if (given is None) != (too is None):
        raise Problem(
            "go together",
            where=f"{one} and {other}",
            remedy="Give both",
            exit_code=ExitCode.SETTINGS,
        )


def _refuse_together(what: str, others: Mapping[str, object]) -> None:
    for option, given in others.items():
        if given is not None:
            raise Problem(
                f"does not go with {what}",
                where=option,
                remedy="Try a factor and a source one after the other",
                exit_code=ExitCode.SETTINGS,
            )


def _toml(path: Path, option: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror})", f"Correct {option}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem, remedy = f"is not valid TOML: {error}", "Correct the file"
    except RecursionError:
        problem, remedy = "is nested too deeply", "Correct the file"
    raise Problem(problem, where=str(path), remedy=remedy, exit_code=ExitCode.SETTINGS)


def _print_factor(found: FactorRun, started: float) -> None:
    from folkmoot_kit.writing.picture import lines

    _line(f"factor {found.name}: {found.title}")
    for at, household in enumerate(found.shown, 1):
        values = ", ".join(f"{name} {_shown(v)}" for name, v in household.values.items())
        score = "unknown" if household.score is None else f"{household.score:.3f}"
        _line(f"{at:>4}  {score}  {values}", " " * 6)
        _line(f"      {household.explanation}", " " * 6)
    _line("")
    _line(f"Scores of {found.households:,} households")
    for text in lines(found.spread):
        _line(text)
    _print_timings({"start the process": started, **found.milliseconds})


def _print_source(found: SourceRun, started: float) -> None:
    article = "an" if found.level.startswith("a") else "a"
    _line(
        f"source {found.kind}: {found.records:,} records about {article} {found.level}, "
        f"{found.batches:,} batch{'' if found.batches == 1 else 'es'}"
    )
    for at, record in enumerate(found.shown, 1):
        values = ", ".join(f"{name} {_shown(value)}" for name, value in record.items())
        _line(f"{at:>4}  {values}", " " * 6)
    _line("")
    for column in found.columns:
        if column.codes:
            most = list(column.codes.items())[:5]
            held = ", ".join(f"{code} {count:,}" for code, count in most)
        elif column.smallest is not None:
            held = f"from {_shown(column.smallest)} to {_shown(column.largest)}"
        else:
            held = "nothing"
        unread = f", {column.unread:,} not read" if column.unread else ""
        _line(f"{column.name} ({column.type}): {column.known:,} known{unread}; {held}", " " * 4)
    for reason, records in found.left_out.items():
        _line(f"left out, {reason}: {records:,}")
    if found.rejections:
        _line(f"rejected: {len(found.rejections):,}")
        for entry in found.rejections[: max(5, len(found.shown))]:
            value = f" ({entry.value})" if entry.value else ""
            _line(f"  {entry.file} row {entry.row}, {entry.field}: {entry.reason}{value}", " " * 4)
    for note in found.notes:
        _line(f"note: {note}", " " * 6)
    _print_timings({"start the process": started, **found.milliseconds})


def _print_timings(milliseconds: Mapping[str, float]) -> None:
    _line("")
    _line("Milliseconds")
    for step, took in milliseconds.items():
        _line(f"{took:>10,.1f}  {step}")


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:,.2f}".removesuffix(".00")
    return str(value)


def _line(text: str, indent: str = "") -> None:
    """Prints a line, folded between words on a terminal and whole elsewhere."""
    if sys.stdout.isatty() and len(text) > _WIDTH:
        text = textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    typer.echo(text)


def _as_json(found: FactorRun | SourceRun, started: float) -> dict[str, Any]:
    import dataclasses

    made = dataclasses.asdict(found)
    made["milliseconds"] = {"start the process": started, **made["milliseconds"]}
    return made
