"""What was approved is believed only as the audit log names it, and holds no figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot_node.scrutiny.approved_facts import keep, kept
from folkmoot_operator.problems import ExitCode, Problem
from tests.made_up_facts import FIGURE, approved


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    keep(tmp_path / "approved", approved())
    found = kept(tmp_path / "approved", approved().sha256)
    assert found == approved()
    assert found.content == approved().content


def test_it_holds_no_figure_over_households() -> None:
    assert str(FIGURE) not in approved().content.decode()
    assert not any(key.startswith(("households.", "runs.")) for key in approved().by_key)


def test_a_file_that_was_changed_or_is_gone_is_not_believed(tmp_path: Path) -> None:
    keep(tmp_path, approved())
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b"20.0", b"90.0"))
    with pytest.raises(Problem, match="not what was approved") as caught:
        kept(tmp_path, approved().sha256)
    assert caught.value.exit_code is ExitCode.VERIFICATION
    keep(tmp_path, approved())  # approved once more: the file is whole again
    assert kept(tmp_path, approved().sha256) == approved()
    path.unlink()
    with pytest.raises(Problem, match="cannot be read"):
        kept(tmp_path, approved().sha256)
