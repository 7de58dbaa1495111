"""Tables of `node.toml` that say how a node runs unattended: schedule and Dask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, model_validator

from folkmoot_operator.network_addresses import (
    check_dialled_address,
    is_loopback,
    split_address,
)
from folkmoot_operator.schedule import check_cron, check_zone
from folkmoot_operator.settings import Settings


class ScheduleSettings(Settings):
    """Table `[schedule]`: what `serve` does on a schedule.

    Attributes:
        score: Cron expression of the scoring runs; none if it is missing.
        time_zone: Time zone of the expression.
    """

    score: Annotated[str, AfterValidator(check_cron)] | None = None
    time_zone: Annotated[str, AfterValidator(check_zone)] = "Europe/London"


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
