"""A folder on a disk of its own that a test fills while processes work in it."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

_MOUNT = """
set -e
mkdir -m 700 "$1.disk"
mount -t tmpfs -o "size=$2m,mode=700" none "$1.disk"
cp -a "$1/." "$1.disk"
mount --bind "$1.disk" "$1"
echo ready
exec sleep infinity
"""


class SmallDisk:
    """A tmpfs in place of a folder, with its content, for processes started through `inside`.

    Nobody else sees it: it is in a mount namespace that a process of its own holds.
    """

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder = folder
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT, "sh",
             str(folder), str(mebibytes)],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self._seen = Path(f"/proc/{self._holder.pid}/root") / folder.relative_to("/")

    @property
    def is_full(self) -> bool:
        """Whether `fill` has filled it, and `free` has not freed it again."""
        return (self._seen / "filler").exists()

    @property
    def inside(self) -> list[str]:
        """Words before a command by which it sees the disk."""
        return ["nsenter", f"--target={self._holder.pid}", "--mount"]

    def fill(self) -> None:
        """Leaves no byte free."""
        with contextlib.suppress(OSError), (self._seen / "filler").open("ab", buffering=0) as file:
            while True:
                file.write(b"0" * 4096)

    def free(self) -> None:
        """Takes away what `fill` has written."""
        (self._seen / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """The disk and what is on it go."""
        self._holder.kill()
        self._holder.communicate()
