"""The command `folkmoot-plugin`: new, check, list."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import shutil
import sys
import textwrap
import tomllib
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from folkmoot_sdk import skeleton
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.hooks import PROJECT
from folkmoot_sdk.inventory import inventory
from folkmoot_sdk.loading import Plugins, load
from folkmoot_sdk.parameters import nearest

OK, FAULTS, SETTINGS = 0, 1, 3
_ENDED = """\
FAULT  the plugin has ended the process that it runs in (exit code {}); the checks were not done
         - Raise an error instead of calling sys.exit or os._exit"""
_EXAMPLES = """\
examples:
  folkmoot-plugin new energy-debt
  folkmoot-plugin check folkmoot-plugin-energy-debt
  folkmoot-plugin check my_source --source my_kind --options options.toml
  folkmoot-plugin list --json

exit codes: 0 done, 1 a plugin is broken or does not conform, 2 wrong command line,
3 a name, file or folder is wrong
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Instead of those of the process.

    Returns:
        The exit code; see the examples in `--help`.
    """
    options = _parser().parse_args(arguments)
    return _ended(options.run, options)


def _ended(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Runs what was asked for, and says what was wrong; gives the exit code."""
    try:
        return int(run(options))
    except SystemExit as end:
        print(_ENDED.format(end.code), file=sys.stderr)
        return FAULTS
    except PluginError as error:
        print(f"Error: {error.where}: {error.problem}", file=sys.stderr)
        print(f"  Remedy: {error.remedy}", file=sys.stderr)
        return SETTINGS
    except BrokenPipeError:
        return OK


def _parser() -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="folkmoot-plugin",
        description="Make, check and list plugins of a Folkmoot node.",
        epilog=_EXAMPLES,
        formatter_class=shape,
    )
    version = f"%(prog)s {importlib.metadata.version('folkmoot-sdk')}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    new = commands.add_parser(
        "new",
        help="write the skeleton of a risk factor, ready to install",
        description="Write the skeleton of a distribution with one risk factor.",
        epilog="example:\n  folkmoot-plugin new energy-debt --folder ~/plugins",
        formatter_class=shape,
    )
    new.add_argument("name", metavar="NAME", help="lower-case words, such as energy-debt")
    new.add_argument("--folder", type=Path, default=Path(), help="where to make it (default: here)")
    new.set_defaults(run=_new)

    check = commands.add_parser(
        "check",
        help="check that a plugin does what it declares",
        description=(
            "Check the factors of a plugin on made-up households, and the declaration of its "
            "sources. With --source and --options, read a source and check its records."
        ),
        epilog="examples:\n  folkmoot-plugin check folkmoot-plugin-energy-debt\n"
        "  folkmoot-plugin check my_source --source my_kind --options options.toml",
        formatter_class=shape,
    )
    check.add_argument(
        "plugin", metavar="PLUGIN", help="an installed distribution, or a module to import"
    )
    check.add_argument("--source", metavar="KIND", help="kind of source to read")
    check.add_argument(
        "--options",
        type=Path,
        metavar="FILE",
        help="TOML file with the options of the source; its paths refer to the file's folder",
    )
    check.set_defaults(run=_check)

    list_ = commands.add_parser(
        "list",
        help="list the installed plugins",
        description="List the installed plugins: sources, factors, parameters, what is broken.",
        epilog="example:\n  folkmoot-plugin list --json",
        formatter_class=shape,
    )
    list_.add_argument("--json", action="store_true", help="for programs to read")
    list_.set_defaults(run=_list)
    return parser


def _new(options: argparse.Namespace) -> int:
    written = skeleton.write(options.name, options.folder)
    for path in written:
        print(path)
    root = written[0].parent
    print(f"\nNext: cd {root}, pip install -e ., folkmoot-plugin check {root.name}")
    return OK


def _check(options: argparse.Namespace) -> int:
    if sys.stdout is not sys.__stdout__:  # where a program calls it, which wants its output
        return _check_here(options)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # a plugin can end the process that it runs in: only a report is believed
        code = _ended(_check_here, options)
        print(end="", flush=True)
        os.write(writing, bytes([code]))
        os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    os.set_blocking(reading, False)
    try:
        reported = os.read(reading, 1)
    except BlockingIOError:
        reported = b""
    os.close(reading)
    if reported:
        return reported[0]
    print(_ENDED.format(os.waitstatus_to_exitcode(status)), file=sys.stderr)
    return FAULTS


def _check_here(options: argparse.Namespace) -> int:
    if bool(options.source) != bool(options.options):
        raise PluginError(
            "--source and --options", "go together", "Give both, or neither to read no records"
        )
    # Late: the checks are of no use to `list` and `new`.
    from folkmoot_sdk.conformance import REFERENCE_DATE
    from folkmoot_sdk.conformance import factor_findings as factor_conformance
    from folkmoot_sdk.conformance import source_findings as source_conformance

    plugins = load(_entry_points(options.plugin))
    if options.source and options.source not in plugins.sources:
        raise PluginError(
            f"--source {options.source}",
            "is not a kind of source of this plugin",
            nearest(options.source, plugins.sources),
        )
    faulty = bool(plugins.broken)
    for broken in plugins.broken:
        print(f"FAULT  {broken}")
    for name, factor in plugins.factors.items():
        faulty |= _print_faults(f"factor {name}", factor_conformance(factor))
    for kind, source in plugins.sources.items():
        if kind != options.source:
            print(f"ok     source {kind} (declaration only; give --source and --options to read)")
            continue
        given = _toml(options.options) | {"base": str(options.options.resolve().parent)}
        faulty |= _print_faults(f"source {kind}", source_conformance(source, given, REFERENCE_DATE))
    return FAULTS if faulty else OK


def _print_faults(what: str, faults: Sequence[object]) -> bool:
    print(f"{'FAULT ' if faults else 'ok    '} {what}")
    for fault in faults:
        print(f"         - {fault}")
    return bool(faults)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PluginError(
            str(path), f"cannot be read ({error.strerror})", "Correct --options"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginError(str(path), f"is not valid TOML: {error}", "Correct the file") from None
    except RecursionError:
        raise PluginError(str(path), "is nested too deeply", "Correct the file") from None


def _entry_points(plugin: str) -> list[EntryPoint]:
    """The entry points of a distribution, or one made for a module."""
    try:
        distribution = importlib.metadata.distribution(plugin)
    except importlib.metadata.PackageNotFoundError:
        pass
    else:
        points = list(distribution.entry_points.select(group=PROJECT))
        if points:
            return points
        raise PluginError(
            f"distribution {plugin}",
            f"has no entry point in the group {PROJECT!r}",
            f"Add [project.entry-points.{PROJECT}] to its pyproject.toml and install it again",
        )
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.util.find_spec(plugin)
    except (ImportError, ValueError):
        found = None
    if found is None:
        installed = {p.dist.name for p in importlib.metadata.entry_points(group=PROJECT) if p.dist}
        raise PluginError(
            f"plugin {plugin!r}",
            "is neither an installed distribution nor a module",
            f"Install it, or run the command in its folder. {nearest(plugin, installed)}",
        )
    return [EntryPoint(name=plugin, value=plugin, group=PROJECT)]


def _list(options: argparse.Namespace) -> int:
    plugins = load()
    found = inventory(plugins)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_inventory(found, plugins)
    return FAULTS if plugins.broken else OK


def _print_inventory(found: dict[str, Any], plugins: Plugins) -> None:
    if not found["plugins"] and not plugins.broken:
        print("No plugin is installed.")
    for plugin in found["plugins"]:
        print(f"{plugin['distribution']} {plugin['version']}")
        for source in plugin["sources"]:
            print(f"  source {source['kind']}")
            _print_parameters(source["options"])
        for factor in plugin["factors"]:
            print(f"  factor {factor['name']}: {factor['title']}")
            inputs = [
                entry["name"] + ("" if entry["required"] else " (optional)")
                for entry in factor["inputs"]
            ]
            _print_folded(f"    inputs: {', '.join(inputs)}")
            _print_parameters(factor["parameters"])
    for broken in plugins.broken:
        print(f"BROKEN {broken}")


def _print_parameters(parameters: list[dict[str, Any]]) -> None:
    for entry in parameters:
        value = "required" if entry["required"] else f"= {entry['default']}"
        unit = f" {entry['unit']}" if entry["unit"] else ""
        _print_folded(f"    {entry['key']} {value}{unit}: {entry['description']}")


def _print_folded(line: str) -> None:
    """Prints a line, broken between words on a terminal and whole elsewhere."""
    if not sys.stdout.isatty():
        print(line)
        return
    width = shutil.get_terminal_size().columns
    print(textwrap.fill(line, width, subsequent_indent=" " * 8, break_on_hyphens=False))


if __name__ == "__main__":
    sys.exit(main())
