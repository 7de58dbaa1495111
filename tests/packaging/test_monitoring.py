"""The alerts and the settings for Prometheus hold, by Prometheus's own tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.absent import absent

MONITORING = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"


@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(words: tuple[str, ...]) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        absent("promtool, of the Debian package prometheus, is not installed")
    done = subprocess.run(
        [tool, *words], cwd=MONITORING, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
