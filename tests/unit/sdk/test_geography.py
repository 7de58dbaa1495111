"""Codes of areas are of the level that a field or table says."""

import pytest

from folkmoot_sdk.geography import LEVELS, PSEUDO_CODES, fault_of_code, level_of_type


@pytest.mark.parametrize(
    ("code", "area_type", "fault"),
    [
        ("E01006151", "lsoa21", ""),
        ("W01000003", "lsoa21", ""),
        ("S01006506", "lsoa11", ""),
        ("S01006506", "dz11", ""),
        ("E00031000", "oa21", ""),
        ("W06000015", "lad25", ""),
        ("E05000650", "wd25", ""),
        ("E05000650", "lsoa21", "is a ward, not an LSOA or data zone"),
        ("E08000009", "lsoa21", "is a district or unitary council, not an LSOA or data zone"),
        ("E02001262", "lsoa21", "is an MSOA or intermediate zone, not an LSOA or data zone"),
        ("S13002516", "lsoa21", "is a ward, not an LSOA or data zone"),
        ("E01006151", "oa21", "is an LSOA or data zone, not an output area"),
        ("E01006151", "ward25", "is an LSOA or data zone, not a ward"),
        ("E14000560", "lsoa21", "is not the code of an LSOA or data zone"),
        ("E14000560", "pcon24", ""),
        ("E14000560", "", ""),
        ("E99999999", "lsoa21", "is a pseudo code: it stands for no area"),
        ("S99999999", "", "is a pseudo code: it stands for no area"),
    ],
)
def test_a_code_is_of_the_level_of_its_type(code, area_type, fault):
    assert fault_of_code(code, area_type) == fault


def test_levels_have_codes_of_their_own():
    prefixes = [prefix for _, some in LEVELS.values() for prefix in some.split()]
    assert len(prefixes) == len(set(prefixes))
    assert all(level_of_type(f"{level}21") == level for level in LEVELS)
    assert level_of_type("pcon24") is None
    assert not {code[:3] for code in PSEUDO_CODES} & set(prefixes)
