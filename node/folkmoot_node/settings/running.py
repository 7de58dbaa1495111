"""Tables of `node.toml` that say how a node runs unattended: schedule, Prefect, Dask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from folkmoot_node.settings.schedule import check_cron, check_zone
from folkmoot_operator.network_addresses import (
    check_dialled_address,
    check_dialled_host,
    is_loopback,
    split_address,
)
from folkmoot_operator.settings import Settings


class ScheduleSettings(Settings):
    """Table `[schedule]`: what `serve` does on a schedule.

    Attributes:
        score: Cron expression of the scoring runs; none if it is missing.
        time_zone: Time zone of the expression.
    """

    score: Annotated[str, AfterValidator(check_cron)] | None = None
    time_zone: Annotated[str, AfterValidator(check_zone)] = "Europe/London"


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
        url: API of a Prefect server that the council runs; if it is missing, `serve` runs one.
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


def _dask_address(value: str) -> str:
    scheme, separator, address = value.partition("://")
    if not separator or scheme not in {"tls", "tcp"}:
        raise ValueError("begin with tls://, such as tls://scheduler.example.gov.uk:8786")
    return f"{scheme}://{check_dialled_address(address)}"


class DaskSettings(Settings):
    """Table `[dask]`: the cluster that scores.

    Attributes:
        scheduler: Its address, such as `tls://scheduler.example:8786`.
        ca_file: Certificates (PEM) by which scheduler and workers are checked.
        certificate: Certificate of this node (PEM).
        key: Its key (PEM); readable by the node's account alone.
        unencrypted: True to reach another machine by `tcp://`: whoever is on that network can
            then run programs as the workers' accounts, which read residents' records.
    """

    scheduler: Annotated[str, AfterValidator(_dask_address)] | None = None
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    unencrypted: bool = False

    @model_validator(mode="after")
    def _is_private(self) -> DaskSettings:
        if self.scheduler is None:
            return self
        files = (self.ca_file, self.certificate, self.key)
        if self.scheduler.startswith("tls://"):
            if None in files:
                raise ValueError("scheduler: tls:// needs ca_file, certificate and key")
        elif any(files):
            raise ValueError("scheduler: certificates are for an address that begins with tls://")
        elif not self.is_here and not self.unencrypted:
            raise ValueError(
                "scheduler: another machine is reached by tls://; or write unencrypted = true, if "
                "nobody else is on that network"
            )
        return self

    @property
    def is_here(self) -> bool:
        """Whether the scheduler is on this machine."""
        if self.scheduler is None:
            return False
        return is_loopback(split_address(self.scheduler.partition("://")[2])[0])
