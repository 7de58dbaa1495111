"""Copies of what options name: only copies are changed, and what is no file stays as it is."""

import pytest

from folkmoot_kit.checks import extracts
from folkmoot_kit.checks.extracts import MARK, copied
from folkmoot_operator.problems import Problem

CSV = 'UPRN,"OWED",NAME\n1,2.50,"Quill, Ann"\n2,3.50,Bob\n'


@pytest.fixture
def base(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "copies").mkdir()
    (tmp_path / "base" / "owed.csv").write_text(CSV)
    return tmp_path / "base"


def copies(options, base):
    return copied(options, base, base.parent / "copies")


def test_files_and_folders_are_copied_wherever_options_name_them(base):
    (base / "in").mkdir()
    (base / "in" / "more.csv").write_text(CSV)
    options = {
        "file": "owed.csv",
        "folders": ["in", str(base / "in")],
        "nested": {"url": "sqlite:///owed.csv"},
    }
    found = copies(options, base)
    for place in (found.options["file"], *found.options["folders"]):
        assert (found.base / place).exists()
        assert base not in (found.base / place).resolve().parents
    assert found.options["nested"]["url"].startswith("sqlite:///given")
    assert found.options["folders"][0] == found.options["folders"][1]
    assert [extract.path.name for extract in found.extracts] == ["owed.csv", "more.csv"]


@pytest.mark.parametrize("value", ["", "other.csv", "a\0b", "https://example.org/x", 7, True, None])
def test_what_names_no_file_stays(base, value):
    assert copies({"key": value}, base).options == {"key": value}


def test_only_text_with_columns_is_an_extract(base):
    (base / "m.toml").write_text("a,b\n1,2\n")
    (base / "one.csv").write_text("a,b\n")
    (base / "plain.txt").write_text("a\nb\n")
    (base / "x.parquet").write_bytes(b"PAR1,\0\n,\n")
    found = copies({"all": "."}, base)
    assert [extract.path.name for extract in found.extracts] == ["owed.csv"]


def test_one_thing_is_changed_at_a_time(base):
    (extract,) = copies({"file": "owed.csv"}, base).extracts
    assert extract.without_column(1).splitlines()[0] == 'UPRN,"OWED_renamed",NAME'
    assert extract.without_column(1).splitlines()[1:] == extract.rows
    assert extract.with_mark(0).splitlines()[1:] == ['1,2.50,"Quill, Ann"', f"{MARK},3.50,Bob"]
    assert extract.without_rows() == 'UPRN,"OWED",NAME\n'
    assert "".join(extract.repeated(1000)).count("\n") == 1001


def test_a_folder_that_is_too_large_is_refused_before_it_is_copied(base, monkeypatch):
    monkeypatch.setattr(extracts, "_MAX_FOLDER_BYTES", 10)
    with pytest.raises(Problem, match="holds more than") as caught:
        copies({"folder": "."}, base)
    assert "small sample" in caught.value.remedy
    assert list((base.parent / "copies").iterdir()) == []
