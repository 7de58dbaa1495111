"""Marked households go through a score, casework and all that scrutiny writes; no mark comes out.

Exact figures over households may be shown to whoever asks for them by name; what is in one record,
what staff wrote of a resident and what a resident said may not, not even then.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.absent import absent
from tests.casework_council import CaseworkCouncil, Household
from tests.casework_rights import flag, object_to
from tests.commands import run_inside
from tests.scrutinised_council import SIGNER, scrutinised

AMOUNT, WORD, SAID = 73_915.28, "Zyxwvut", "Her sister Ann at number 4 told us"
BY = "--by", SIGNER, "--reason", "a test"


def marks(council: CaseworkCouncil) -> re.Pattern[str]:
    uprns = (str(council.uprn(at)) for at in range(len(council.households)))
    return re.compile(rf"73,?915|{WORD}|{SAID}|sister|in March|\b(?:{'|'.join(uprns)})\b")


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    """The council of the other tests with a marked household, and with records that are none."""
    council = scrutinised(tmp_path_factory.mktemp("canaries"))
    council.households.append(Household(AMOUNT, 97, 1, children=True))
    council.write_extracts()
    with (council.home / "extracts" / "council_tax.csv").open("a") as stream:
        stream.write(f"{WORD},1,1,1,E01000001,2027-01-15\n")
        stream.write(f"{council.uprn(0)},{WORD},1,1,E01000001,2027-01-15\n")
    with (council.home / "node.toml").open("a") as stream:
        stream.write("\n[quarantine]\nmaximum_share = 0.5\n")
    council.score()
    rejected = [one.read_text() for one in council.config.quarantine_folder.rglob("*.csv")]
    assert any(WORD in one for one in rejected)
    desk = council.desk()
    case = flag(council, desk, len(council.households) - 1, why=SAID)
    object_to(council, desk, case)
    desk.close()
    return council


def node(council: CaseworkCouncil, *words: object) -> str:
    return run_inside("folkmoot-node", *words, "--home", council.home).said()


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """What is in each file; what is packed in a PDF is unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S):
                if packed[:1] == b"x":
                    content += zlib.decompressobj().decompress(packed)
            yield str(path), content.decode("utf-8", "replace")


def written(council: CaseworkCouncil, folder: Path) -> Iterator[tuple[str, str]]:
    """All that scrutiny writes and shows."""
    home = council.home
    for words in (("facts",), ("facts", "--json"), ("facts", "--own", "--json")):
        yield " ".join(words), node(council, *words)
    yield "dossier", node(council, "dossier", "--out", folder / "dossier")
    yield "figures", node(council, "dossier", "--out", folder / "figures", "--with-figures", *BY)
    approve = "dossier", "approve", *BY, "--yes", "--documents", folder / "dossier"
    yield "approval", node(council, *approve)
    policy = home / "risk-policy.toml"
    policy.write_text(policy.read_text().replace("weight = 50", "weight = 45", 1))
    for words in (("dossier", "diff"), ("dossier", "diff", "--json")):
        yield " ".join(words), node(council, *words)
    yield "approval", node(council, "dossier", "approve", *BY, "--yes")
    yield "public", node(council, "dossier", "public", "--out", folder / "public")
    yield from (("status", node(council, "status", *more)) for more in ((), ("--json",)))
    yield from files(folder)
    yield from files(council.config.approved_dossiers)
    for path in sorted(home.glob("state.sqlite*")):
        yield path.name, path.read_bytes().decode("utf-8", "replace")


@pytest.mark.slow  # two dossiers with their PDFs
def test_no_mark_comes_out(council: CaseworkCouncil, tmp_path: Path) -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        absent("Pango is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
    pattern, seen = marks(council), []
    for name, text in written(council, tmp_path):
        found = pattern.search(text)
        assert found is None, f"{name}: ...{text[max(0, found.start() - 80) : found.end() + 40]}"
        seen.append(Path(name).name)
    for wanted in (
        "atrs.json",
        "foi.pdf",
        "notice.html",
        "feed.atom",
        "facts.json",
        "state.sqlite",
    ):
        assert wanted in seen
    assert sum(re.fullmatch(r"[0-9a-f]{64}\.json", one) is not None for one in seen) >= 3
