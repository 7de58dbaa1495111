"""A region with rounds of every kind, for tests of its site: made by the coordinator's own code.

Releases go through `Intake`, with noise of the scale that their plans say. Councils, areas and
figures are made up.
"""

from __future__ import annotations

import json
import secrets
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from folkmoot.answer_codec import decode_header, encode_refusal, encode_release
from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.privacy import Delta, Rho
from folkmoot.refusal import Refusal, RefusalReason
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import Mechanism, Round
from folkmoot.series import Series, SeriesEvent, SeriesRow
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CertificateRow, CouncilRow
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.certificate_authority import Authority
from folkmoot_coordinator.publication.series_result import find_series, next_round
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.code_names import CodeNames
from folkmoot_coordinator.rounds.policies import keep_policy
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round, open_round
from folkmoot_coordinator.rounds.submissions import Intake
from folkmoot_coordinator.rounds.withdrawal import withdraw
from folkmoot_coordinator.signing import SigningKey
from folkmoot_coordinator.viewer.permissions import PERMISSIONS
from folkmoot_coordinator.viewer.settings import site_settings
from folkmoot_coordinator.viewer.site import build_viewer
from folkmoot_node.release.contrasts import sensitivities
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.settings import parse
from tests.ports import free_port
from tests.tables import measured
from tests.web_site import Clock, RunningSite, listening

BOLTON, BURY, TRAFFORD = GssCode("E08000001"), GssCode("E08000002"), GssCode("E08000009")
NAMES = {BOLTON: "Bolton", BURY: "Bury", TRAFFORD: "Trafford"}
BANDS = ("low", "medium", "high")
REGION = "Greater Exampleshire"
NOW = 1_800_000_000
MONTH = 30 * DAY
ROOT = Path(__file__).resolve().parents[1]
POLICY = ROOT / "rehearsal/folkmoot_rehearsal/documents/risk-policy.toml"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
"""A name that must be shown as text."""


@dataclass
class ViewerRegion:
    """A coordinator's folder with rounds in it.

    Attributes:
        home: The folder.
        database: Its database, for writing.
        signing: Its key.
        intake: Takes releases.
        areas: Codes of the areas of each council.
        clock: The time.
        rounds: Rounds by a name of the tests' own.
        extra: Text at the end of coordinator.toml.
    """

    home: Home
    database: Database
    signing: SigningKey
    intake: Intake
    areas: Mapping[GssCode, tuple[str, ...]]
    clock: Clock
    area_names: Mapping[str, str]
    rounds: dict[str, StoredRound] = field(default_factory=dict)

    def id(self, name: str) -> str:
        """Id of a round."""
        return self.rounds[name].round_.round_id

    def question(self, title: str = "Winter support", **changes: object) -> Round:
        """By default tables by band and area, by band, and the total."""
        now = self.clock()
        workload = Workload(
            (Attribute("band", BANDS), Attribute("lsoa", by_council=dict(self.areas))),
            (Marginal(("band", "lsoa"), 4), Marginal(("lsoa",)), Marginal(("band",)), Marginal(())),
        )
        values: dict[str, object] = {
            "round_id": secrets.token_hex(16),
            "title": title,
            "purpose": "winter_support",
            "councils": tuple(sorted(self.areas)),
            "minimum_councils": 2,
            "policy_digest": policy_digest(),
            "workload": workload,
            "loss": Rho.of("0.02"),
            "mechanism": Mechanism.DISCRETE_GAUSSIAN,
            "delta": Delta.of("1e-6"),
            "opened_at": now,
            "deadline": now + DAY,
            **changes,
        }
        return Round(**values)  # type: ignore[arg-type]

    def open(self, name: str, round_: Round) -> StoredRound:
        """Opens a round."""
        code_names = CodeNames({"lsoa": dict(self.area_names)}, {"lsoa": "2021"})
        stored = open_round(self.database, self.signing, round_, None, code_names)
        self.rounds[name] = stored
        return stored

    def release(
        self,
        stored: StoredRound,
        council: GssCode,
        table: npt.ArrayLike,
        row: SeriesRow | None = None,
    ) -> None:
        """What a council releases: its table with the noise of its plan.

        Args:
            stored: The round.
            council: Who releases.
            table: Households by the finest level of each axis.
            row: Of a series.
        """
        round_ = stored.round_
        release = Release(
            round_.round_id,
            stored.digest,
            council,
            round_.mechanism,
            round_.charges[row.step - 1] if row else round_.loss,
            bytes(32),
            NoisyCounts(array("q", noisy(round_.plan(council), table, council).tolist())),
            row,
            as_of=date(2026, 12, 31) if row is None else None,
        )
        parts = encode_release(release, 1)
        self.intake.accept_release(council, decode_header(next(parts)), parts)

    def refuse(self, stored: StoredRound, council: GssCode) -> None:
        """A council refuses."""
        refusal = Refusal(
            stored.round_.round_id, stored.digest, council, RefusalReason.BUDGET_EXHAUSTED, 0
        )
        self.intake.accept_refusal(council, encode_refusal(refusal, 1))

    def close(self, name: str) -> None:
        """Closes a round now."""
        close_round(self.database, self.id(name), self.clock())
        self.rounds[name] = find_round(self.database, self.id(name))

    def again(self, name: str) -> StoredRound:
        """A round as it is stored now."""
        return find_round(self.database, self.id(name))


def noisy(plan: Plan, table: npt.ArrayLike, seed: str) -> npt.NDArray[np.int64]:
    """What a council releases of a table; the noise is the same for the same table and seed."""
    exact = measured(plan, table)
    finest = tuple(len(axis.levels) for axis in plan.axes)
    assert not plan.is_pure, finest
    scale = np.concatenate(
        [
            np.sqrt(part.tau_squared * sensitivities(plan.axes, part.depths))
            for part in plan.measurements
        ]
    )
    rng = np.random.default_rng([int(exact.sum()) % 2**32, *seed.encode()])
    return exact + np.rint(rng.normal(0, scale)).astype(np.int64)


def policy_digest() -> bytes:
    """Of the policy of all rounds."""
    import hashlib

    return hashlib.sha256(POLICY.read_bytes()).digest()


def households(areas: int, year: int, council: int) -> npt.NDArray[np.int64]:
    """Made-up households by band and area: shape (bands, areas)."""
    rng = np.random.default_rng([council, areas])
    need = rng.gamma(3.0, 1.0, areas) / 3
    need *= 1 + 0.5 * year * (np.arange(areas) % 3 == 0)
    size = rng.integers(500, 900, areas)
    high = 0.12 * need * size
    medium = 0.25 * np.sqrt(need) * size
    return np.rint(np.stack([np.maximum(size - high - medium, 0), medium, high])).astype(np.int64)


def boundaries(areas: Mapping[GssCode, Sequence[str]], names: Mapping[str, str]) -> str:
    """Squares, a district below the other, as GeoJSON."""
    features = []
    top = 0
    for council, codes in sorted(areas.items()):
        across = max(1, round(len(codes) ** 0.5 * 1.6))
        for number, code in enumerate(codes):
            x, y = number % across, top + number // across
            west, north, side = -2.6 + x * 0.02, 53.7 - y * 0.012, (0.02, 0.012)
            ring = [
                [west, north], [west, north - side[1]], [west + side[0], north - side[1]],
                [west + side[0], north], [west, north],
            ]  # fmt: skip
            features.append(
                {
                    "type": "Feature",
                    "properties": {
                        "lsoa21_code": code,
                        "lsoa21_name": names.get(code, code),
                        "ltla24_code": council,
                        "ltla24_name": NAMES.get(council, council),
                    },
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                }
            )
        top += -(-len(codes) // across)
    return json.dumps({"type": "FeatureCollection", "features": features})


@contextmanager
def viewer_region(
    folder: Path,
    sizes: Mapping[GssCode, int] | None = None,
    *,
    settings: str = "",
    with_boundaries: bool = True,
    shapes: str = "",
    first: int = 1,
    area_name: str = "",
    names: Mapping[GssCode, str] = NAMES,
) -> Iterator[ViewerRegion]:
    """An empty region whose site listens on a free port of loopback.

    Args:
        folder: Where its folder is made.
        sizes: Number of areas of each council.
        settings: Lines of `[viewer]`.
        with_boundaries: Whether it has a file of boundaries.
        shapes: That file, if it is not to be one of squares: GeoJSON.
        first: Number of the first area.
        area_name: Begins the name of each area.
        names: Of councils.
    """
    sizes = sizes or {BOLTON: 12, BURY: 8, TRAFFORD: 10}
    home = Home(folder / "region")
    make_private_folder(home.path)
    make_private_folder(home.keys)
    areas = {}
    for council, size in sizes.items():
        areas[council] = tuple(f"E01{first + n:06}" for n in range(size))
        first += size
    area_names = {
        code: f"{area_name}{NAMES.get(council, council)} {n // 4 + 1:03}{'ABCD'[n % 4]}"
        for council, codes in areas.items()
        for n, code in enumerate(codes)
    }
    text = settings_text(REGION, ("127.0.0.1",), "127.0.0.1", 7443, 7444)
    text += "\n[names]\n" + "".join(f"{c} = {json.dumps(n)}\n" for c, n in names.items())
    text += f'\n[viewer]\nenabled = true\nlisten = "127.0.0.1:{free_port()}"\n'
    if with_boundaries:
        (home.path / "areas.geojson").write_text(shapes or boundaries(areas, area_names))
        text += 'boundaries = [{ file = "areas.geojson" }]\n'
    home.settings_file.write_text(text + settings)
    home.settings_file.chmod(0o600)
    found = parse(CoordinatorSettings, home.settings_file.read_bytes(), "settings")
    clock = Clock()
    Authority.create(home.keys, REGION, clock())
    signing = SigningKey.create(home.keys)
    database = Database(home.database_url(found))
    database.create()
    try:
        yield ViewerRegion(
            home, database, signing, Intake(database, signing, clock), areas, clock, area_names
        )
    finally:
        database.close()


def fill(region: ViewerRegion, title: str = "Winter support") -> ViewerRegion:
    """Rounds of every kind: `earlier`, `winter`, `partial`, `wrong`, `open`, `void`, `secret`."""
    councils = sorted(region.areas)

    def answer(name: str, year: int, of: Sequence[GssCode]) -> None:
        for number, council in enumerate(councils):
            if council in of:
                table = households(len(region.areas[council]), year, number)
                region.release(region.rounds[name], council, table)
        if region.again(name).state.name == "OPEN":
            region.close(name)
        region.rounds[name] = region.again(name)
        region.clock.now += DAY

    region.open("earlier", region.question(f"{title} 2025"))
    answer("earlier", 0, councils)
    region.clock.now += 300 * DAY
    region.open("winter", region.question(f"{title} 2026"))
    answer("winter", 1, councils)
    region.open("partial", region.question(f"{title}, two councils"))
    region.refuse(region.rounds["partial"], councils[-1])
    answer("partial", 1, councils[:-1])
    region.open("wrong", region.question(f"{title}, wrong"))
    answer("wrong", 1, councils)
    withdraw(
        region.database, region.id("wrong"), "Bolton counted a street twice", region.clock(), "test"
    )
    region.rounds["wrong"] = region.again("wrong")
    region.open("void", region.question(f"{title}, void"))
    answer("void", 1, councils[:1])
    region.open("secret", region.question("Safeguarding", purpose="safeguarding"))
    answer("secret", 1, councils)
    region.open("open", region.question(f"{title}, open"))
    region.release(
        region.rounds["open"], councils[0], households(len(region.areas[councils[0]]), 1, 0)
    )
    keep_policy(region.database, POLICY.read_bytes(), POLICY.name, region.clock())
    return region


def enrol(region: ViewerRegion) -> None:
    """Makes the councils members, with certificates that no program reads."""
    now = region.clock()
    with region.database.writing() as session:
        for code in region.areas:
            session.add(CouncilRow(code=code, enrolled_at=now, last_seen=None))
            session.flush()
            session.add(
                CertificateRow(
                    serial=code,
                    council=code,
                    certificate=b"",
                    key_digest=bytes(32),
                    issued_at=now,
                    expires_at=now + 1_000 * DAY,
                )
            )


def with_hotspot(
    region: ViewerRegion, name: str, title: str = "One hotspot", *, hole: bool = False
) -> set[str]:
    """A round in which a block of Bolton's areas has four times the need; returns their codes.

    With a hole, the area in the middle has nothing; its code is among them.
    """
    across = round(len(region.areas[BOLTON]) ** 0.5 * 1.6)
    block = {row * across + column for row in range(1, 4) for column in range(1, 4)}
    region.open(name, region.question(title))
    for number, council in enumerate(sorted(region.areas)):
        rng = np.random.default_rng(number)
        size = len(region.areas[council])
        high = rng.poisson(60, size)
        if council == BOLTON:
            high[list(block)] *= 4
            if hole:
                high[2 * across + 2] = 0
        table = np.stack([np.full(size, 500), np.full(size, 150), high])
        region.release(region.rounds[name], council, table)
    region.rounds[name] = region.again(name)
    region.clock.now += DAY
    return {region.areas[BOLTON][place] for place in block}


def with_outcome(region: ViewerRegion, name: str, size: int = 8_000, **changes: object) -> None:
    """A round of Bolton, Bury and Trafford that counts bands by an outcome, as `outcome_region`.

    Of every second event of Bury nothing was recorded.
    """
    from tests import outcome_region

    councils = outcome_region.region(size)
    bury = councils[BURY]
    councils[BURY] = replace(bury, event=bury.event * (np.arange(size) % 2))
    values = {"workload": outcome_region.WORKLOAD, "loss": Rho.of("0.5"), **changes}
    title = f"Did bands find arrears orders? {name}"
    region.open(name, region.question(title, **values))
    for council, of in councils.items():
        stored = region.rounds[name]
        region.release(stored, council, outcome_region.finest(stored.round_, council, of))
    region.rounds[name] = region.again(name)
    region.clock.now += DAY


def fill_series(
    region: ViewerRegion, title: str = "New households in high need", months: int = 3
) -> ViewerRegion:
    """A series of new households by month: `series 1`, `series 2`, ..."""
    length = 4
    now = region.clock()
    series = Series("5" * 32, 1, length, SeriesEvent("band", ("high",)), now + 12 * MONTH)
    councils = sorted(region.areas)
    for month in range(1, months + 1):
        round_ = (
            replace(region.question(title), series=series)
            if month == 1
            else next_round(find_series(region.database, "5" * 32), region.clock())
        )
        name = f"series {month}"
        stored = region.open(name, round_)
        row = SeriesRow(month, month)
        for number, council in enumerate(councils):
            table = sum(
                row.coefficient(cohort, length)
                * (households(len(region.areas[council]), 0, number + 10 * cohort) // 6)
                for cohort in range(1, month + 1)
            )
            region.release(stored, council, table, row)
        region.rounds[name] = region.again(name)
        region.clock.now += MONTH
    return region


@contextmanager
def serving_region(region: ViewerRegion) -> Iterator[RunningSite]:
    """Serves a region's site from a thread of this process until the end.

    Each role has an account named after it.
    """
    app = build_viewer(region.home, clock=region.clock)
    web = site_settings(region.home, region.home.settings())
    with listening(app, web, region.home.path):
        site = RunningSite(web.origin, app.state.site, region.clock, app)
        for role in PERMISSIONS.roles:
            site.add_account(f"{role}@example.gov.uk", role)
        yield site


def fill_hot_series(region: ViewerRegion) -> dict[str, set[str]]:
    """A series of three rounds with hotspots: `hot 1` to `hot 3`.

    Returns:
        Areas of Bolton, nine each, that stand out in the last round alone (`new`), in all
        (`lasting`), and in all but the last (`fading`).
    """
    length, now = 4, region.clock()
    series = Series("6" * 32, 1, length, SeriesEvent("band", ("high",)), now + 12 * MONTH)
    across = max(1, round(len(region.areas[BOLTON]) ** 0.5 * 1.6))
    lefts = {"new": (0, {3}), "lasting": (4, {1, 2, 3}), "fading": (8, {1, 2})}
    blocks = {
        name: [row * across + left + column for row in range(1, 4) for column in range(3)]
        for name, (left, _) in lefts.items()
    }

    def cohort(council: GssCode, number: int, month: int) -> npt.NDArray[np.int64]:
        size = len(region.areas[council])
        high = np.random.default_rng([number, month]).poisson(30, size)
        if council == BOLTON:
            for name, (_, months) in lefts.items():
                high[blocks[name]] += 150 * (month in months)
        return np.stack([np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64), high])

    for month in (1, 2, 3):
        round_ = (
            replace(region.question("New households, with hotspots"), series=series)
            if month == 1
            else next_round(find_series(region.database, "6" * 32), region.clock())
        )
        stored = region.open(f"hot {month}", round_)
        row = SeriesRow(month, month)
        for number, council in enumerate(sorted(region.areas)):
            table = sum(
                row.coefficient(one, length) * cohort(council, number, one)
                for one in range(1, month + 1)
            )
            region.release(stored, council, table, row)
        region.rounds[f"hot {month}"] = region.again(f"hot {month}")
        region.clock.now += MONTH
    return {name: {region.areas[BOLTON][at] for at in block} for name, block in blocks.items()}
