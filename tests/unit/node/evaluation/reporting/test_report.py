"""The report of a back-test: text and page say the same, fit, and show nothing of small groups."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from folkmoot_node.evaluation.back_test import BackTest
from folkmoot_node.evaluation.reporting.as_page import as_page, write_page
from folkmoot_node.evaluation.reporting.as_text import print_document
from folkmoot_node.evaluation.reporting.content import HOW_TO_READ, as_document
from folkmoot_node.evaluation.reporting.document import Document, Mark, Plot, Section, Sheet, Words
from folkmoot_node.evaluation.reporting.plots import svg
from folkmoot_node.evaluation.reporting.wording import count, number, points
from tests.evaluation_reports import ABOUT, RARE, found_of


@pytest.fixture(scope="module")
def found() -> BackTest:
    return found_of()


@pytest.fixture(scope="module")
def page(found: BackTest) -> str:
    return as_page(as_document(found, ABOUT))


def text_of(document: Document, width: int = 160, *, everything: bool = True) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    print_document(document, console, everything=everything)
    return out.getvalue()


def sheets(document: Document) -> list[Sheet]:
    return [
        block for part in document.sections for block in part.blocks if isinstance(block, Sheet)
    ]


class Cells(HTMLParser):
    """Cells of tables, and what a page would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = tag in ("td", "th")
        if self._inside:
            self.cells.append("")
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data


def read(page: str) -> Cells:
    cells = Cells()
    cells.feed(page)
    return cells


def test_the_page_has_every_figure_of_the_text(found: BackTest, page: str) -> None:
    expected = [
        cell
        for sheet in sheets(as_document(found, ABOUT))
        for cells in (sheet.columns, *sheet.rows)
        for cell in cells
    ]
    assert len(expected) > 400
    assert read(page).cells == expected


def test_the_text_has_every_figure_of_the_page(found: BackTest) -> None:
    document = as_document(found, ABOUT)
    text = " ".join(re.sub(r"[│┃]", " ", text_of(document, 300)).split())
    for sheet in sheets(document):
        for row in sheet.rows:
            assert " ".join(" ".join(row).split()) in text


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_no_line_is_longer_and_no_word_is_broken(found: BackTest, width: int) -> None:
    document = as_document(found, ABOUT)
    text = text_of(document, width)
    assert max(map(len, text.splitlines())) <= width
    if width >= 80:
        words = set(re.sub(r"[│┃]", " ", text).split())
        for sheet in sheets(document):
            wanted = {word for row in sheet.rows for cell in row for word in cell.split()}
            assert wanted <= words


def test_every_plot_shows_figures_of_a_table_before_it(found: BackTest) -> None:
    for part in as_document(found, ABOUT).sections:
        labels: set[str] = set()
        for block in part.blocks:
            if isinstance(block, Sheet):
                labels |= {cell for row in block.rows for cell in row}
            elif isinstance(block, Plot):
                for mark in block.marks:
                    assert any(
                        mark.label in label or label.endswith(mark.label) for label in labels
                    )


def test_the_page_holds_all_it_shows_and_runs_nothing(page: str) -> None:
    cells = read(page)
    assert not cells.tags & {"script", "iframe", "object", "embed", "form", "base", "svg"}
    assert all(one.startswith(("data:image/svg+xml;base64,", "data:,", "#"))
               for one in cells.addresses)  # fmt: skip
    assert "http" not in re.sub(r"base64,[\w+/=]+", "", page).replace("http-equiv", "")
    assert "default-src 'none'" in page


def test_the_style_is_the_one_that_the_page_permits(page: str) -> None:
    import hashlib

    [style] = re.findall(r"<style>(.*?)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page


def test_pictures_are_whole_and_fetch_nothing(page: str) -> None:
    pictures = re.findall(r"base64,([\w+/=]+)", page)
    assert len(pictures) > 10
    for picture in pictures:
        root = ElementTree.fromstring(base64.b64decode(picture))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        for one in root.iter():
            assert one.tag.rpartition("}")[2] not in ("script", "image", "foreignObject")
            assert not any("href" in name for name in one.attrib)


def test_names_of_others_do_no_harm() -> None:
    name = '</td><script>alert(1)</script> & "quoted" \x07 {{ 7 * 7 }} it\'s'
    document = Document(
        name,
        name,
        (
            Section(
                name,
                (
                    Words(name, is_warning=True),
                    Sheet(name, (name, "n"), ((name, "1"),), note=name),
                    Plot(name, name, "~%", (Mark(name, 0.1, 0.0, 0.2),), 0.1, name),
                ),
            ),
        ),
        (name,),
    )
    page = as_page(document)
    assert "<script>" not in page
    assert "49" not in page.partition("</style>")[2].partition("base64")[0]
    ElementTree.fromstring(base64.b64decode(re.findall(r"base64,([\w+/=]+)", page)[0]))
    assert "[red]" in text_of(Document("[red]", "s", (), ()))


def test_a_plot_without_intervals_and_with_equal_labels_is_drawn() -> None:
    drawn = svg(Plot("t", "axis", "~%", (Mark("same", 0.1), Mark("same", 0.3, 0.2, 0.4))))
    assert drawn.count(">same<") == 2
    assert float(ElementTree.fromstring(drawn).attrib["width"]) <= 290


def test_it_is_the_same_each_time(found: BackTest, page: str) -> None:
    again = found_of()
    assert json.dumps(again.as_json()) == json.dumps(found.as_json())
    assert as_page(as_document(again, ABOUT)) == page


def test_it_says_what_it_is(found: BackTest) -> None:
    text = " ".join(text_of(as_document(found, ABOUT)).split())
    for sentence in (
        "It is not differentially private.",
        "by a decision of a named person that is recorded.",
        "Protected groups of fewer than 10 households, or with fewer than 10 events, show no "
        "figure",
        f"{RARE}: no date has enough events for a figure.",
        "Warning: The input left_on may know the outcome homeless: on 1 March 2025 it is known "
        "almost only where the event happened (3 of 3 dates).",
        "12 on 1 January 2025, 12 on 1 February 2025 and 12 on 1 March 2025.",
        "Warning: Read as they are today, since they say no dates and the file accepts that: "
        "deprivation.",
        ABOUT.policy_sha256,
        ABOUT.evaluation_sha256,
        *HOW_TO_READ,
    ):
        assert sentence in text


def test_of_few_events_no_number_is_shown(found: BackTest) -> None:
    """Three households had the rare outcome; neither text nor page gives that away."""
    document = as_document(found, ABOUT)
    parts = [one for one in document.sections if one.title.startswith(RARE)]
    [sheet] = [block for block in sheets(document) if "under 10" in block.rows[0]]
    events = sheet.columns.index("Events")
    assert {row[events] for row in sheet.rows} == {"under 10"}
    assert {cell for row in sheet.rows for cell in row[events + 1 :]} == {"-"}
    assert len(parts) == 2
    assert not any(isinstance(block, Plot) for part in parts for block in part.blocks)


def test_one_date_has_no_stability() -> None:
    document = as_document(found_of(1, 1500), ABOUT)
    titles = [part.title for part in document.sections]
    assert "Over the dates" not in titles
    assert "In figures" in titles
    assert "On average" not in text_of(document)


def test_small_groups_are_named_and_not_shown() -> None:
    text = text_of(as_document(found_of(1, 400, rate=0.08, unknown_group=0.02), ABOUT))
    assert "Too small to judge, and not shown:" in " ".join(text.split())


def test_the_page_is_for_this_account_alone(tmp_path: Path, found: BackTest) -> None:
    path = tmp_path / "report.html"
    write_page(as_document(found, ABOUT), path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_figures_are_written_as_people_do() -> None:
    assert points(-0.0001) == "+0.0"
    assert points(0.0312) == "+3.1"
    assert (number(-0.0), number(-0.0001, "+z.3f")) == ("0.00", "+0.000")
    assert count(1234.0) == "1,234"
    assert count(18.66) == "18.7"
    assert count(None) == "-"
