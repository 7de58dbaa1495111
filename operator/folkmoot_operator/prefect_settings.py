"""Table `[prefect]` of a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from folkmoot_operator.network_addresses import check_dialled_host, is_loopback
from folkmoot_operator.settings import Settings


def _prefect_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("is the address of a Prefect API, such as https://prefect.example/api")
    if url.username or url.password:
        raise ValueError("holds a password; put `user:password` into the file auth_file names")
    check_dialled_host(url.hostname)
    if url.port == 0:  # urlsplit refuses the other wrong ones
        raise ValueError("port 0 cannot be connected to")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ValueError("an address outside this machine must begin with https://")
    return value.rstrip("/") if url.path.strip("/") else f"{value.rstrip('/')}/api"


class PrefectSettings(Settings):
    """Table `[prefect]`: where the history of runs is kept.

    Attributes:
        enabled: False to run without Prefect.
        url: API of a Prefect server of your own; if it is missing, `serve` runs one.
        auth_file: File with `user:password` for `url`.
        ca_file: Certificates (PEM) by which `url` is checked, instead of the public ones.
        port: Port on 127.0.0.1 of the server that `serve` runs; any free one if it is missing.
        keep_days: Days for which that server keeps runs that have ended.
    """

    enabled: bool = True
    url: Annotated[str, AfterValidator(_prefect_url)] | None = None
    auth_file: Path | None = None
    ca_file: Path | None = None
    port: Annotated[int, Field(ge=1024, le=65_535)] | None = None
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30

    @model_validator(mode="after")
    def _either_theirs_or_ours(self) -> PrefectSettings:
        if self.url is None and (self.auth_file or self.ca_file):
            raise ValueError("auth_file and ca_file are for a Prefect server named by url")
        if self.url is not None and self.port is not None:
            raise ValueError("port is for the Prefect server that `serve` runs; url names another")
        return self
