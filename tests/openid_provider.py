"""An OpenID provider on loopback, in a process of its own: `oidc-provider-mock`, with PKCE.

    python -m tests.openid_provider PORT USERS

USERS is JSON: claims by subject. PKCE is the one thing that the library does not check, so this
does, around it: without the verifier that belongs to the challenge there is no token.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Provider:
    """A running provider.

    Attributes:
        issuer: Its address.
    """

    issuer: str


@contextmanager
def openid_provider(users: Mapping[str, Mapping[str, Any]]) -> Iterator[Provider]:
    """Starts a provider that knows these users; ends its process afterwards."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.openid_provider", str(port),
         json.dumps(users)],
        cwd=ROOT,
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    issuer = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{issuer}/.well-known/openid-configuration")
        yield Provider(issuer)
    finally:
        process.terminate()
        process.wait(_PATIENCE)
        assert process.stderr is not None
        process.stderr.close()


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(process.stderr.read().decode())
        try:
            with urlopen(address):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class ChecksPkce:
    """Refuses a token to whoever does not know the verifier of the challenge."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._challenges: dict[str, str] = {}

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path, asked = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])
        if path == "/oauth2/authorize":
            if asked.get("code_challenge_method") != ["S256"]:
                start("400 Bad Request", [("Content-Type", "text/plain")])
                return [b"no PKCE"]

            def remember(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                query = parse_qs(urlsplit(dict(headers).get("Location", "")).query)
                for code in query.get("code", ()):
                    self._challenges[code] = asked["code_challenge"][0]
                return start(status, headers, *rest)

            return self._app(environ, remember)
        if path == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = io.BytesIO(body)
            sent = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
            found = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if self._challenges.pop(sent.get("code", ""), None) != found:
                start("400 Bad Request", [("Content-Type", "application/json")])
                return [b'{"error": "invalid_grant"}']
        return self._app(environ, start)


def _serve(port: int, users: Mapping[str, Mapping[str, Any]]) -> None:
    import werkzeug.serving
    from oidc_provider_mock import User, _app, app

    # A client that cannot keep a secret has PKCE alone.
    methods = _app.AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS
    _app.AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS = [*methods, "none"]
    known = [User(sub=subject, claims=dict(claims)) for subject, claims in users.items()]
    provider = app(require_nonce=True, user_claims=known)
    provider.wsgi_app = ChecksPkce(provider.wsgi_app)  # type: ignore[method-assign]
    werkzeug.serving.run_simple("127.0.0.1", port, provider, threaded=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), json.loads(sys.argv[2]))
