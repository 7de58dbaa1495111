"""What a repair deletes is what a stopped process has left, and nothing of a person's."""

from __future__ import annotations

import os
import time
from pathlib import Path

from folkmoot_operator.repairs import unfinished_files


def test_a_copy_with_a_date_is_a_persons(tmp_path: Path) -> None:
    long_ago = time.time() - 100_000
    for name in (".node.toml.20261129", ".node.toml.0a1b2c3d", ".node.toml.12345678", "node.toml"):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (long_ago, long_ago))
    (tmp_path / ".link.0a1b2c3d").symlink_to(tmp_path / "node.toml")
    found = {path.name for path in unfinished_files([tmp_path])}
    assert found == {".node.toml.0a1b2c3d", ".node.toml.12345678"}
