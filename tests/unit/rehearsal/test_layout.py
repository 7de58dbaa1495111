"""The folder of a rehearsal."""

import pytest

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.layout import Layout


def test_a_new_folder_is_marked(tmp_path):
    layout = Layout(tmp_path / "new" / "region")
    layout.prepare(replace=False)
    assert layout.results.is_file()


def test_an_earlier_rehearsal_is_removed_only_when_asked(tmp_path):
    layout = Layout(tmp_path / "region")
    layout.prepare(replace=False)
    (layout.root / "left").write_text("over")
    with pytest.raises(Problem, match="earlier rehearsal") as caught:
        layout.prepare(replace=False)
    assert caught.value.exit_code is ExitCode.USAGE
    layout.prepare(replace=True)
    assert not (layout.root / "left").exists()


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(Problem, match="not empty"):
        Layout(tmp_path).prepare(replace=True)
    assert (tmp_path / "kept").read_text() == "kept"


def test_the_readme_names_the_council_and_the_folder(tmp_path):
    layout = Layout(tmp_path)
    layout.write_readme(region(1)[0])
    text = (tmp_path / "README.txt").read_text("utf-8")
    assert "@" not in text
    assert str(tmp_path) in text
    assert "councils/E08000001" in text
