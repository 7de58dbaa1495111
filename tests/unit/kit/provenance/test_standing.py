"""How a plugin stands: what lets it run, and each thing that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin_council import Council, make_council


@pytest.fixture
def council(tmp_path: Path) -> Council:
    return make_council(tmp_path)


def test_a_signed_and_pinned_plugin_may_run(council: Council) -> None:
    found = council.stands()
    assert found.may_run, found.problems
    assert found.allowed
    assert found.pinned
    assert found.signed
    assert not found.reviewed
    assert not found.revoked
