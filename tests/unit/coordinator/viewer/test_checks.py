"""What `doctor` says about the region's site."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from sqlalchemy import text

from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.config import BoundarySettings, CoordinatorSettings, RoundSettings
from folkmoot_coordinator.drafts.checks import drafts
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.viewer.checks import site
from folkmoot_coordinator.viewer.keys.models import API_KEYS
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_operator.certificate_lives import SOON_DAYS
from folkmoot_operator.checks import Finding, State, examine
from folkmoot_web.site import State as SiteState
from folkmoot_web.site import open_state
from tests.viewer_region import ViewerRegion, viewer_region

OPENID = {
    "issuer": "https://login.example",
    "client_id": "folkmoot",
    "roles": {"analysts": ["raeder"]},
}


@pytest.fixture
def region(tmp_path: Path) -> Iterator[ViewerRegion]:
    """A region whose site has never been started."""
    with viewer_region(tmp_path) as made:
        yield made


@pytest.fixture
def state(region: ViewerRegion) -> Iterator[SiteState]:
    """What its site keeps, made as when it starts."""
    settings = site_settings(region.home, region.home.settings())
    found = open_state(settings, PERMISSIONS, home=region.home.path, tables=[API_KEYS])
    found.database.prepare()
    yield found
    found.database.close()


def look(
    region: ViewerRegion,
    *,
    rounds: RoundSettings | None = None,
    now: int | None = None,
    **viewer: Any,
) -> dict[str, list[Finding]]:
    """What is found, by name, where the settings differ in some keys."""
    settings: CoordinatorSettings = region.home.settings()
    changed = {"viewer": settings.viewer.model_copy(update=viewer)}
    settings = settings.model_copy(update=changed | ({"rounds": rounds} if rounds else {}))
    by_name: dict[str, list[Finding]] = {}
    for one in examine([site(region.home, settings, region.clock() if now is None else now)]):
        by_name.setdefault(one.name, []).append(one)
    return by_name


def test_a_sound_site_that_was_never_started(region: ViewerRegion) -> None:
    found = look(region)
    assert {name: [one.state for one in each] for name, each in found.items()} == {
        "site": [State.OK],
        "boundaries": [State.OK],
        "site database": [State.OK],
        "approvers": [State.WARN],
    }
    assert "http://127.0.0.1:" in found["site"][0].what
    assert "30 areas" in found["boundaries"][0].what
    assert not region.home.viewer_file.exists(), "who only looks makes nothing"


def test_where_there_is_no_site_nothing_is_asked_of_it(region: ViewerRegion) -> None:
    found = look(region, enabled=False, boundaries=(BoundarySettings(file=Path("none.geojson")),))
    [[one]] = found.values()
    assert (one.name, one.state) == ("site", State.OK)


def test_wrong_settings_and_missing_packages(
    region: ViewerRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    [[one]] = look(region, listen="0.0.0.0:80").values()
    assert one.state is State.FAIL
    assert "needs TLS" in one.what
    whole = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "shapely" else whole(name)
    )
    [[one]] = look(region).values()
    assert one.state is State.FAIL
    assert "not installed: shapely" in one.what
    assert "pip install" in one.remedy


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"visibility": {"raeder": ()}}, "viewer.visibility.raeder"),
        ({"sign_in": {"openid": OPENID}}, "viewer.sign_in.openid.roles.analysts"),
    ],
    ids=["visibility", "openid"],
)
def test_roles_that_nobody_has(region: ViewerRegion, changes: dict[str, Any], where: str) -> None:
    """Misspelt, a role leaves the one that was meant with a view of all: no site starts."""
    [found] = look(region, **changes)["site"]
    assert (found.state, found.where) == (State.FAIL, where)
    assert "'reader'" in found.what or "'analyst'" in found.what


def test_boundaries_that_cannot_be_read(region: ViewerRegion) -> None:
    (region.home.path / "broken.geojson").write_text('{"type": "FeatureCollection", "fea')
    files = ("none.geojson", "broken.geojson", "areas.geojson")
    found = look(region, boundaries=tuple(BoundarySettings(file=Path(one)) for one in files))
    assert [one.state for one in found["boundaries"]] == [State.FAIL, State.FAIL, State.OK]
    assert "none.geojson" in found["boundaries"][0].where
    assert all(one.remedy for one in found["boundaries"][:2])
    [tiles] = look(region, boundaries=())["boundaries"]
    assert (tiles.state, "tiles" in tiles.what) == (State.OK, True)


def test_a_certificate_near_its_end(region: ViewerRegion) -> None:
    identity = Authority.load(region.home.keys).issue_server_identity(
        ("127.0.0.1",), region.clock(), 90
    )
    (region.home.path / "site.crt").write_bytes(identity.certificate)
    (region.home.path / "site.key").write_bytes(identity.key)
    certificate = x509.load_pem_x509_certificate(identity.certificate)
    begins = int(certificate.not_valid_before_utc.timestamp())
    ends = int(certificate.not_valid_after_utc.timestamp())
    tls = {"certificate": "site.crt", "key": "site.key"}
    for now, state in (
        (begins - 1, State.FAIL),
        (begins, State.OK),
        (ends - SOON_DAYS * DAY - 1, State.OK),
        (ends - SOON_DAYS * DAY, State.WARN),
        (ends - 1, State.WARN),
        (ends, State.FAIL),
    ):
        [one] = look(region, tls=tls, now=now)["site certificate"]
        assert one.state is state, (now, one)
        assert bool(one.remedy) == (state is not State.OK)


def test_certificate_files_that_cannot_be_used(region: ViewerRegion) -> None:
    authority = Authority.load(region.home.keys)
    one, other = (
        authority.issue_server_identity(("127.0.0.1",), region.clock(), 90) for _ in range(2)
    )
    (region.home.path / "site.crt").write_bytes(one.certificate)
    (region.home.path / "site.key").write_bytes(other.key)
    for key in ("site.key", "none.key"):
        found = look(region, tls={"certificate": "site.crt", "key": key})
        assert [each.state for each in found["site certificate"]] == [State.FAIL]
        assert key in found["site certificate"][0].where


def test_tables_of_other_versions(region: ViewerRegion, state: SiteState) -> None:
    [one] = look(region)["site database"]
    assert (one.state, "upgrades" in one.what) == (State.OK, False)
    with state.database.writing() as session:
        session.execute(text("UPDATE api_keys_version SET version_num = '0000'"))
    [one] = look(region)["site database"]
    assert (one.state, "upgrades" in one.what) == (State.OK, True)
    with state.database.writing() as session:
        session.execute(text("UPDATE web_version SET version_num = '9999'"))
    found = look(region)
    [one] = found["site database"]
    assert one.state is State.FAIL
    assert "web 9999" in one.what
    assert "later version" in one.remedy
    assert "approvers" not in found, "tables that are not known are not read"


def test_a_database_that_is_none(region: ViewerRegion) -> None:
    region.home.viewer_file.write_bytes(b"no database at all\n" * 300)
    region.home.viewer_file.chmod(0o600)
    [one] = look(region)["site database"]
    assert one.state is State.FAIL
    assert one.remedy


def test_somebody_must_be_able_to_approve(region: ViewerRegion, state: SiteState) -> None:
    state.accounts.add("ann", "Ann", ["analyst"], by="test")
    [one] = look(region)["approvers"]
    assert one.state is State.WARN
    assert "--role approver" in one.remedy
    state.accounts.add("ben", "Ben", ["reader", "approver"], by="test")
    [one] = look(region)["approvers"]
    assert (one.state, one.what) == (State.OK, "1 may approve questions on the site")

    [one] = look(region, rounds=RoundSettings(approvers=("Ann", "Zoe")))["approvers"]
    assert one.state is State.WARN
    assert "that rounds.approvers names" in one.what
    alone, able = look(region, rounds=RoundSettings(approvers=("Ben",)))["approvers"]
    assert (alone.state, able.state) == (State.WARN, State.OK)
    assert "Ben alone" in alone.what

    state.accounts.disable("ben", by="test")
    [one] = look(region)["approvers"]
    assert one.state is State.WARN
    [one] = look(region, rounds=RoundSettings(second_person=False))["approvers"]
    assert one.state is State.OK
    good = {**OPENID, "roles": {"approvers": ["approver"]}}
    [one] = look(region, sign_in={"openid": good})["approvers"]
    assert one.state is State.OK


def test_accounts_that_were_added_before_the_first_start_are_no_fault_of_drafts(
    region: ViewerRegion, state: SiteState
) -> None:
    state.accounts.add("jo@example.gov.uk", "Jo", ["analyst"], by="root")
    settings = region.home.settings()
    [found] = examine([drafts(region.home, settings, 0)])
    assert (found.state, found.what) == (State.OK, "none was written yet")
