"""Of a series of extracts the newest is read; the same file twice, or a doubt, stops."""

import pytest

from folkmoot_plugin_extracts.series import Extracts, chosen
from folkmoot_sdk import PluginError


@pytest.fixture
def choose(tmp_path):
    def chosen_of(*names, extracts=None, same=()):
        notes = []
        for name in names:
            (tmp_path / name).write_text("same" if name in same else name)
        paths = chosen([tmp_path / name for name in sorted(names)], extracts, notes.append)
        return [path.name for path in paths], notes

    return chosen_of


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("rents_2026-09.csv", "rents_2026-10.csv"),
        ("rents_2026-9-30.csv".replace("-9-", "-09-"), "rents_2026-10-31.csv"),
        ("rents_20260930.csv", "rents_20261001.csv"),
        ("rents_202612.csv", "rents_202701.csv"),
        ("rents-31.12.2025.csv", "rents-01.01.2026.csv"),
        ("rents 31122025.csv", "rents 01012026.csv"),
        ("rents_311225.csv", "rents_010126.csv"),
        ("Rents Sep-2026.csv", "Rents Oct-2026.csv"),
        ("rents_December 2025.xlsx", "rents_January 2026.xlsx"),
        ("rents_30Sep26.csv", "rents_01Oct26.csv".replace("01Oct26", "1Oct2026")),
        ("rents_12-2025.csv", "rents_01-2026.csv"),
        ("2026-09 rents.csv", "2026-10 rents.csv"),
        ("rents_2026-09-30T0600.csv", "rents_2026-09-30T1800.csv"),
        ("rents_20260930060000.csv", "rents_20260930180000.csv"),
        ("rents_2026Q3.csv", "rents_2026Q4.csv"),
        ("rents.csv", "rents (1).csv"),
        ("rents (2).csv", "rents (10).csv"),
        ("rents_2026-09 (1).csv", "rents_2026-10.csv"),
        ("rents_2026-09.csv", "RENTS_2026-10.CSV"),
        ("rents_2026-09.csv", "rents_2026-10.xlsx"),
    ],
)
def test_the_newest_of_a_series_is_read(choose, older, newer):
    kept, notes = choose(older, newer)
    assert kept == [newer]
    assert notes == [f"{older} is not read: {newer} is a newer extract"]
    assert sorted(choose(older, newer, extracts=Extracts.ALL)[0]) == sorted([older, newer])


def test_parts_are_all_read_each_of_its_newest(choose):
    names = ["rents_north.csv", "rents_south.csv", "rents_01.csv", "rents_02.csv"]
    assert choose(*names) == (sorted(names), [])
    kept, notes = choose(
        "north_2026-09.csv", "north_2026-10.csv", "south_2026-09.csv", "south_2026-10.csv"
    )
    assert kept == ["north_2026-10.csv", "south_2026-10.csv"]
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["rents_2025.csv", "rents_2026.csv"], "differ only in a year"),
        (["rents_2024-25.csv", "rents_2025-26.csv"], "differ only in a year"),
        (["pay_2026-09-01_2026-09-07.csv", "pay_2026-09-08_2026-09-14.csv"], "bear two dates"),
        (["pay_01Sep2026-07Sep2026.csv", "pay_08Sep2026-14Sep2026.csv"], "bear two dates"),
    ],
)
def test_names_that_may_mean_parts_stop_until_the_mapping_says(choose, names, why):
    with pytest.raises(PluginError, match=why) as caught:
        choose(*names)
    assert 'extracts = "all"' in caught.value.remedy
    assert 'extracts = "newest"' in caught.value.remedy
    assert choose(*names, extracts=Extracts.ALL)[0] == names
    assert choose(*names, extracts=Extracts.NEWEST)[0] == names[-1:]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["rents.csv", "rents_2026-10.csv"], "only some bear a date"),
        (["rents.csv", "rents.xlsx"], "differ in nothing but their endings"),
        (["rents_2026-10.csv", "rents_Oct2026.csv"], "how the date is written"),
        (["rents.csv", "rents - Copy.csv"], "copies of it that differ now"),
        (["rents_Sep.csv", "rents_Oct.csv"], "the name of a month"),
    ],
)
def test_names_that_give_no_order_stop_whatever_the_mapping_says(choose, names, why):
    for extracts in (None, Extracts.NEWEST):
        with pytest.raises(PluginError, match=why) as caught:
            choose(*names, extracts=extracts)
        assert "out of the folder" in caught.value.remedy
    assert choose(*names, extracts=Extracts.ALL)[0] == sorted(names)


@pytest.mark.parametrize("extracts", [None, *Extracts])
def test_the_same_file_twice_stops(choose, extracts):
    for names in (["rents.csv", "rents (1).csv"], ["north.csv", "south.csv"]):
        with pytest.raises(PluginError, match="the same file twice, byte for byte"):
            choose(*names, extracts=extracts, same=names)


def test_a_month_in_which_nothing_changed_is_no_copy(choose):
    names = ["rents_2026-09.csv", "rents_2026-10.csv"]
    assert choose(*names, same=names)[0] == names[1:]
    with pytest.raises(PluginError, match="the same file twice"):
        choose(*names, same=names, extracts=Extracts.ALL)


@pytest.mark.parametrize("name", ["market_rents.csv", "sepals.csv", "mayfair.csv", "123456789.csv"])
def test_words_and_numbers_that_are_no_date(choose, name):
    assert choose(name, "other.csv")[0] == sorted([name, "other.csv"])
