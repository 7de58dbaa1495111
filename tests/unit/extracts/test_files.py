"""Which files match, and what is said where none does."""

import pytest

from folkmoot_plugin_extracts.files import find_files
from folkmoot_sdk import PluginError


@pytest.fixture
def having(tmp_path):
    def made(*names):
        for name in names:
            (tmp_path / name).write_text(name)
        return tmp_path

    return made


@pytest.mark.parametrize(
    "name",
    ["council_tax.CSV", "COUNCIL_TAX.csv", "Council_Tax_x.Txt", "council_tax.tsv",
     "council_tax.TAB", "council_tax.Xlsx", "council_tax.xls", "council_tax.ods",
     "council_tax.CSV.GZ", "council_tax.Parquet"],
)  # fmt: skip
def test_capitals_do_not_matter(having, name):
    folder = having(name)
    assert [path.name for path in find_files(folder, ["council_tax*"])] == [name]


def test_brackets_of_a_pattern_stay_as_they_are(having):
    folder = having("a[1].csv", "a1.csv", "b.csv")
    assert [path.name for path in find_files(folder, ["a[[]1].csv"])] == ["a[1].csv"]
    assert [path.name for path in find_files(folder, ["[!b]1.csv"])] == ["a1.csv"]


def test_a_pattern_that_matches_nothing_names_what_is_there(having):
    folder = having("council_taxes.csv", "homes.csv")
    with pytest.raises(PluginError) as caught:
        find_files(folder, ["council_tax.csv"], data_set="arrears")
    assert caught.value.where == f"{folder}/council_tax.csv"
    assert caught.value.problem == "matches no file of arrears"
    assert caught.value.remedy.endswith("Names like it in the folder: council_taxes.csv")
    with pytest.raises(PluginError, match=r"The folder holds council_taxes.csv, homes.csv"):
        find_files(folder, ["x9z.parquet"])


def test_an_empty_folder_and_no_folder(tmp_path):
    with pytest.raises(PluginError, match="The folder holds no file"):
        find_files(tmp_path, ["*.csv"])
    with pytest.raises(PluginError, match="no file of arrears can be read"):
        find_files(tmp_path / "none", ["*.csv"], data_set="arrears")


def test_the_same_file_twice_is_refused(having):
    folder = having("a.csv", "b.csv")
    (folder / "b.csv").write_text("a.csv")
    with pytest.raises(PluginError, match=r"a.csv and b.csv: are the same file twice"):
        find_files(folder, ["*.csv"])
    assert len(find_files(folder, ["*.csv"], copies=True)) == 2
