"""Writes DTF 7.3 files of a few records."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HEADER = '10,"Exampleton Council",9999,2026-03-31,1,2026-03-31,06:00:00,"7.3","F"'
METADATA = '29,"Exampleton LLPG","","","","","","","","","","","","","",""'


def blpu(uprn, code="RD02", *, status=1, state=2, parent="", start="2001-01-01", end="",
         updated="2020-02-02", change="I", organisation=""):  # fmt: skip
    """A record of type 21."""
    return (
        f'21,"{change}",1,{uprn},{status},{state},2001-01-01,"{code}",{parent},380000.00,'
        f'390000.00,1,9999,{start},{end},{updated},2001-01-01,"{organisation}",'
        '"00BUXX","","","",""'
    )


def lpi(uprn, postcode, *, status=1, end="", sao=("", "", "", "", ""), pao=(7, "", "", "", ""),
        language="ENG", usrn=10001234):  # fmt: skip
    """A record of type 24; objects are start, suffix, end, suffix, text."""
    objects = ",".join(f'{a},"{b}",{c},"{d}","{e}"' for a, b, c, d, e in (sao, pao))
    return (
        f'24,"I",2,{uprn},"9999L000000001","{language}",{status},2001-01-01,{end},2001-01-01,'
        f'2020-02-02,{objects},{usrn},"","Y","{postcode}","EXAMPLETON","Y","","",""'
    )


def street(usrn, name, locality="", town="", language="ENG"):
    """A record of type 15."""
    return f'15,"I",4,{usrn},"{name}","{locality}","{town}","EXAMPLETON","{language}"'


def classified(uprn, code, *, start="2010-01-01", end="",
               scheme="AddressBase Premium Classification Scheme"):  # fmt: skip
    """A record of type 32."""
    return (
        f'32,"I",3,{uprn},"9999C000000001","{code}","{scheme}",1.0,{start},{end},'
        "2020-02-02,2010-01-01"
    )


STREET = '15,"I",4,10001234,"EXAMPLE STREET","","EXAMPLETON","EXAMPLETON","ENG"'


@dataclass
class GazetteerFile:
    """A DTF file in a folder."""

    folder: Path
    records: list[str] = field(default_factory=list)

    def write(self, *records, name="llpg.csv", header=HEADER, trailer=True, stated=None, end="\n"):
        count = len(records) if stated is None else stated
        last = [f"99,0,{count},2026-03-31,06:00:00"] if trailer else []
        lines = [header, METADATA, *records, *last]
        (self.folder / name).write_bytes("".join(f"{line}{end}" for line in lines).encode())
        return {"files": [name], "folder": "."}
