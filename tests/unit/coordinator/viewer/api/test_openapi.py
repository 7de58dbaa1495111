"""The OpenAPI description is what the site does: Schemathesis asks, and judges the answers."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from folkmoot_coordinator.viewer.api.request_limits import RequestLimits
from tests.api_site import ApiSite
from tests.outcome_region import OUTCOME
from tests.viewer_region import BOLTON, with_outcome

load_all_checks()
PATHS = (
    "/api/v1/rounds",
    "/api/v1/rounds/{round_id}",
    "/api/v1/rounds/{round_id}/statistics",
    "/api/v1/rounds/{round_id}/statistics/{table}",
    "/api/v1/rounds/{round_id}/outcome",
    "/api/v1/rounds/{round_id}/equality",
)
NOT_CHECKED = ["positive_data_acceptance"]
"""Which rows can be chosen depends on the table, so what the description allows may be refused."""


@pytest.fixture(scope="module")
def description(site: ApiSite) -> Any:
    """The description, with ids and codes that there are, so that not all is unknown."""
    site.app.state.api_limits = RequestLimits(10**6, 10**6)
    with_outcome(site.region, "judged", size=400)
    found = site.client.get("/api/v1/openapi.json").json()
    known = {
        "round_id": [*map(site.region.id, site.region.rounds), "latest", "0" * 32],
        "table": ["band.lsoa", "lsoa.csv", "band.xlsx", "total.geojson", "band.parquet", "none"],
        "outcome": [OUTCOME, "", "band"],
        "by": ["financial_hardship", "", "zebra"],
    }
    chosen = {
        "level": {"enum": ["region", "council", "all_areas"]},
        "place": {"enum": [str(BOLTON)]},
        "band": {"enum": ["low", "high"]},
    }
    judged = [site.region.id("judged"), site.region.id("winter"), "0" * 32]
    for path, methods in found["paths"].items():
        # Of all rounds one alone has an outcome and groups: among many it would seldom be drawn.
        ids = {"round_id": judged} if path.endswith(("/outcome", "/equality")) else {}
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] in known:
                    enum = (known | ids)[parameter["name"]]
                    parameter["schema"] = {"type": "string", "enum": enum}
                if parameter["name"] == "choice":
                    parameter["schema"] |= {"properties": chosen, "additionalProperties": False}
    return schemathesis.openapi.from_dict(found)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", PATHS)
def test_answers_are_as_described(
    site: ApiSite, key: str, description: Any, path: str, mode: GenerationMode
) -> None:
    seen: set[int] = set()

    # Schemathesis' own fixtures do not work with pytest 9.2.
    @hypothesis.given(case=description[path]["GET"].as_strategy(generation_mode=mode))
    @hypothesis.settings(
        max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        answer = case.call_and_validate(
            base_url=str(site.client.base_url),
            headers={"Authorization": f"Bearer {key}"},
            excluded_checks=[CHECKS.get_one(name) for name in NOT_CHECKED],
        )
        seen.add(answer.status_code)

    ask()
    if mode is GenerationMode.POSITIVE:
        assert 200 in seen
    assert seen != {404}


def test_the_description_is_openapi_3_1(site: ApiSite) -> None:
    found = site.client.get("/api/v1/openapi.json").json()
    assert found["openapi"].startswith("3.1.")
    assert set(found["paths"]) == set(PATHS)
    for methods in found["paths"].values():
        assert set(methods) == {"get"}
        assert methods["get"]["security"] == [{"key": ["read:statistics"]}]
        problems = {status for status in methods["get"]["responses"] if status >= "4"}
        assert problems >= {"401", "403", "406", "422", "429"}
