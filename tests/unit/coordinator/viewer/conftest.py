"""A served region with rounds of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.viewer_region import ViewerRegion, fill, fill_series, serving_region, viewer_region
from tests.web_site import Browser, RunningSite


@pytest.fixture(scope="package")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerRegion]:
    """Three councils of 30 areas; nobody may change it."""
    with viewer_region(
        tmp_path_factory.mktemp("viewer"),
        settings='[viewer.visibility]\nreader = ["winter_support"]\n',
    ) as made:
        yield fill_series(fill(made))


@pytest.fixture(scope="package")
def site(region: ViewerRegion) -> Iterator[RunningSite]:
    """Its site, with an account for each role."""
    with serving_region(region) as running:
        yield running


@pytest.fixture
def nobody(site: RunningSite) -> Iterator[Browser]:
    """Somebody who is not signed in."""
    with Browser(site) as client:
        yield client


@pytest.fixture
def reader(site: RunningSite) -> Iterator[Browser]:
    """Somebody with the role `reader`, who may see one purpose alone."""
    with Browser(site) as client:
        client.sign_in("reader@example.gov.uk")
        yield client


@pytest.fixture
def analyst(site: RunningSite) -> Iterator[Browser]:
    """Somebody with the role `analyst`, who may see all."""
    with Browser(site) as client:
        client.sign_in("analyst@example.gov.uk")
        yield client
