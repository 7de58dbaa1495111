"""Forms by ending and by Accept, ETags, HEAD, pages of lists, errors as documents."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from folkmoot_coordinator.rounds.withdrawal import reinstate, withdraw
from folkmoot_coordinator.viewer.api import spreadsheet, statistic_routes
from folkmoot_coordinator.viewer.api.forms import Form, ending_of, negotiate
from folkmoot_coordinator.viewer.api.request_limits import WRONG_KEYS, RequestLimits
from folkmoot_web.errors import WebProblem
from tests.api_site import API, ApiSite

OFFERED = (Form.JSON, Form.CSV, Form.PARQUET)
TABLE = "/band.lsoa"


@pytest.fixture
def few_requests(site: ApiSite) -> Iterator[int]:
    """The site with a limit of three requests a minute."""
    before = site.app.state.api_limits
    site.app.state.api_limits = RequestLimits(3)
    yield 3
    site.app.state.api_limits = before


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.JSON),
        ("*/*", Form.JSON),
        ("application/*", Form.JSON),
        ("text/*", Form.CSV),
        ("text/csv", Form.CSV),
        ("TEXT/CSV; charset=utf-8", Form.CSV),
        ("application/json;q=0.5, text/csv", Form.CSV),
        ("application/json;q=0.5, text/csv;q=0.4", Form.JSON),
        ("text/html, */*;q=0.1", Form.JSON),
        ("*/*, application/json;q=0", Form.CSV),
        ("application/vnd.apache.parquet", Form.PARQUET),
        ("text/csv;q=2", Form.CSV),
    ],
)
def test_the_form_is_the_one_liked_best(accept: str, form: Form) -> None:
    assert negotiate(accept, OFFERED) is form


@pytest.mark.parametrize(
    "accept", ["text/html", "image/*", "application/json;q=0", "text/csv;q=x", "nonsense", ";;,"]
)
def test_no_form_is_sent_that_was_not_accepted(accept: str) -> None:
    with pytest.raises(WebProblem) as caught:
        negotiate(accept, OFFERED)
    assert caught.value.status == 406


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("band.lsoa", ("band.lsoa", None)),
        ("band.lsoa.csv", ("band.lsoa", Form.CSV)),
        ("band.csv-metadata.json", ("band", Form.CSV_METADATA)),
        ("band.json", ("band", Form.JSON)),
        (".csv", (".csv", None)),
        ("csv", ("csv", None)),
    ],
)
def test_endings(name: str, found: tuple[str, Form | None]) -> None:
    assert ending_of(name) == found


def test_an_ending_and_accept_give_the_same_answer(site: ApiSite, key: str) -> None:
    for form in Form:
        ended = site.statistics("winter", f"{TABLE}.{form}", key, accept="text/html")
        asked = site.statistics("winter", TABLE, key, accept=form.media_type)
        assert ended.status_code == asked.status_code == 200
        assert ended.headers["content-type"] == asked.headers["content-type"] == form.content_type
        if form is not Form.CSV_METADATA:
            assert ended.content == asked.content
        again = site.statistics("winter", f"{TABLE}.{form}", key)
        assert again.content == ended.content
        assert again.headers["etag"] == ended.headers["etag"]
        assert "Accept" in ended.headers["vary"]


@pytest.mark.parametrize(
    "path",
    ["/rounds", "/rounds/{}", *(f"/rounds/{{}}/statistics{TABLE}.{form}" for form in Form)],
)
def test_etag_and_head(site: ApiSite, key: str, path: str) -> None:
    path = path.format(site.region.id("winter"))
    whole = site.get(path, key)
    assert whole.status_code == 200
    tag = whole.headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = site.get(path, key, if_none_match=known)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
    assert site.get(path, key, if_none_match='"other"').status_code == 200
    head = site.get(path, key, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "cache-control"):
        assert head.headers[name] == whole.headers[name]
    varies = [set(one.headers["vary"].split(", ")) for one in (head, whole)]
    assert varies[0] == varies[1] >= {"Accept", "Accept-Encoding", "Authorization", "Cookie"}
    if "content-length" in head.headers:
        assert head.headers["content-length"] == whole.headers["content-length"]
    assert site.get(path, key, method="HEAD", if_none_match=tag).status_code == 304
    plain = site.get(path, key, accept_encoding="identity")
    assert plain.content == whole.content
    assert plain.headers["etag"] != tag


def test_answers_with_other_rows_have_other_tags(site: ApiSite, key: str) -> None:
    asked = ["", "?band=high", "?band=low", "?level=region", "?band=low&level=region"]
    tags = {site.statistics("winter", f"{TABLE}.csv{one}", key).headers["etag"] for one in asked}
    assert len(tags) == len(asked)


def test_a_withdrawal_shows_at_once_in_every_form(site: ApiSite, key: str) -> None:
    region = site.region
    tags = {}
    for form in Form:
        answer = site.statistics("earlier", f"{TABLE}.{form}", key)
        tags[form] = answer.headers["etag"]
    reason = "Bury sent last year's file"
    withdraw(region.database, region.id("earlier"), reason, region.clock(), "test")
    try:
        for form in Form:
            answer = site.statistics(
                "earlier", f"{TABLE}.{form}", key, if_none_match=tags[form],
                accept_encoding="identity",
            )  # fmt: skip
            assert answer.status_code == 200
            if form not in (Form.XLSX, Form.PARQUET):
                assert reason in answer.text
        one = site.get(f"/rounds/{region.id('earlier')}", key).json()
        assert one["round"]["withdrawn"]["reason"] == reason
    finally:
        reinstate(region.database, region.id("earlier"), "It was right", region.clock(), "test")
    for form in Form:
        again = site.statistics("earlier", f"{TABLE}.{form}", key)
        assert again.headers["etag"] == tags[form]


def test_the_list_comes_in_pages(site: ApiSite, key: str) -> None:
    whole = site.get("/rounds?per_page=200", key).json()
    path, found = "/rounds?per_page=3", []
    while path:
        page = site.get(path.removeprefix(API), key).json()
        assert len(page["rounds"]) <= 3
        assert page["entries"] == whole["entries"]
        found += page["rounds"]
        path = page["next"]
    assert found == whole["rounds"]
    assert len(found) == len(site.region.rounds)
    beyond = site.get("/rounds?page=999", key).json()
    assert beyond["rounds"] == []
    assert beyond["next"] is None
    opened = site.get("/rounds?state=open&purpose=winter_support", key).json()["rounds"]
    assert [one["round_id"] for one in opened] == [site.region.id("open")]


def test_a_round_links_to_every_form_of_its_tables(site: ApiSite, key: str) -> None:
    for name in ("winter", "series 3"):
        one = site.get(f"/rounds/{site.region.id(name)}", key).json()
        assert [table["table"] for table in one["tables"]] == ["band.lsoa", "lsoa", "band", "total"]
        for table in one["tables"]:
            for address in table["links"].values():
                assert site.get(address.removeprefix(API), key).status_code == 200
        for address in one["all_tables"].values():
            assert site.get(address.removeprefix(API), key).status_code == 200
    waiting = site.get(f"/rounds/{site.region.id('open')}", key).json()
    assert waiting["tables"] == []
    assert waiting["metadata"] is None


ERRORS = [
    ("GET", "/nothing", 404),
    ("GET", "/rounds/ffffffffffffffffffffffffffffffff", 404),
    ("GET", "/rounds/latest", 404),
    ("GET", "/rounds/{winter}/statistics/none", 404),
    ("GET", "/rounds/{winter}/statistics.pdf", 404),
    ("POST", "/rounds", 405),
    ("DELETE", "/rounds/{winter}", 405),
    ("GET", "/rounds/{winter}/statistics.geojson", 404),
    ("GET", "/rounds/{open}/statistics/band", 409),
    ("GET", "/rounds/{void}/statistics/band", 409),
    ("GET", "/rounds?page=0", 422),
    ("GET", "/rounds?state=wrong", 422),
    ("GET", "/rounds?sate=open", 422),
    ("GET", "/rounds?state=open&state=open", 422),
    ("GET", "/rounds/{winter}?band=high", 422),
    ("GET", "/rounds/{winter}/statistics/band?colour=red", 422),
    ("GET", "/rounds/{winter}/statistics/band?band=none", 422),
    ("GET", "/rounds/{winter}/statistics/band?month=1", 422),
    ("GET", "/rounds/{winter}/statistics/band?level=", 422),
]


@pytest.mark.parametrize(("method", "path", "status"), ERRORS)
def test_errors_are_documents(site: ApiSite, key: str, method: str, path: str, status: int) -> None:
    names = {name.replace(" ", "_"): site.region.id(name) for name in site.region.rounds}
    answer = site.get(path.format(**names), key, method=method)
    assert answer.status_code == status
    check_problem(answer.headers["content-type"], answer.json(), status)
    if status == 405:
        assert "GET" in answer.headers["allow"]


def check_problem(content_type: str, found: dict[str, object], status: int) -> None:
    assert content_type == "application/problem+json"
    assert found["type"] == "about:blank"
    assert found["status"] == status
    assert found["title"]
    assert found["remedy"]
    assert found["instance"] == f"urn:request:{found['correlation_id']}"


def test_a_form_that_is_not_accepted(site: ApiSite, key: str) -> None:
    for path in ("/rounds", f"/rounds/{site.region.id('winter')}"):
        answer = site.get(path, key, accept="text/csv")
        check_problem(answer.headers["content-type"], answer.json(), 406)
    answer = site.statistics("winter", "/band", key, accept="text/html")
    check_problem(answer.headers["content-type"], answer.json(), 406)
    assert "text/csv" in answer.json()["remedy"]
    answer = site.statistics("winter", "", key, accept=Form.GEOJSON.media_type)
    check_problem(answer.headers["content-type"], answer.json(), 406)


def test_what_is_too_long(site: ApiSite, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = site.client.request("GET", f"{API}/rounds", headers=headers, content=b"x" * 300_000)
    check_problem(answer.headers["content-type"], answer.json(), 413)


def test_too_many_requests(site: ApiSite, few_requests: int) -> None:
    key, other = site.key(), site.key()
    for _ in range(few_requests):
        assert site.get("/rounds", key).status_code == 200
    answer = site.get("/rounds", key)
    check_problem(answer.headers["content-type"], answer.json(), 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert site.statistics("winter", "/band.csv", key).status_code == 429
    assert site.get("/rounds", other).status_code == 200


def test_too_many_wrong_keys(site: ApiSite, few_requests: int) -> None:
    key = site.key()
    statuses = [site.get("/rounds", "folkmoot_guess").status_code for _ in range(WRONG_KEYS + 5)]
    assert statuses == [401] * WRONG_KEYS + [429] * 5
    assert site.get("/rounds", key).status_code == 200


def test_a_fault_says_its_id_and_nothing_else(
    site: ApiSite, key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "the value that failed"

    def broken(*_: object) -> Iterator[bytes]:
        raise ValueError(secret)
        yield b""

    monkeypatch.setattr(statistic_routes, "as_csv", broken)
    with caplog.at_level(logging.ERROR):
        answer = site.statistics("winter", "/lsoa.csv", key)
    found = answer.json()
    check_problem(answer.headers["content-type"], found, 500)
    assert secret not in answer.text
    assert str(found["correlation_id"]) in caplog.text
    assert secret not in caplog.text


def test_a_workbook_has_a_limit(site: ApiSite, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistic_routes, "MOST_ROWS", 10)
    answer = site.statistics("winter", "/lsoa.xlsx", key)
    check_problem(answer.headers["content-type"], answer.json(), 406)
    assert "at most 10" in answer.json()["detail"]


def test_only_two_workbooks_are_written_at_one_time(site: ApiSite, key: str) -> None:
    with spreadsheet._WRITING, spreadsheet._WRITING:
        answer = site.statistics("winter", "/lsoa.xlsx", key)
        check_problem(answer.headers["content-type"], answer.json(), 503)
        assert int(answer.headers["retry-after"]) > 0
        assert site.statistics("winter", "/lsoa.csv", key).status_code == 200
    assert site.statistics("winter", "/lsoa.xlsx", key).status_code == 200
