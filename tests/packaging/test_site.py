"""The documentation site: built without warnings and without the internet, with nothing broken."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from documentation import navigation
from documentation.build import ROOT, generated, repository_pages
from tests.documentation_site import built_site

FETCHED = {
    "script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src",
    "audio": "src", "embed": "src", "object": "data", "image": "href", "use": "href",
}  # fmt: skip
"""Elements for which a browser asks a server by itself."""


class Page(HTMLParser):
    """What a built page has in it: ids, links, what it fetches, and its article."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.elements: Counter[str] = Counter()
        self._in_article = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        address = given.get(FETCHED.get(tag, ""), "")
        if address and given.get("rel") not in ("canonical", "next", "prev"):
            self.fetched.append(address)
        self._in_article |= tag == "article"
        if self._in_article:
            self.elements[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._in_article = False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_site(tmp_path_factory)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {
        path.relative_to(site).as_posix(): Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
    }


def test_it_is_built_without_a_warning(site: Path) -> None:
    said = (site.parent / "said.txt").read_text()
    assert said.startswith("0\n"), said
    assert "arning" not in said
    assert (site / "index.html").is_file()


def test_a_warning_fails_the_build(tmp_path: Path) -> None:
    """A link that leads nowhere is one."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.md").write_text("# A page\n\n[away](missing.md)\n")
    settings = (ROOT / "documentation" / "zensical.toml").read_text()
    (tmp_path / "zensical.toml").write_text(settings)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    done = subprocess.run([*command, "-f", str(tmp_path / "zensical.toml")], capture_output=True)
    assert done.returncode


def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        for address in page.fetched:
            assert not urlsplit(address).netloc, f"{name} fetches {address}"
    for sheet in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", sheet.read_text("utf-8")):
            assert not re.match(r"(https?:)?//", address), f"{sheet.name} fetches {address}"


def test_every_link_and_anchor_within_the_site_leads_somewhere(
    site: Path, pages: dict[str, Page]
) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or name == "404.html":
                continue
            path = unquote(parts.path)
            target = (site / name).parent / path if path else site / name
            if target.is_dir():
                target /= "index.html"
            found = pages.get(target.resolve().relative_to(site.resolve()).as_posix())
            if found is None:
                if not target.is_file():
                    broken.append(f"{name}: {link}")
            elif parts.fragment and unquote(parts.fragment) not in found.ids:
                broken.append(f"{name}: {link} (no such anchor)")
    assert not broken, "\n".join(broken)


def written(site: Path) -> Iterator[tuple[str, str]]:
    """Pages as they were written: those of the repository as they stand there."""
    ours = {"walkthrough.md" if one == "README.md" else one: one for one in repository_pages()}
    for source in sorted((site.parent / "pages").rglob("*.md")):
        name = source.relative_to(site.parent / "pages").as_posix()
        yield name, (ROOT / ours[name] if name in ours else source).read_text("utf-8")


def test_lists_tables_and_code_are_those_that_a_forge_shows(
    site: Path, pages: dict[str, Page]
) -> None:
    """The generator reads another Markdown: what it took for a paragraph would be lost."""
    commonmark = MarkdownIt("commonmark").enable("table")
    wrong = []
    for name, text in written(site):
        expected = Page(f"<article>{commonmark.render(text)}</article>").elements
        built = pages[re.sub(r"(README|index)\.md$", "index.md", name)[:-3] + ".html"].elements
        for elements in (expected, built):
            elements["cell"] = elements["td"] + elements["th"]
        for tag in ("h1", "h2", "h3", "li", "table", "tr", "cell", "pre"):
            if expected[tag] != built[tag]:
                wrong.append(f"{name}: {expected[tag]} {tag}, built {built[tag]}")
    assert not wrong, "\n".join(wrong)


def test_every_page_stands_behind_a_door() -> None:
    placed = Counter(navigation.placed())
    assert not [page for page, times in placed.items() if times > 1], "a page stands in one place"
    ours = {"walkthrough.md" if page == "README.md" else page for page in repository_pages()}
    ours |= set(generated())
    listed = {page for page in ours if re.search(r"^tests/spec/.*test_|^docs/decisions/\d", page)}
    assert ours - listed - set(placed) == set(), "add these to documentation/navigation.py"
    assert set(placed) <= ours, "these are not there"


def test_each_door_has_the_four_kinds_of_page(pages: dict[str, Page]) -> None:
    assert [door.name for door in navigation.DOORS] == ["council", "region", "vendor", "scrutiny"]
    for door in navigation.DOORS:
        for kind in navigation.KINDS:
            there = {*door.pages.get(kind, ()), *door.beside.get(kind, ())}
            assert there, f"{door.title} has no {kind.lower()}"
        for beside in door.beside.values():
            assert set(beside) <= set(navigation.placed())
        assert {"tutorial", "how-to", "reference", "explanation"} <= pages[
            f"{door.name}/index.html"
        ].ids


def test_it_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "build/" in ignored
