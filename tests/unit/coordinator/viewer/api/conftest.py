"""A region with rounds of every kind, whose site is served once for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api_site import ApiSite, api_site
from tests.viewer_region import fill, fill_series, viewer_region


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    """Nothing in it is limited, so that tests can ask often."""
    limits = "\n[viewer.api]\nrequests_per_minute = 100000\n"
    with viewer_region(tmp_path_factory.mktemp("api"), settings=limits) as region:
        fill_series(fill(region))
        with api_site(region) as served:
            yield served


@pytest.fixture(scope="module")
def key(site: ApiSite) -> str:
    """A key that reads all rounds."""
    return site.key()
