"""Exit codes, from the enumeration."""

from __future__ import annotations

from documentation.docstrings import attributes
from documentation.markdown import table
from folkmoot_operator.problems import ExitCode


def exit_codes_page() -> str:
    """The page of the exit codes."""
    said = attributes(ExitCode)
    rows = [(str(int(code)), f"`{code.name}`", said.get(code.name, "Done.")) for code in ExitCode]
    return (
        "# Exit codes\n\nEvery command ends with one of these, so that scripts and units can tell "
        "what to do.\n\n" + table(("Code", "Name", "What it means"), rows)
    )
