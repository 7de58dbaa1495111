"""References of people that are made of NHS numbers."""

import polars as pl

from folkmoot_plugin_nhs_shielding.pseudonyms import pseudonyms


def test_pseudonyms_tell_people_apart_under_one_key_only():
    numbers = pl.Series(["9434765919", "9990000026", "9434765919", None])
    first, second = (pseudonyms(numbers, key) for key in (b"one", b"other"))
    assert first[0] == first[2] != first[1]
    assert first[3] is None
    assert first[0] != second[0]
    assert all(len(reference) == 32 for reference in first.drop_nulls())
