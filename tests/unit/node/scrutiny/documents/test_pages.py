"""Documents as pages and on paper: alone with what is in them, escaped, tagged."""

from __future__ import annotations

import re
import zlib

import pytest

from folkmoot_node.scrutiny.documents.dossier import STANDARDS, files_of
from folkmoot_node.scrutiny.documents.page import as_page, as_pdf
from folkmoot_node.scrutiny.documents.standard import build
from tests.absent import absent
from tests.fact_base import fact_base, unanswered

every = pytest.mark.parametrize("name", STANDARDS)
HOSTILE = '</style><script>alert(1)</script><img src="https://evil.example/a.png">'


@pytest.fixture
def pango() -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        absent("Pango is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0")


@every
def test_a_page_fetches_nothing_and_runs_nothing(name: str) -> None:
    page = as_page(build(STANDARDS[name], fact_base()))
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#|data:)', page) == []
    assert "default-src 'none'" in page


@every
def test_what_people_write_is_shown_and_not_done(name: str) -> None:
    facts = fact_base(
        scrutiny__rationale__summary=HOSTILE,
        node__name=HOSTILE,
        policy__risk__title=HOSTILE,
        sources__social_care__supplier=HOSTILE,
    )
    page = as_page(build(STANDARDS[name], facts))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@every
def test_a_page_says_that_something_is_missing(name: str) -> None:
    assert "not complete" in as_page(build(STANDARDS[name], unanswered()))
    assert "not complete" not in as_page(build(STANDARDS[name], fact_base()))


@pytest.mark.slow  # a long table takes WeasyPrint seconds
@pytest.mark.usefixtures("pango")
@every
def test_paper_has_tags_for_screen_readers(name: str) -> None:
    document = build(STANDARDS[name], fact_base())
    pdf = as_pdf(document)
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    content = pdf + b"".join(
        zlib.decompressobj().decompress(one) for one in streams if one[:1] == b"x"
    )
    for mark in (b"pdfuaid", b"/Lang (en)", b"/StructTreeRoot", b"/MarkInfo", b"/Marked true"):
        assert mark in content, mark
    for tag in (b"/S /H1", b"/S /H2", b"/S /Table", b"/S /TH", b"/S /TD", b"/S /P"):
        assert tag in content, tag


@pytest.mark.usefixtures("pango")
def test_the_same_facts_are_the_same_files() -> None:
    one, other = (files_of(build(STANDARDS["notice"], fact_base())) for _ in range(2))
    assert one == other
    assert set(one) == {"notice.html", "notice.pdf", "notice.json"}
