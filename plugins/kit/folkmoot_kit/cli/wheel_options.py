"""Options that the commands about wheels share."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
WheelFile = Annotated[
    Path, typer.Argument(metavar="WHEEL", help="The wheel.", dir_okay=False, exists=True)
]
KeyFile = Annotated[
    Path,
    typer.Option("--key", help="Private key, made with `keygen`.", dir_okay=False, exists=True),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Where to write it; beside the wheel if left out.", dir_okay=False),
]
Days = Annotated[int, typer.Option("--days", min=1, help="For how many days it counts.")]
Network = Annotated[
    list[str] | None,
    typer.Option("--network", metavar="HOST", help="A host that its sources reach."),
]
Files = Annotated[bool, typer.Option("--files", help="Its sources read files.")]
Memory = Annotated[int, typer.Option("--memory-mib", help="Memory of its process, MiB.")]
Seconds = Annotated[int, typer.Option("--seconds", help="Time of one call, seconds.")]


def today() -> datetime.date:
    """The date in UTC, as signatures have it."""
    return datetime.datetime.now(datetime.UTC).date()
