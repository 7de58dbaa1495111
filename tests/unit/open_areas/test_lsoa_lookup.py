"""Split LSOAs share counts and inherit values; merged ones add and average."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_plugin_open_areas.lsoa_lookup import LookupOptions, LsoaLookup, load_lookup
from folkmoot_sdk import PluginError

OLD = ["E01000001", "E01000002", "E01000003", "E01000004"]
FRAME = pl.DataFrame({"area": OLD, "n": [10.0, 8.0, 3.0, 5.0], "score": [1.0, 2.0, 30.0, 50.0]})


def load(folder, weight="", text=None, **options):
    if text is not None:
        (folder / "lookup.csv").write_text(text)
    return load_lookup(folder, LookupOptions(file="lookup.csv", weight=weight, **options))


def values(frame, name):
    return dict(frame.select("area", name).iter_rows())


@pytest.mark.parametrize(
    ("weight", "counts"), [("", (4.0, 4.0)), ("HOMES", (6.0, 2.0))], ids=["alike", "weighted"]
)
def test_a_count_of_a_split_lsoa_is_shared_and_those_of_merged_ones_add_up(folder, weight, counts):
    assert values(load(folder, weight).counts(FRAME, ["n"]), "n") == {
        "E01000001": 10.0,
        "E01000011": counts[0],
        "E01000012": counts[1],
        "E01000013": 8.0,
    }


@pytest.mark.parametrize(("weight", "mean"), [("", 40.0), ("HOMES", 45.0)])
def test_parts_inherit_a_score_and_merged_ones_have_the_mean(folder, weight, mean):
    assert values(load(folder, weight).means(FRAME, ["score"]), "score") == {
        "E01000001": 1.0,
        "E01000011": 2.0,
        "E01000012": 2.0,
        "E01000013": mean,
    }


def test_a_score_that_is_not_known_is_left_out_of_the_mean(folder):
    frame = FRAME.with_columns(score=pl.Series([None, 2.0, None, 50.0]))
    found = values(load(folder).means(frame, ["score"]), "score")
    assert found["E01000013"] == 50.0
    assert found["E01000001"] is None


def test_where_all_weights_are_zero_parts_count_alike(folder):
    text = "LSOA11CD,LSOA21CD,HOMES\nE01000002,E01000011,0\nE01000002,E01000012,0\n"
    found = load(folder, "HOMES", text).counts(FRAME.filter(pl.col("area") == OLD[1]), ["n"])
    assert found["n"].to_list() == [4.0, 4.0]


def test_the_vintage_is_told_by_the_code_lists(folder):
    lookup = load(folder)
    codes = pl.Series(["E01000001", "E01099999", None])
    assert lookup.unknown("f.csv", codes, 2011).to_list() == [False, True, False]
    assert lookup.unknown("f.csv", codes, 2021).to_list() == [False, True, False]
    for codes, vintage, other in (("E01000011", 2011, 2021), ("E01000002", 2021, 2011)):
        with pytest.raises(PluginError, match=f"LSOAs of {other} alone") as caught:
            lookup.unknown("f.csv", pl.Series(["E01000001", codes]), vintage)
        assert codes not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LSOA11CD,LSOA21CD\n", "has no rows"),
        ("LSOA11CD,LSOA21CD\nE01000001,\n", r"line 2: has no readable value in column 'LSOA21CD'"),
        ("LSOA11CD,LSOA21CD\nE01000001,E0100\n", "line 2: has no readable value"),
        ("LSOA11CD,LSOA21CD\nE01000001\n", "line 2: has 1 fields"),
        ("LSOA11CD,LSOA21CD\n" + "E01000001,E01000001\n" * 2, "names a pair of LSOAs twice"),
        ("LSOA11CD,LSOA22CD\nE01000001,E01000001\n", "has no column 'LSOA21CD'"),
    ],
)
def test_a_lookup_that_is_not_sound_throughout_is_refused(folder, text, message):
    with pytest.raises(PluginError, match=message):
        load(folder, text=text)


@pytest.mark.parametrize("weight", ["-1", "x", ""])
def test_a_weight_that_is_none_is_refused(folder, weight):
    with pytest.raises(PluginError, match="no readable value in column 'HOMES'"):
        load(folder, "HOMES", f"LSOA11CD,LSOA21CD,HOMES\nE01000001,E01000001,{weight}\n")


@pytest.mark.parametrize(
    "text",
    [
        # The published best fit: each LSOA of 2011 has one row, and parts are missing.
        "LSOA11CD,LSOA21CD\nE01000001,E01000001\nE01000002,E01000011\n",
        "LSOA11CD,LSOA21CD,CHGIND\nE01000001,E01000001,U\nE01000002,E01000011,S\n",
        "LSOA11CD,LSOA21CD,CHGIND\nE01000002,E01000002,S\n",
        "LSOA11CD,LSOA21CD,CHGIND\nE01000003,E01000003,M\n",
    ],
)
def test_a_best_fit_lookup_is_refused(folder, text):
    with pytest.raises(
        PluginError, match=r"is not an exact-fit lookup: E0100000[23] has only"
    ) as e:
        load(folder, text=text)
    assert "Exact Fit" in e.value.remedy


def test_codes_are_of_the_year_that_lists_them(folder):
    codes = pl.Series(["E01000001", "E01000002", "E01000011", "E01099999", None])
    assert load(folder).vintages(codes, 2021).to_list() == [2021, 2011, 2021, None, None]
    assert load(folder).vintages(codes, 2011).to_list() == [2011, 2011, 2021, None, None]


pairs = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1)


@given(pairs=pairs, data=st.data())
def test_any_lookup_keeps_totals_and_stays_within_the_range_of_values(pairs, data):
    weights = data.draw(st.lists(st.floats(0, 1e6), min_size=len(pairs), max_size=len(pairs)))
    parts = pl.DataFrame(
        {
            "old": [f"E0100000{old}" for old, _ in pairs],
            "new": [f"E0100010{new}" for _, new in pairs],
            "weight": weights,
        }
    )
    lookup = LsoaLookup(parts, "lookup.csv")
    old = parts["old"].unique()
    number = st.lists(st.floats(-1e6, 1e6), min_size=len(old), max_size=len(old))
    frame = pl.DataFrame({"area": old, "n": data.draw(number)})
    counts, means = lookup.counts(frame, ["n"]), lookup.means(frame, ["n"])
    assert counts["n"].sum() == pytest.approx(frame["n"].sum(), abs=1e-3)
    assert set(means["area"]) == set(parts["new"])
    low, high = frame["n"].min(), frame["n"].max()
    assert means["n"].is_between(low - 1e-3, high + 1e-3).all()
