"""Tables of `node.toml` about the region: its coordinator, what is kept of it, and witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from folkmoot_operator.network_addresses import DialledAddress, HttpProxy
from folkmoot_operator.settings import Settings


class CoordinatorSettings(Settings):
    """Table `[coordinator]`.

    Attributes:
        address: Host and port of the collection service (mutual TLS).
        enrolment_address: Host and port of the enrolment service.
        poll_seconds: Seconds between visits to the coordinator.
        proxy: HTTP proxy through which the coordinator is reached, for example
            `http://proxy.example.gov.uk:8080`; the environment's proxy is never used.
    """

    address: DialledAddress
    enrolment_address: DialledAddress
    poll_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30
    proxy: HttpProxy | None = None


class KeepSettings(Settings):
    """Table `[keep]`: how long records of what came to nothing are kept. Those of answers, of
    what was spent and of decisions are kept always.

    Attributes:
        visits_days: Days for which the egress log has visits to the coordinator at which
            nothing was answered.
        unanswered_rounds_days: Days after the deadline of a round for which it is kept if it
            was not answered.
    """

    visits_days: Annotated[int, Field(ge=31, le=36_525)] = 400
    unanswered_rounds_days: Annotated[int, Field(ge=1, le=36_525)] = 31


class LedgerSettings(Settings):
    """Table `[ledger]`: who bears witness to what the ledger said.

    Attributes:
        witnesses: Folders, such as shares of other machines, in which the node leaves its signed
            head after each release. A coordinator that hides a receipt cannot change them.
    """

    witnesses: tuple[Path, ...] = ()
