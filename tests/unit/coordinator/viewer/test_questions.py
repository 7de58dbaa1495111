"""Questions on the region's site: composing, forecasting, saving, and deciding by two people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from folkmoot.rounds import RoundState
from folkmoot_coordinator.drafts.drafts import DraftState, find_draft, list_drafts, question_of
from folkmoot_coordinator.drafts.opening import DraftOpener
from folkmoot_coordinator.rounds.progress import summaries
from folkmoot_coordinator.rounds.round_store import find_round
from tests.enrolled import enrol
from tests.viewer_region import (
    BANDS,
    BOLTON,
    BURY,
    HOSTILE,
    NAMES,
    ViewerRegion,
    fill,
    policy_digest,
    viewer_region,
)
from tests.viewer_visits import ViewerSite, Visit, fields_of, plain, viewer_site


@dataclass
class Asking:
    """A region with its site, an analyst, an approver and a reader."""

    region: ViewerRegion
    site: ViewerSite
    ann: Visit
    ben: Visit
    reader: Visit

    def drafts(self) -> list[str]:
        return [one.draft_id for one in list_drafts(self.site.app.state.region.drafts)]

    def state(self, draft_id: str) -> DraftState:
        return find_draft(self.site.app.state.region.drafts, draft_id).state

    def open_approved(self) -> None:
        """What the coordinator's process does."""
        opener = DraftOpener(
            self.region.home, self.region.database, self.region.signing, self.region.clock
        )
        opener.look()
        opener.close()

    def save(self, who: Visit, expect: int = 303, page: str = "/ask", **changes: object) -> str:
        """Saves a draft; returns its id, or the page that says why not."""
        fields = filled(who.get(page), page) | changes
        response = who.send(page, page, fields | {"action": "save"}, expect)  # type: ignore[arg-type]
        if expect != 303:
            return response.text
        found = re.fullmatch(r"/drafts/([0-9a-f]{32})\?saved=1", response.headers["location"])
        assert found
        return found[1]


def filled(page: str, action: str = "/ask") -> dict[str, object]:
    """The form of the page with a question that can be asked."""
    return {
        **fields_of(page, action),
        "title": "Winter 2027",
        "purpose": "winter_support",
        "policy": policy_digest().hex(),
        "table_1": ["band", "lsoa"],
        "table_2": ["band"],
        "weight_2": "4",
        "table_3": ["(all)"],
        "rho": "0.25",
    }


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    with viewer_region(tmp_path_factory.mktemp("asking")) as made:
        fill(made)
        for council in NAMES:
            enrol(made, council)
        yield made


@pytest.fixture(scope="module")
def asking(region: ViewerRegion) -> Iterator[Asking]:
    with viewer_site(region) as site:
        yield Asking(
            region,
            site,
            site.visit("ann", ["analyst"]),
            site.visit("ben", ["approver"]),
            site.visit("rea", ["reader"]),
        )


def test_the_form_offers_what_councils_offer(asking: Asking) -> None:
    page = asking.ann.get("/ask")
    begun = fields_of(page, "/ask")
    assert set(begun["councils"]) == set(NAMES)
    assert begun["codes_band"] == list(BANDS)
    assert begun["purpose"] == ["winter_support"]
    text = plain(page)
    assert "Every council allows up to 0.5" in text
    assert "risk-policy.toml" in text
    assert "Bolton" in text


def test_what_to_expect_is_shown_and_nothing_is_stored(asking: Asking) -> None:
    before = asking.drafts()
    fields = filled(asking.ann.get("/ask"))
    page = asking.ann.send("/ask", "/ask", fields | {"action": "show"}, 200).text  # type: ignore[arg-type]
    text = plain(page)
    assert "What to expect" in text
    assert "Nothing is asked and nothing is saved yet" in text
    assert "Households by band and LSOA" in text
    assert "All households" in text
    assert "19 times in 20" in text
    assert "Share reliable" not in text
    assert 'src="data:image/svg+xml;base64,' in page
    again = fields_of(page, "/ask")
    assert again["title"] == ["Winter 2027"]
    assert again["table_1"] == ["band", "lsoa"]
    assert again["weight_2"] == ["4"]
    assert asking.drafts() == before


def test_what_share_will_be_reliable_follows_the_assumption(asking: Asking) -> None:
    fields = filled(asking.ann.get("/ask")) | {"action": "show", "households": "210"}
    few = plain(asking.ann.send("/ask", "/ask", fields, 200).text)  # type: ignore[arg-type]
    assert "Assumed: The region has 210 households" in few
    assert "Share reliable" in few
    fields |= {"households": "2100000"}
    many = plain(asking.ann.send("/ask", "/ask", fields, 200).text)  # type: ignore[arg-type]
    fields |= {"households": "", "like": asking.region.id("winter")}
    like = plain(asking.ann.send("/ask", "/ask", fields, 200).text)  # type: ignore[arg-type]
    assert "Figures are as large as those of “Winter support 2026”" in like
    shares = [
        re.search(r"(?:About|Under|Over) (\d+)% of all figures will be reliable", text)
        for text in (few, many, like)
    ]
    assert all(shares), (few, many, like)
    low, high, _ = (int(one[1]) for one in shares if one)
    assert low < high


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"title": ""}, "title", "Enter a title"),
        ({"purpose": ""}, "purpose", "Select a purpose"),
        ({"purpose": "spying"}, "purpose", "councils allow"),
        ({"policy": ""}, "policy", "Select the policy"),
        ({"policy": "", "other_policy": "zz"}, "other_policy", "64 hexadecimal"),
        ({"councils": []}, "councils", "at least one council"),
        ({"minimum_councils": "none"}, "minimum_councils", "whole number"),
        ({"minimum_councils": "9"}, "minimum_councils", ""),
        ({"rho": "much"}, "rho", "must be a number"),
        ({"rho": "-1"}, "rho", "more than 0"),
        ({"delta": "2"}, "delta", "less than 1"),
        ({"days": "0"}, "days", "more than 0"),
        ({"days": "soon"}, "days", "must be a number"),
        ({"table_1": [], "table_2": [], "table_3": []}, "table_1", "Choose what to count"),
        ({"table_2": ["band", "lsoa"]}, "table_1", ""),
        ({"codes_band": ["purple"]}, "codes_band", "purple"),
        ({"households": "lots"}, "households", "whole number"),
        ({"like": "0" * 32}, "like", "in the list"),
        ({"weight_1": "0"}, "weight_1", ""),
        ({"table_1": ["tenure"]}, "table_1", "No council offers"),
    ],
)
def test_errors_stand_beside_their_fields_and_nothing_is_stored(
    asking: Asking, changes: dict[str, object], field: str, says: str
) -> None:
    before = asking.drafts()
    page = asking.save(asking.ann, 422, **changes)
    assert asking.drafts() == before
    summary = re.findall(r'<a href="#([a-z_0-9]+)">([^<]+)</a>', page)
    assert [name for name, _ in summary] == [field], summary
    assert says in summary[0][1]
    assert f'id="{field}"' in page
    assert f'id="{field}-error"' in page
    assert "<title>Error: " in " ".join(page.split()).replace("<title> ", "<title>")
    kept = fields_of(page, "/ask")
    for name, value in changes.items():
        typed = value if isinstance(value, list) else [value]
        shown = [one for one in typed if one]
        if name not in ("purpose", "like", "codes_band"):  # what cannot be chosen cannot be shown
            assert [one for one in kept.get(name, []) if one] == shown


def test_another_table_keeps_what_was_typed(asking: Asking) -> None:
    fields = filled(asking.ann.get("/ask")) | {"action": "more", "title": ""}
    page = asking.ann.send("/ask", "/ask", fields, 200).text  # type: ignore[arg-type]
    assert "There is a problem" not in page
    again = fields_of(page, "/ask")
    assert again["table_1"] == ["band", "lsoa"]
    assert "weight_4" in again
    draft = asking.save(asking.ann, weight_4="1", table_4=["lsoa"])
    asked = question_of(
        asking.site.app.state.region.drafts, find_draft(asking.site.app.state.region.drafts, draft)
    ).file
    assert [(one.attributes, one.weight) for one in asked.marginals] == [
        (("band", "lsoa"), 1), (("band",), 4), ((), 1), (("lsoa",), 1)
    ]  # fmt: skip


def test_two_people_ask_and_the_coordinator_opens(asking: Asking) -> None:
    rounds = len(summaries(asking.region.database))
    draft = asking.save(asking.ann, title="Asked by two")
    here = f"/drafts/{draft}"
    text = plain(asking.ann.get(f"{here}?saved=1"))
    assert "The draft is saved. No council is asked yet." in text
    assert "has to submit the draft" in text
    assert "0.25" in text
    assert asking.ben.client.get("/ask").status_code == 403
    asking.ann.send(here, f"{here}/submit", {})
    text = plain(asking.ann.get(here))
    assert "Somebody other than ann has to approve the draft, or refuse it" in text
    assert f"{here}/approve" not in asking.ann.get(here)
    assert f"{here}/approve" not in asking.reader.get(here)
    text = plain(asking.ben.get("/drafts"))
    assert "One draft waits for you" in text
    page = asking.ben.get(here)
    fields = fields_of(page, f"{here}/approve")
    asking.ben.send(here, f"{here}/approve", fields)  # type: ignore[arg-type]
    assert asking.state(draft) is DraftState.APPROVED
    assert len(summaries(asking.region.database)) == rounds
    assert "You have approved the draft" in plain(asking.ben.get(f"{here}?approved=1"))
    for who, said in ((asking.ann, "approved"), (asking.ann, "saved"), (asking.ben, "saved")):
        text = plain(who.get(f"{here}?{said}=1"))
        assert "You have approved" not in text, "somebody else did"
        assert "No council is asked yet" not in text, "it is not true any more"
    asking.open_approved()
    assert "The coordinator opens the round" not in plain(asking.ben.get(f"{here}?approved=1"))
    assert len(summaries(asking.region.database)) == rounds + 1
    found = find_draft(asking.site.app.state.region.drafts, draft)
    assert found.round_id is not None
    opened = find_round(asking.region.database, found.round_id)
    assert opened.state is RoundState.OPEN
    assert opened.title == "Asked by two"
    assert str(opened.round_.loss) == "0.25"
    text = plain(asking.reader.get(here))
    assert "The round is open to councils" in text
    assert "ben (web account) approved it" in text
    assert "The coordinator opened the round" in text
    text = plain(asking.reader.get("/drafts"))
    assert "Asked by two" in text
    assert "13 days left" in text or "14 days left" in text
    assert "Bolton (its node has never called), Bury (its node has never called)" in text
    actions = [one.body["action"] for one in asking.site.app.state.site.audit.entries()]
    assert actions[-1] == "question approved"
    assert "question submitted" in actions


def test_nobody_approves_their_own(asking: Asking) -> None:
    both = asking.site.visit("cat", ["analyst", "approver"])
    draft = asking.save(both)
    here = f"/drafts/{draft}"
    both.send(here, f"{here}/submit", {})
    page = both.get(here)
    assert "somebody else must approve it" in plain(page)
    digest = find_draft(asking.site.app.state.region.drafts, draft).digest.hex()
    text = plain(both.send(here, f"{here}/approve", {"digest": digest}, 409).text)
    assert "somebody else must approve it" in text
    text = plain(both.send(here, f"{here}/refuse", {"reason": "no"}, 409).text)
    assert "is your own" in text
    assert asking.state(draft) is DraftState.WAITING
    response = both.send(here, f"{here}/withdraw", {"why": "asked twice"})
    assert response.headers["location"] == f"{here}?withdrawn=1"
    assert asking.state(draft) is DraftState.WITHDRAWN
    assert "asked twice" in plain(both.get(here))


def test_what_was_changed_is_not_what_was_approved(asking: Asking) -> None:
    draft = asking.save(asking.ann)
    here = f"/drafts/{draft}"
    asking.ann.send(here, f"{here}/submit", {})
    seen = fields_of(asking.ben.get(here), f"{here}/approve")
    page = f"/ask?draft={draft}"
    assert fields_of(asking.ann.get(page), page)["title"] == ["Winter 2027"]
    assert asking.save(asking.ann, page=page, title="Winter, changed", rho="0.4") == draft
    asking.ann.send(here, f"{here}/submit", {})
    text = plain(asking.ben.send(here, f"{here}/approve", seen, 409).text)  # type: ignore[arg-type]
    assert "was changed since you saw it" in text
    assert asking.state(draft) is DraftState.WAITING


def test_a_refusal_needs_a_reason_and_can_be_answered(asking: Asking) -> None:
    draft = asking.save(asking.ann)
    here = f"/drafts/{draft}"
    asking.ann.send(here, f"{here}/submit", {})
    page = asking.ben.send(here, f"{here}/refuse", {"reason": " "}, 422).text
    assert 'id="reason-error"' in page
    assert "Enter a reason" in page
    asking.ben.send(here, f"{here}/refuse", {"reason": "Too costly"})
    text = plain(asking.ann.get(here))
    assert "Reason: Too costly" in text
    asking.save(asking.ann, page=f"/ask?draft={draft}", rho="0.05")
    assert asking.state(draft) is DraftState.DRAFT
    other = asking.site.visit("dan", ["analyst"])
    other.get(f"/ask?draft={draft}", 403)
    text = plain(other.send("/ask", f"{here}/withdraw", {"why": ""}, 422).text)
    assert "Only its author can withdraw" in text


def test_doubts_are_said_before_anything_is_asked(asking: Asking) -> None:
    fields = filled(asking.ann.get("/ask")) | {"action": "show", "rho": "0.75"}
    text = plain(asking.ann.send("/ask", "/ask", fields, 200).text)  # type: ignore[arg-type]
    assert "Nobody whose catalogue is known allows a round of rho 0.75" in text


def test_a_round_can_be_asked_again(asking: Asking) -> None:
    page = asking.ann.get(f"/ask?again={asking.region.id('winter')}")
    begun = fields_of(page, "/ask")
    assert begun["title"] == ["Winter support 2026"]
    assert begun["table_1"] == ["band", "lsoa"]
    assert begun["table_4"] == ["(all)"]
    assert begun["rho"] == [str(asking.region.rounds["winter"].round_.loss)]


def test_titles_are_text(asking: Asking) -> None:
    draft = asking.save(asking.ann, title=HOSTILE)
    here = f"/drafts/{draft}"
    asking.ann.send(here, f"{here}/submit", {})
    asking.ben.send(here, f"{here}/refuse", {"reason": HOSTILE})
    for page in ("/drafts", here, f"/ask?draft={draft}"):
        text = asking.ann.get(page)
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


def test_pages_of_drafts_that_are_not_there(asking: Asking) -> None:
    for draft in ("0" * 32, "latest", "..%2f", "%"):
        asking.ann.get(f"/drafts/{draft}", 404)
    asking.ann.get(f"/ask?draft={'0' * 32}", 404)


def test_who_may_not_see_a_purpose_sees_no_draft_of_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("visible")
    with viewer_region(folder, settings='[viewer.visibility]\nreader = ["other"]\n') as made:
        enrol(made, BOLTON, {"band": BANDS})
        with viewer_site(made) as site:
            ann, reader = site.visit("eve", ["analyst"]), site.visit("fay", ["reader"])
            asking = Asking(made, site, ann, ann, reader)
            draft = asking.save(
                ann, title="Not for readers", policy="", other_policy="ab" * 32, table_1=["band"],
                table_2=[],
            )  # fmt: skip
            ann.get(f"/drafts/{draft}")
            assert "Not for readers" in ann.get("/drafts")
            reader.get(f"/drafts/{draft}", 404)
            assert "Not for readers" not in reader.get("/drafts")


def test_a_policy_is_not_called_by_the_title_of_a_round_that_must_not_be_seen(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("titles")
    limits = '[viewer.visibility]\nanalyst = ["winter_support"]\n'
    with viewer_region(folder, settings=limits) as made:
        made.open("seen", made.question("Winter 2026"))
        made.clock.now += 1
        made.open("unseen", made.question("Safeguarding", purpose="safeguarding"))
        enrol(made, BOLTON)
        with viewer_site(made) as site:
            page = site.visit("ann", ["analyst"]).get("/ask")
            assert policy_digest().hex() in page
            assert "of Winter 2026" in page
            assert "Safeguarding" not in page
            assert "of Safeguarding" in site.visit("ada", ["analyst", "reader"]).get("/ask")


def test_what_the_schedule_will_ask_is_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("schedule")
    weekly = (
        '[viewer.visibility]\nreader = ["other"]\n'
        '[[schedule.rounds]]\nname = "weekly"\nquestion = "weekly.toml"\ncron = "0 9 * * 1"\n'
    )
    with viewer_region(folder, settings=weekly) as made, viewer_site(made) as site:
        text = plain(site.visit("ann", ["analyst"]).get("/drafts"))
        assert re.search(r"The recurring round weekly opens on \d+ January 2027, 09:00 UTC", text)
        assert "weekly" not in site.visit("rea", ["reader"]).get("/drafts")


def test_a_region_without_catalogues_says_so(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with viewer_region(tmp_path_factory.mktemp("new")) as made, viewer_site(made) as site:
        text = plain(site.visit("ann", ["analyst"]).get("/ask"))
        assert "No council has said yet what it offers" in text
        assert "No round is open" in plain(site.visit("rea", ["reader"]).get("/drafts"))


def test_areas_that_no_round_has_asked_for_are_named(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with viewer_region(tmp_path_factory.mktemp("areas")) as made:
        for council in (BOLTON, BURY):
            enrol(made, council, {"band": BANDS, "ward": ()})
        with viewer_site(made) as site:
            ann = site.visit("ann", ["analyst"])
            assert "The areas of ward are not known here yet" in plain(ann.get("/ask"))
            fields = filled(ann.get("/ask")) | {
                "policy": "", "other_policy": "ab" * 32, "table_1": ["ward"], "action": "show",
            }  # fmt: skip
            page = ann.send("/ask", "/ask", fields, 422).text  # type: ignore[arg-type]
            assert "are not known here" in plain(page)
