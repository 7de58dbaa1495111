"""What is a GSS code, and what only looks like one."""

from __future__ import annotations

import pytest

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode


@pytest.mark.parametrize("code", ["E08000009", "W06000001", "S12000033", "N09000003", "K02000001"])
def test_codes_of_each_country(code: str) -> None:
    assert GssCode(code) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E0800000",
        "E080000099",
        "e08000009",
        "X08000009",
        " E08000009",
        "E08000009\n",
        "E0800000\N{ARABIC-INDIC DIGIT NINE}",
        "E0800000\N{FULLWIDTH DIGIT NINE}",
        "\N{FULLWIDTH LATIN CAPITAL LETTER E}08000009",
    ],
)
def test_what_is_no_code_is_refused_by_name(text: str) -> None:
    with pytest.raises(ContractError, match="is not a GSS code") as caught:
        GssCode(text, "councils[3]")
    assert "councils[3]" in str(caught.value)
