"""A folder with a lookup in which one LSOA is split and two are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

SAMPLES = (
    Path(__file__).parents[3] / "plugins" / "open_areas" / "folkmoot_plugin_open_areas" / "samples"
)
LOOKUP = """\
LSOA11CD,LSOA21CD,CHGIND,HOMES
E01000001,E01000001,U,500
E01000002,E01000011,S,300
E01000002,E01000012,S,100
E01000003,E01000013,M,200
E01000004,E01000013,M,600
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lookup.csv").write_text(LOOKUP)
    return tmp_path
