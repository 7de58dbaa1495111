"""Tables `[log]` and `[metrics]` of a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from folkmoot_operator.network_addresses import check_dialled_host, is_loopback, split_address
from folkmoot_operator.settings import Settings


class LogSettings(Settings):
    """Table `[log]`: where events are written, and in what form.

    Attributes:
        format: Lines for people (`text`), one JSON object a line (`json`), or fields for the
            journal of systemd (`journal`). If it is missing: `journal` where systemd has
            connected standard error to it, else `text`.
        file: File to write to instead of standard error, relative to the home.
        size_mib: Size in MiB at which the file is set aside and a new one begun.
        keep: How many files that were set aside are kept.
    """

    format: Literal["text", "json", "journal"] | None = None
    file: Path | None = None
    size_mib: Annotated[int, Field(ge=1, le=10_240)] = 20
    keep: Annotated[int, Field(ge=1, le=100)] = 10

    @model_validator(mode="after")
    def _one_place(self) -> LogSettings:
        if self.file is not None and self.format == "journal":
            raise ValueError("log.file: the journal is not a file; leave out file or format")
        return self


def _loopback(value: str) -> str:
    host, port = split_address(value)
    if not is_loopback(host):
        raise ValueError(
            "metrics are shown to this machine alone: listen on 127.0.0.1 or [::1], and let an "
            "agent on this machine pass them on"
        )
    if port == 0:
        raise ValueError("port 0 stands for any free port, where Prometheus would not look")
    return value


def _collector(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("is the address of an OTLP receiver, such as https://collector.example")
    if url.username or url.password:
        raise ValueError("holds a password; put the headers into the file headers_file names")
    if url.query or url.fragment:
        raise ValueError("has a query; the address alone is meant")
    check_dialled_host(url.hostname)
    if url.port == 0:
        raise ValueError("port 0 cannot be connected to")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ValueError("an address outside this machine must begin with https://")
    return value.rstrip("/")


class MetricsSettings(Settings):
    """Table `[metrics]`: who may see how the program is doing. `metrics = "none"`, or no such
    table, means nobody: no port opens, nothing is sent, and no library for it is loaded.

    Attributes:
        listen: Address and port on this machine at which Prometheus may ask: `127.0.0.1:9464`.
        otlp: Address of an OTLP receiver (HTTP) to which metrics and traces are sent.
        headers_file: File of HTTP headers for it, `Name: value`, one a line; for this account
            alone. Relative to the home.
        ca_file: Certificates (PEM) by which it is checked, instead of the public ones.
        every_seconds: How often metrics are sent.
        traces: Whether traces are sent too.
    """

    listen: Annotated[str, AfterValidator(_loopback)] | None = None
    otlp: Annotated[str, AfterValidator(_collector)] | None = None
    headers_file: Path | None = None
    ca_file: Path | None = None
    every_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    traces: bool = True

    @model_validator(mode="before")
    @classmethod
    def _none_is_a_word(cls, value: Any) -> Any:
        if value == "none":
            return {}
        if isinstance(value, str):
            raise ValueError('is "none" or a table with listen or otlp')
        return value

    @model_validator(mode="after")
    def _for_a_receiver(self) -> MetricsSettings:
        if self.otlp is None and (self.headers_file or self.ca_file):
            raise ValueError("headers_file and ca_file are for the receiver that otlp names")
        return self

    @property
    def are_off(self) -> bool:
        """Whether nobody sees any."""
        return self.listen is None and self.otlp is None
