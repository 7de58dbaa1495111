"""What a confined process is granted, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a confined process may use.

    Attributes:
        memory_mib: Address space, in MiB. Libraries reserve more than they use: NumPy, Arrow and
            Polars together take about 700 before the first row.
        seconds: Wall-clock time of one call. The caller enforces it, by `ConfinedProcess.kill`.
        processes: How many threads it may have. It can never have another process.
        scratch_mib: Size of a folder of its own in memory, `/scratch`, in MiB; 0 for none.

    Raises:
        ValueError: for what is not positive.
    """

    memory_mib: int = 2048
    seconds: float = 600.0
    processes: int = 64
    scratch_mib: int = 0

    def __post_init__(self) -> None:
        if min(self.memory_mib, self.seconds, self.processes) <= 0 or self.scratch_mib < 0:
            raise ValueError("limits must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """What a confined process may reach. The default is nothing.

    Attributes:
        readable: Files and folders that it may read, with all that is below them, at the same path.
        network: Whether it may make connections by TCP and ask for names; to any host, since
            names of hosts cannot be enforced here. It never listens.
        clock: Whether it may read the time. TLS cannot do without: `network` brings it along.
        limits: How much it may use.

    Raises:
        ValueError: for a path that is relative, or is the root folder.
    """

    readable: tuple[Path, ...] = ()
    network: bool = False
    clock: bool = False
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        for path in self.readable:
            if not path.is_absolute() or path == Path("/"):
                raise ValueError(f"{path}: must be an absolute path below the root folder")
