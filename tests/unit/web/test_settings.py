"""Settings that could not be kept are refused when they are read."""

from __future__ import annotations

from typing import Any

import pytest

from folkmoot_operator.problems import Problem
from folkmoot_operator.settings import parse
from folkmoot_web.settings import WebSettings

TLS = {"certificate": "site.crt", "key": "site.key"}
OPENID = '[sign_in.openid]\nissuer = "https://login.example"\nclient_id = "x"\n'


def test_the_defaults_are_a_site_for_this_machine() -> None:
    settings = WebSettings(name="Here")
    assert settings.origin == "http://127.0.0.1:8080"
    assert not settings.is_secure


@pytest.mark.parametrize(
    ("values", "origin"),
    [
        (
            {"listen": "0.0.0.0:443", "tls": TLS, "address": "https://a.example"},
            "https://a.example",
        ),
        ({"listen": "[::1]:8443", "tls": TLS}, "https://[::1]:8443"),
        ({"proxies": ["10.0.0.5"], "address": "https://a.example:443/"}, "https://a.example"),
        (
            {"listen": "0.0.0.0:80", "proxies": ["10.0.0.0/28"], "address": "https://A.example"},
            "https://a.example",
        ),
    ],
)
def test_how_browsers_reach_it(values: dict[str, Any], origin: str) -> None:
    assert WebSettings.model_validate({"name": "Here", **values}).origin == origin


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('listen = "0.0.0.0:8080"', "can be reached from other machines, so it needs TLS"),
        ('listen = "192.0.2.1:8080"', "can be reached from other machines, so it needs TLS"),
        ('address = "http://region.example"', "begin with https://"),
        ('address = "https://region.example"', "nothing speaks TLS"),
        ('proxies = ["10.0.0.5"]', "address is missing"),
        ('proxies = ["0.0.0.0/0"]', "every address"),
        ('proxies = ["proxy.example"]', "neither an IP address nor a network"),
        ('address = "https://region.example/viewer"', "a site has its own host"),
        ('address = "region.example"', "write https://host"),
        ('address = "https://region.example:99999"', "a port is from 1"),
        ("[sign_in]\nlocal = false", "nobody could sign in"),
        ('contact = { email = "nobody" }', "not an email address"),
        ("[session]\nidle_minutes = 0", "session.idle_minutes"),
        ("[session]\nidle_minuts = 5", "did you mean 'idle_minutes'"),
        ("[attempts]\nper_account = 0", "attempts.per_account"),
        (OPENID + "[sign_in.openid.roles]", "sign_in.openid.roles"),
        (
            OPENID.replace("https", "http") + '[sign_in.openid.roles]\na = ["reader"]',
            "sign_in.openid.issuer",
        ),
        (
            OPENID + 'claim = "groups; drop"\n[sign_in.openid.roles]\na = ["reader"]',
            "sign_in.openid.claim",
        ),
        (
            OPENID + 'scopes = ["profile"]\n[sign_in.openid.roles]\na = ["reader"]',
            "leaves out 'openid'",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, fault: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(WebSettings, f'name = "Here"\n{text}'.encode(), "site.toml")
    assert fault in caught.value.problem
