"""The example in the README is a mapping that reads what it says."""

import dataclasses
import re
import tomllib
from pathlib import Path

from folkmoot_plugin_extracts.identifiers import Identifiers
from folkmoot_plugin_extracts.mapped_field import MappedField
from folkmoot_plugin_extracts.mapping import FileMapping
from folkmoot_sdk.parameters import build

TEXT = (Path(__file__).parents[3] / "plugins" / "extracts" / "README.md").read_text("utf-8")
NODE, MAPPING = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)


def test_the_example_reads_an_extract(folder):
    folder.mapping(MAPPING)
    folder.csv(
        "1,0.50,Y,2,02/04/1961,DOM,01/04/2026",
        "2,N/A,,1,,DOM,01/04/2026",
        "3,1,Y,1,,BUS,01/04/2026",
        "4,-1,Y,1,,DOM,01/04/2026",
        name="council_tax_2026.csv",
        header="UPRN,Arrears,Support,Tenure,DateOfBirth,AccountType,ExtractedOn",
    )
    frame = folder.read()
    assert frame.drop("record_date").rows() == [
        (1, 0.5, True, "owned_mortgage", 64),
        (2, None, False, "owned_outright", None),
        (4, None, True, "owned_outright", None),
    ]
    assert [entry.row for entry in folder.rejected] == [5]


def test_the_node_s_entry_names_the_options(folder):
    (entry,) = tomllib.loads(NODE)["sources"]
    assert entry["kind"] == "extracts"
    options = type(folder.source()).Options
    built = build(options, entry["options"], "options")
    assert built.mapping == Path("mappings/council_tax.toml")


def test_every_key_is_described():
    for cls in (FileMapping, MappedField, Identifiers):
        for field in dataclasses.fields(cls):
            key = field.metadata.get("name") or field.name
            assert (
                f"`{key}`" in TEXT
                or re.search(rf"^{key} = ", MAPPING, flags=re.MULTILINE)
                or (f"[{key}." in MAPPING or f"[[{key}]]" in MAPPING)
            ), key
