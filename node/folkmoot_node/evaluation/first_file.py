"""An evaluation file to begin with."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from folkmoot_operator.output_places import require_no_link, writing_to
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem


def first_file() -> str:
    """The text of the file, as `docs/evaluation.md` shows it."""
    shipped = files("folkmoot_node.evaluation").joinpath("templates", "evaluation.toml")
    return shipped.read_text("utf-8")


def require_new(path: Path) -> None:
    """Finds out whether the file can be written, before work begins that takes long.

    Raises:
        Problem: Exit code USAGE, if there is a file of this name, or a link.
    """
    require_no_link(path, "FILE")
    if path.exists():
        raise _there(path)


def write_first(path: Path, text: str) -> None:
    """Writes the file.

    Raises:
        Problem: Exit code USAGE, if there is a file of this name, which stays as it is, or the
            place cannot be written to.
    """
    require_no_link(path, "FILE")
    try:
        with writing_to(path):
            write_private(path, text.encode(), replace=False)
    except FileExistsError:
        raise _there(path) from None


def _there(path: Path) -> Problem:
    return Problem(
        "is there already",
        where=str(path),
        remedy="Give another name, or run the file without --init",
        exit_code=ExitCode.USAGE,
    )
