"""A question asked in a browser is opened by the coordinator's process, and answered by nodes."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from folkmoot.geography import GssCode
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.viewer.settings import site_settings
from tests.browser.conftest import NewPage, sign_in
from tests.ports import free_port
from tests.simulation.region import (
    BURY,
    NAMES,
    TRAFFORD,
    Node,
    Region,
    eventually,
)
from tests.viewer_region import boundaries
from tests.viewer_visits import PASSWORD, add_account

pytestmark = pytest.mark.slow

SIZE = 24
AREAS: Mapping[str, tuple[str, ...]] = {
    council: tuple(f"E019{start + n:05}" for n in range(SIZE))
    for council, start in ((BURY, 1000), (TRAFFORD, 2000))
}
HOUSEHOLDS = 40
"""Of each area."""


def rows() -> dict[str, list[str]]:
    """Extracts in which a block of Trafford's areas has much more arrears than all others."""
    found = {}
    block = {row * 8 + column for row in range(3) for column in range(3)}
    for council, areas in AREAS.items():
        rng = np.random.default_rng(len(council) + int(council[-1]))
        lines = []
        for at, area in enumerate(areas):
            share = 0.9 if council == TRAFFORD and at in block else 0.2
            for _ in range(HOUSEHOLDS):
                owes = rng.random() < share
                uprn = 10_000_000 + len(lines)
                lines.append(f"{uprn},{2400 if owes else 0}.00,{'Y' if owes else 'N'},{area}")
        found[council] = lines
    return found


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    """A coordinator that runs, two nodes that were scored, and a round that they answered."""
    folder = tmp_path_factory.mktemp("asked")
    region = Region(folder)
    known = {GssCode(council): areas for council, areas in AREAS.items()}
    (region.home / "areas.geojson").write_text(boundaries(known, {}))
    with (region.home / "coordinator.toml").open("a") as file:
        file.write("\n[names]\n" + "".join(f'{code} = "{name}"\n' for code, name in NAMES.items()))
        file.write(f'\n[viewer]\nenabled = true\nlisten = "127.0.0.1:{free_port()}"\n')
        file.write('boundaries = [{ file = "areas.geojson" }]\n')
    try:
        region.start()
        nodes = []
        for council, lines in rows().items():
            node = region.new_node(council)
            node.write_extract(lines)
            node.run_inside("score")
            nodes.append(node)
        open_first(region)
        for node in nodes:
            visit(node)
        yield region
    finally:
        region.stop()


def open_first(region: Region) -> None:
    """A round by command, with a file of areas, as an operator opens the first."""
    areas = region.folder / "all-areas.csv"
    lines = [f"{council},{area}" for council, own in AREAS.items() for area in own]
    areas.write_text("\n".join(["council,area", *lines]) + "\n")
    file = region.folder / "first.toml"
    file.write_text(
        f"""\
title = "First"
purpose = "winter_support"
policy = "{region.folder / TRAFFORD / "risk-policy.toml"}"
councils = ["{BURY}", "{TRAFFORD}"]
minimum_councils = 1
rho = 0.1
delta = 1e-6
deadline_hours = 1
[[attributes]]
name = "lsoa"
areas = "{areas}"
[[marginals]]
attributes = ["lsoa"]
"""
    )
    region.run("round", "open", file)


def visit(node: Node) -> None:
    """The node calls the coordinator, answers what it may, and ends."""
    node.run("serve", "--until-idle", "--poll-seconds", "0.2")


@pytest.fixture
def address(region: Region) -> str:
    """The site, which the coordinator's `serve` runs in a process of its own, with accounts."""
    home = Home(region.home)
    origin = site_settings(home, home.settings()).origin
    host, port = origin.removeprefix("http://").split(":")

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return True
        return False

    eventually(answers)
    add_account(home, "ann", ["analyst"])
    add_account(home, "ben", ["approver"])
    return origin


def test_a_question_from_two_browsers_to_two_nodes_and_back(
    region: Region, address: str, new_page: NewPage
) -> None:
    ann, ben = new_page(address), new_page(address)
    sign_in(ann, "ann", PASSWORD)
    sign_in(ben, "ben", PASSWORD)
    before = {one["round_id"] for one in region.json("round", "list")}
    ask(ann)
    draft = ann.url.partition("?")[0]
    ann.get_by_role("button", name="Submit for approval").click()
    assert {one["round_id"] for one in region.json("round", "list")} == before
    ben.goto("/drafts")
    ben.get_by_role("link", name="From a browser").first.click()
    ben.get_by_role("button", name="Approve").click()
    opened = eventually(
        lambda: {one["round_id"] for one in region.json("round", "list")} - before
    ).pop()
    ann.goto(draft)
    expect(ann.get_by_text("The coordinator opened the round")).to_be_visible()
    ann.goto("/drafts")
    expect(ann.get_by_text("Bury and Trafford")).to_be_visible()
    for council in AREAS:
        visit(Node(region.folder / council))
    eventually(lambda: region.json("round", "show", opened)["state"] == "complete")
    ann.goto(f"/rounds/{opened}")
    ann.get_by_role("link", name="Hotspots").click()
    expect(ann.get_by_text("are hotspots of households with band high")).to_be_visible()
    hot = ann.get_by_role("table", name="Hotspots and cold spots")
    expect(hot.get_by_role("row").nth(1)).to_contain_text("Trafford")
    ann.goto(f"/rounds/{opened}/allocate")
    ann.get_by_label("How much there is").fill("1000")
    ann.get_by_label("Of what").fill("visits")
    ann.get_by_role("button", name="Share out").click()
    expect(ann.get_by_text("If 1,000 visits are shared out over 48 areas")).to_be_visible()
    with ann.expect_download() as download:
        ann.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    at = lines[0].split(",").index("proportional_units")
    assert sum(int(line.split(",")[at]) for line in lines[1:]) == 1000
    # Who asked and who approved stands in the coordinator's own log.
    logged = json.dumps(region.json("audit", "show"))
    assert "ann (web account)" in logged
    assert "ben (web account)" in logged


def ask(page: Page) -> None:
    """Composes a question and saves it."""
    page.goto("/ask")
    page.get_by_label("Title", exact=True).fill("From a browser")
    policy = page.get_by_label("Policy that households")
    policy.select_option(index=1)
    table = page.get_by_role("group", name="Table 1: households by")
    table.get_by_label("Band", exact=True).check()
    table.get_by_label("LSOA (areas)", exact=True).check()
    page.get_by_label("Privacy loss, rho").fill("0.4")
    page.get_by_label("Or households in the region").fill("1920")
    page.get_by_role("button", name="Show what to expect").click()
    expect(page.get_by_role("heading", name="What to expect")).to_be_visible()
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("The draft is saved. No council is asked yet.")).to_be_visible()
