"""The coordinator's own record says what the databases hold, and names what it must."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from folkmoot.privacy import Rho
from folkmoot_coordinator.database.models import AnswerRow, Base
from folkmoot_coordinator.drafts.models import Base as DraftsBase
from folkmoot_coordinator.scrutiny.borne_losses import borne_losses
from folkmoot_coordinator.scrutiny.holdings import HELD, HELD_AS_DRAFTS, HELD_BY_SITE
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.database.models import Base as SiteBase
from tests.api_site import ApiSite, api_site
from tests.commands import run_inside
from tests.unit.coordinator.conftest import Office
from tests.viewer_region import NAMES, fill, fill_series, viewer_region

DAYS = "[retention]\ncounts_days = 400\ndrafts_days = 30\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with viewer_region(tmp_path_factory.mktemp("record"), with_boundaries=False) as region:
        settings = region.home.settings_file
        settings.write_text(settings.read_text().replace("[retention]\n", DAYS))
        fill_series(fill(region))
        with api_site(region) as served:
            served.account("ana@example.org", "analyst")
            served.account("rea@example.org", "reader")
            served.statistics("winter", "/band.csv", served.key())
            with served.signed_in("ana@example.org") as browser:
                address = f"/api/v1/rounds/{region.id('winter')}/statistics/band.csv"
                assert browser.get(address).status_code == 200
                assert browser.get(address).status_code == 200
            yield served


def test_every_table_is_in_the_record_with_how_long_it_is_kept() -> None:
    assert set(HELD) == set(Base.metadata.tables)
    assert set(HELD_AS_DRAFTS) == set(DraftsBase.metadata.tables)
    assert set(HELD_BY_SITE) == {*SiteBase.metadata.tables, "api_keys"}


def test_the_record_says_what_is_held_asked_looked_at_and_handed_out(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = site.region
    monkeypatch.setattr("folkmoot_coordinator.clock.system_clock", region.clock)
    words = ("record", "--home", region.home.path)
    found = json.loads(run_inside("folkmoot-coordinator", *words, "--json").said())

    held = {one["table"]: one for one in found["holds"]}
    assert set(held) == {*HELD, *HELD_BY_SITE, *HELD_AS_DRAFTS}
    assert all(one["kept"] for one in found["holds"])
    assert held["rounds"]["entries"] == len(region.rounds) == len(found["rounds"])
    assert held["cells"]["kept"].startswith("400 days")
    assert held["drafts"]["kept"].startswith("30 days")

    asked = {one["round_id"]: one for one in found["rounds"]}
    secret = asked[region.id("secret")]
    assert (secret["purpose"], secret["released"]) == ("safeguarding", 3)
    assert all(one["asked_by"]["by"] for one in found["rounds"])
    assert found["withdrawn"] == [region.id("wrong")]
    assert "Bolton counted a street twice" in asked[region.id("wrong")]["withdrawn"]

    for one in found["loss"]:
        assert one["name"] == NAMES[one["council"]]
        stated = [
            stored.round_.charges[stored.round_.series.position - 1]
            if stored.round_.series
            else stored.round_.loss
            for name, stored in region.rounds.items()
            if (stored.round_.round_id, one["council"]) in _released(region.database)
        ]
        assert Rho.of(one["rho"]) == Rho.total(stated)
        assert Rho.total(map(Rho.of, one["years"].values())) == Rho.of(one["rho"])
        assert len(one["years"]) > 1

    looks = {(one["action"], one["role"]): one for one in found["site"]["actions"]}
    assert looks["statistics downloaded", "analyst"]["times"] == 2
    assert looks["statistics downloaded", "analyst"]["people"] == 1
    assert found["site"]["accounts"]["by_role"] == {"analyst": 1, "reader": 1}
    [key] = found["site"]["keys"]
    assert (key["name"], key["state"]) == ("test", "active")
    assert "@" not in json.dumps(found["site"]["actions"]), "who looked is said by role"

    text = run_inside("folkmoot-coordinator", *words).said()
    for part in ("What is held", "safeguarding", "Bolton", "API keys", "withdrawn"):
        assert part in text


def _released(database: object) -> set[tuple[str, str]]:
    from sqlalchemy import select

    with database.reading() as session:  # type: ignore[attr-defined]
        query = select(AnswerRow.round_id, AnswerRow.council).where(AnswerRow.reason.is_(None))
        return {(row.round_id, row.council) for row in session.execute(query)}


def test_without_a_site_the_rest_is_said_and_a_damaged_receipt_is_named(office: Office) -> None:
    words = ("record", "--home", office.home.path, "--json")
    found = json.loads(run_inside("folkmoot-coordinator", *words).said())
    assert found["site"] is None
    assert found["loss"] == []
    assert {one["place"] for one in found["holds"]} == {"coordinator"}
    stored = office.open()
    office.release(stored, stored.round_.councils[0])
    [loss] = borne_losses(office.database)
    assert loss.lifetime == stored.round_.loss
    with office.database.writing() as session:
        session.query(AnswerRow).update({"receipt": b"\xff"})
    with pytest.raises(Problem, match="receipt of") as refused:
        borne_losses(office.database)
    assert refused.value.exit_code is ExitCode.VERIFICATION
