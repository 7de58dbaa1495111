"""A folder of extracts as a council's systems export them. The people in it are made up."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

FIRST_UPRN = 100012000001


def uprn_of(number: int) -> int:
    """UPRN of a home."""
    return FIRST_UPRN + number


def write_extracts(folder: Path, homes: int = 400) -> None:
    """Writes what a council's IT would put into a folder on the first day."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(11)
    _gazetteer(folder / "exampleton_llpg.csv", homes)
    _directory(folder / "ONSUD_MAR_2026.csv", homes)
    _council_tax(folder / "CTAX Arrears Report 2026-04-01.csv", homes, chance)
    _housing_benefit(folder / "HB claims.xlsx", homes, chance)
    _meals(folder / "FSM_eligible_pupils.csv", homes, chance)
    _social_care(folder / "asc_clients.txt", homes, chance)
    (folder / "readme.docx.txt").write_text(
        "Dear colleague,\nthe extracts are in the folder. Ask Sam if one is missing.\n"
    )
    (folder / "street.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)))
    (folder / "void_properties.csv").write_bytes(b"")


def _rows(path: Path, rows: Iterable[Sequence[object]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def _gazetteer(path: Path, homes: int) -> None:
    blpu = [
        [21, "I", 100 + n, uprn_of(n), 1, 2, "2001-01-01", "RD02", "", "380000.00", "390000.00", 1,
         9999, "2001-01-01", "", "2020-02-02", "2001-01-01", "", "00BUXX", "", "", "", ""]
        for n in range(homes)
    ]  # fmt: skip
    lines = Path(
        __file__, "../../plugins/gazetteer/folkmoot_plugin_gazetteer/samples/exampleton_llpg.csv"
    ).resolve()
    head = list(csv.reader(lines.read_text("utf-8").splitlines()))
    first, last = head[0], head[-1]
    last[2] = str(len(blpu))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(first)
        csv.writer(file).writerows(blpu)
        csv.writer(file).writerow(last)


def _directory(path: Path, homes: int) -> None:
    rows = [
        (uprn_of(n), "EX1 1AA", "E08900001", f"E0590000{n % 3}", f"E0090000{n % 9}",
         f"E0190000{n % 5}") for n in range(homes)
    ]  # fmt: skip
    _rows(path, [("UPRN", "PCDS", "LAD25CD", "WD25CD", "OA21CD", "LSOA21CD"), *rows])


def _council_tax(path: Path, homes: int, chance: random.Random) -> None:
    titles = [("Exampleton Council",), ("Council tax: accounts in arrears, for the data team",), ()]
    head = ("Account Ref", "UPRN", "Arrears Balance", "Recovery Stage", "CTS", "Discount Type",
            "Discount Start Date", "Extract Date")  # fmt: skip
    rows = []
    for n in range(homes):
        owes = chance.random() < 0.2
        alone = chance.random() < 0.3
        rows.append(
            (
                7_000_000 + n,
                uprn_of(n),
                f"{chance.uniform(20, 3000):,.2f}" if owes else "0.00",
                chance.choice(("REM", "SUM", "LO")) if owes else "",
                chance.choice("YNN"),
                "SPD" if alone else "NONE",
                f"{chance.randrange(1, 29):02}/09/2025" if alone else "",
                "01/04/2026",
            )
        )
    _rows(path, [*titles, head, *rows, ("Total", "", "12,345.00")])


def _housing_benefit(path: Path, homes: int, chance: random.Random) -> None:
    chosen = [n for n in range(homes) if chance.random() < 0.25]
    pl.DataFrame(
        {
            "Claim Ref": [3_000_000 + n for n in chosen],
            "Property UPRN": [str(uprn_of(n)) for n in chosen],
            "Housing Benefit": [chance.choice(("Yes", "No")) for _ in chosen],
            "Universal Credit": [chance.choice(("Yes", "No")) for _ in chosen],
            "Weekly Award": [round(chance.uniform(20, 140), 2) for _ in chosen],
            "Dependants": [chance.randrange(4) for _ in chosen],
            "First Name": [chance.choice(("Maria", "Imran", "Jane")) for _ in chosen],
        }
    ).write_excel(path)


def _meals(path: Path, homes: int, chance: random.Random) -> None:
    head = ("Pupil No", "Home address UPRN", "FSM?", "Yr", "School (name)", "Eligible since")
    rows = [
        (n, uprn_of(n) if chance.random() < 0.9 else "", chance.choice("YN"),
         chance.randrange(1, 12), chance.choice(("Mill Lane Primary", "St Anne's")),
         f"{chance.randrange(1, 29):02}/09/2025")
        for n in range(homes) if chance.random() < 0.4
    ]  # fmt: skip
    _rows(path, [head, *rows])


def _social_care(path: Path, homes: int, chance: random.Random) -> None:
    head = ("Client ID", "UPRN", "Care Package", "Carer Indicator", "Last Review Date")
    rows = [
        (f"ASC{n}", uprn_of(n), chance.choice("NLMH"), chance.choice("YN"),
         f"{chance.randrange(1, 29):02}/11/2025")
        for n in range(homes) if chance.random() < 0.1
    ]  # fmt: skip
    _rows(path, [head, *rows], delimiter="|")
