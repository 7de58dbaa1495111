"""What to do where a program of the operating system is missing."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def may_skip(reason: str) -> bool:
    """Whether a test is skipped for this reason: in CI none is, and it fails where it gets to.

    Args:
        reason: What is missing; empty if nothing is.
    """
    return bool(reason) and not os.environ.get("CI")


def absent(reason: str) -> NoReturn:
    """Skips the test; fails it where `.ci/run` decides, which installs what is missing (CI=1)."""
    if os.environ.get("CI"):
        pytest.fail(f"in CI nothing is skipped: {reason}")
    pytest.skip(reason)
