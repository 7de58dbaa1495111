"""What councils publish of how they score, and the region's own record: for everybody to read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from httpx2 import Client

from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.models import AnswerRow, CouncilPageRow
from folkmoot_coordinator.scrutiny.council_pages import ADDED, WITHDRAWN, add_page, shown_page
from folkmoot_coordinator.scrutiny.public_facts import BY_PERSON, MISSING
from folkmoot_coordinator.viewer.kept_record import KEPT_SECONDS, KeptRecord
from folkmoot_node.scrutiny.facts import Mark
from folkmoot_node.scrutiny.public.releases_made import ReleaseMade
from tests.commands import run_inside
from tests.document_blocks import blocks, lines
from tests.made_up_facts import MADE_UP, changed
from tests.published_facts import DAY, NOON, RELEASE, published_facts
from tests.viewer_region import BURY, HOSTILE, TRAFFORD, ViewerRegion, enrol, fill, viewer_region
from tests.viewer_visits import ViewerSite, Visit, plain, viewer_site

ATOM = "{http://www.w3.org/2005/Atom}"
LONGER = changed("policy.risk.sunset", "2027-04-30")
PAST = NOON - 1_000 * DAY
"""Long before any day on which this runs: commands take the time of the machine."""
SETTINGS = 'public_record = true\n[viewer.visibility]\nreader = ["winter_support"]\n'


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    with viewer_region(
        tmp_path_factory.mktemp("scoring"), settings=SETTINGS, with_boundaries=False
    ) as made:
        fill(made)
        enrol(made)
        yield made


@pytest.fixture(scope="module")
def site(region: ViewerRegion) -> Iterator[ViewerSite]:
    with viewer_site(region) as made:
        yield made


@pytest.fixture
def nobody(site: ViewerSite) -> Iterator[Visit]:
    with Client(base_url=site.address, timeout=60) as client:
        yield Visit(client)


@pytest.fixture
def empty(region: ViewerRegion) -> Iterator[None]:
    """No council has given anything."""
    yield
    with region.database.writing() as session:
        session.query(CouncilPageRow).delete()


def give(
    region: ViewerRegion, tmp_path: Path, content: bytes, *words: object, code: int | None = 0
) -> str:
    path = tmp_path / "facts.json"
    path.write_bytes(content)
    command = ("councils", "page", TRAFFORD, path, "--home", region.home.path, *words)
    return run_inside("folkmoot-coordinator", *command).said(expect=code)


def own_release(region: ViewerRegion) -> ReleaseMade:
    """A release that the region holds."""
    with region.database.reading() as session:
        row = session.get_one(AnswerRow, (region.id("winter"), TRAFFORD))
        digest = row.digest.hex()
    return ReleaseMade(
        region.id("winter"), "Winter support", "winter_support", NOON, "0.02", 1.0, "1e-06",
        ("the total",), digest,
    )  # fmt: skip


@pytest.mark.usefixtures("empty")
def test_a_file_is_given_replaced_and_withdrawn_and_the_log_has_it(
    region: ViewerRegion, nobody: Visit, tmp_path: Path
) -> None:
    page = f"/scoring/{TRAFFORD}"
    before = len(list(audit_log.entries(region.database, (ADDED, WITHDRAWN))))
    assert (
        "has given nothing"
        in run_inside(
            "folkmoot-coordinator", "councils", "page", TRAFFORD, "--home", region.home.path
        ).said()
    )
    nobody.get(page, expect=404)
    first = published_facts(releases=(RELEASE, own_release(region)), made_at=PAST)
    said = json.loads(give(region, tmp_path, first, "--json"))
    assert "already" not in give(region, tmp_path, first), "safe to repeat"
    text = plain(nobody.get(page))
    assert "Version 1, approved on 2 December 2026" in text
    assert "had changed since" not in text
    assert text.count("The region holds this very release") == 1
    assert text.count("The region holds no such release") == 1
    assert nobody.client.get(f"{page}/facts.json").content == first

    second = published_facts(
        changed("node.name", "Sale", base=LONGER), MADE_UP, LONGER, made_at=PAST + 30 * DAY
    )
    give(region, tmp_path, second)
    text = plain(nobody.get(page))
    assert "Version 2, approved on 3 December 2026" in text
    assert "30 April 2027 (30 days later)" in text
    assert "had changed since version 2 was approved" in text
    assert "is Sale" in text
    assert "older than" in give(region, tmp_path, first, code=5)

    other = published_facts(LONGER, made_at=PAST + 40 * DAY, reason="begun again")
    assert "earlier files named" in give(region, tmp_path, other, code=None)
    assert "its record of approvals was begun again, or changed" in plain(nobody.get(page))

    words = ("councils", "page", TRAFFORD, "--home", region.home.path)
    run_inside("folkmoot-coordinator", *words, "--withdraw").said(expect=2)
    gone = "A name was in it"
    assert (
        "Shown again"
        in run_inside("folkmoot-coordinator", *words, "--withdraw", "--reason", gone).said()
    )
    text = plain(nobody.get(page))
    assert gone in text
    assert "begun again, or changed" not in text
    with region.database.reading() as session:
        assert [one.content is None for one in session.query(CouncilPageRow)] == [
            False,
            False,
            True,
        ]
    for _ in range(2):
        run_inside("folkmoot-coordinator", *words, "--withdraw", "--reason", gone).said()
    run_inside("folkmoot-coordinator", *words, "--withdraw", "--reason", gone).said(expect=5)
    nobody.get(page, expect=404)
    nobody.get(f"{page}/facts.json", expect=404)
    assert "Nothing published here" in plain(nobody.get("/scoring"))
    listed = json.loads(run_inside("folkmoot-coordinator", *words, "--json").said())
    assert [one["reason"] for one in listed] == [gone] * 3

    noted = list(audit_log.entries(region.database, (ADDED, WITHDRAWN)))[before:]
    assert [one.body["action"] for one in noted] == [ADDED] * 3 + [WITHDRAWN] * 3
    assert noted[0].body["sha256"] == said["sha256"]
    assert noted[0].body["council"] == TRAFFORD
    assert noted[-1].body["reason"] == gone


@pytest.mark.usefixtures("empty")
def test_the_commands_of_the_page_about_the_site_run_in_order(
    region: ViewerRegion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "facts.json").write_bytes(published_facts(made_at=PAST))
    monkeypatch.setenv("FOLKMOOT_COORDINATOR_HOME", str(region.home.path))
    monkeypatch.chdir(tmp_path)
    commands = [line for one in blocks() if one.page == "docs/site.md" for line in lines(one)]
    assert len(commands) == 3
    for line in commands:
        program, *words = line.words
        assert run_inside(program, *words).said(), line
    assert shown_page(region.database, TRAFFORD) is None


@pytest.mark.usefixtures("empty")
def test_what_cannot_be_shown_is_refused_and_leaves_nothing(
    region: ViewerRegion, tmp_path: Path
) -> None:
    assert "is about E08000001" in give(
        region, tmp_path, published_facts(council="E08000001"), code=4
    )
    assert "longer than 2 MiB" in give(region, tmp_path, b" " * 10 * 1024**2, code=4)
    assert "yet to come" in give(region, tmp_path, published_facts(made_at=4_000_000_000), code=5)
    words = ("--home", region.home.path)
    for place, code in ((tmp_path, 4), (tmp_path / "none", 4), ("/dev/zero", 4)):
        run_inside("folkmoot-coordinator", "councils", "page", TRAFFORD, place, *words).said(
            expect=code
        )
    path = tmp_path / "facts.json"
    path.write_bytes(published_facts(council="E06000001", made_at=PAST))
    said = run_inside("folkmoot-coordinator", "councils", "page", "E06000001", path, *words)
    assert "never enrolled" in said.said(expect=2)
    assert shown_page(region.database, TRAFFORD) is None


@pytest.mark.usefixtures("empty")
def test_texts_of_others_are_shown_as_texts_and_nothing_runs(
    region: ViewerRegion, nobody: Visit
) -> None:
    hostile = changed("sources.housing.kind", HOSTILE)
    hostile = changed("policy.risk.factors.damp.inputs", (HOSTILE, "age"), base=hostile)
    hostile = changed("scrutiny.owner.role", "javascript:alert(1)", base=hostile)
    release = ReleaseMade(
        "ef" * 16, HOSTILE, HOSTILE, NOON, "0.25", 3.1, "1e-06", (HOSTILE,), "cd" * 32
    )
    content = published_facts(hostile, MADE_UP, reason=HOSTILE, name=HOSTILE, releases=(release,))
    add_page(region.database, TRAFFORD, content, "test", region.clock(), "test")
    answer = nobody.client.get(f"/scoring/{TRAFFORD}")
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    assert "<script" not in main
    assert "javascript:" not in re.sub(r">[^<]*<", "><", main)
    assert plain(main).count(HOSTILE) >= 6
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    feed = nobody.client.get("/scoring/feed.atom")
    assert HOSTILE in "".join(Xml.fromstring(feed.content).itertext())
    assert "<script" not in feed.text
    file = nobody.client.get(f"/scoring/{TRAFFORD}/facts.json")
    assert file.headers["content-type"].startswith("application/json")
    assert file.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("empty")
def test_the_feed_has_the_versions_of_all_councils_newest_first(
    region: ViewerRegion, nobody: Visit
) -> None:
    add_page(region.database, TRAFFORD, published_facts(LONGER, MADE_UP, LONGER), "t", NOON, "test")
    other = published_facts(LONGER, MADE_UP, council=str(BURY), name="Bury Council")
    add_page(region.database, BURY, other, "t", NOON, "test")
    answer = nobody.client.get("/scoring/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = Xml.fromstring(answer.content)
    titles = [one.findtext(f"{ATOM}title") for one in feed.findall(f"{ATOM}entry")]
    assert titles[0] == "Trafford: version 2"
    assert set(titles[1:3]) == {"Trafford: version 1", "Bury: version 1"}
    assert titles[3:] == ["Bury: not as approved"]
    ids = [one.findtext(f"{ATOM}id") for one in (feed, *feed.findall(f"{ATOM}entry"))]
    assert len(set(ids)) == 5
    links = [str(one.get("href")) for one in feed.iter(f"{ATOM}link")]
    for link in links:
        assert nobody.client.get(link).status_code == 200, link
    tag = answer.headers["etag"]
    again = nobody.client.get("/scoring/feed.atom", headers={"If-None-Match": tag})
    assert again.status_code == 304
    text = plain(nobody.get("/scoring"))
    assert "As approved" in text
    assert "Not as approved" in text


@pytest.mark.usefixtures("empty")
def test_council_and_catalogue_lead_there_and_a_damaged_file_is_said(
    region: ViewerRegion, site: ViewerSite, nobody: Visit
) -> None:
    ana = site.visit("ana", ["analyst"])
    link = f'href="/scoring/{TRAFFORD}"'
    assert link not in ana.get(f"/councils/{TRAFFORD}")
    add_page(region.database, TRAFFORD, published_facts(), "t", NOON, "test")
    assert link in ana.get(f"/councils/{TRAFFORD}")
    assert 'href="/scoring"' in ana.get("/")
    assert 'href="/scoring"' in nobody.get("/sign-in")
    with region.database.writing() as session:
        session.query(CouncilPageRow).update({"content": b"{}"})
    assert "Cannot be shown" in plain(nobody.get("/scoring"))
    assert b"<entry>" not in nobody.client.get("/scoring/feed.atom").content


def test_the_record_names_nobody_and_hides_purposes_that_not_all_may_see(
    region: ViewerRegion, site: ViewerSite, nobody: Visit
) -> None:
    page = nobody.get("/record")
    text = plain(page)
    assert "Winter support 2026" in text
    assert "Safeguarding" not in text
    assert "safeguarding" not in text
    assert region.id("secret") not in page
    assert page.count("Not shown") == 1
    assert "test" not in text.replace("latest", ""), "who opened the rounds"
    record = json.loads(
        run_inside("folkmoot-coordinator", "record", "--home", region.home.path, "--json").said()
    )
    for one in record["loss"]:
        assert one["rho"] in text
        assert one["name"] in text
    for one in record["holds"]:
        assert one["what"] in text
    names = {one["asked_by"].get("by") for one in record["rounds"]}
    assert names
    assert not any(name and name in text for name in names)
    rea = site.visit("rea", ["reader"])
    assert "Safeguarding" not in rea.get("/record")
    bob = site.visit("bob", ["analyst"])
    assert "Safeguarding" in bob.get("/record")
    assert f'href="/rounds/{region.id("winter")}"' in bob.get("/record")


def test_the_public_learns_of_nobody_who_published_nothing_unless_the_settings_say_so(
    tmp_path: Path,
) -> None:
    with viewer_region(tmp_path, with_boundaries=False) as region, viewer_site(region) as site:
        enrol(region)
        rea = site.visit("rea", ["reader"])
        with Client(base_url=site.address, timeout=60) as client:
            assert client.get("/record").status_code == 303
            page = client.get("/scoring").text
            assert 'href="/record"' not in page
            assert "No council has published anything here yet." in page
            assert "Trafford" in rea.get("/scoring")
            add_page(region.database, TRAFFORD, published_facts(), "t", NOON, "test")
            page = client.get("/scoring").text
            assert "Trafford" in page
            assert "Bury" not in page
            assert "Bury" in rea.get("/scoring")
        assert "Nothing yet." in rea.get("/record")


def test_the_record_is_made_once_in_ten_minutes(region: ViewerRegion, site: ViewerSite) -> None:
    served = site.app.state.region
    clock = replace(region.clock)
    kept = KeptRecord(region.database, served.settings, clock)

    def made() -> int:
        return kept.now(site.app.state.site.database, served.drafts).made_at

    first = made()
    clock.now += KEPT_SECONDS - 1
    assert made() == first
    clock.now += 1
    assert made() == clock.now
    clock.now -= 1
    assert made() == clock.now, "a clock that was set back keeps nothing for longer"


def test_marks_are_those_of_the_node() -> None:
    assert {BY_PERSON, MISSING} == {Mark.PERSON.value, Mark.MISSING.value}
