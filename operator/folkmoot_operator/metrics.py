"""What programs may measure of themselves: listed metrics with listed labels, and nothing else.

Each program lists its metrics in one module, with why each discloses nothing. A program sets and
counts them in `Readings`; where the settings ask for none, there are no `Readings`, and `count`
and `measure` do nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from folkmoot_operator import events
from folkmoot_operator.events import UnlistedValue

_NAME = re.compile(r"folkmoot_[a-z][a-z0-9_]{2,80}")
MAX_SERIES = 500
"""Combinations of labels that one metric may have; more are not counted."""


class Sort(Enum):
    """How a metric moves."""

    GAUGE = "gauge"
    """It rises and falls."""
    COUNTER = "counter"
    """It only rises, and begins at 0 when the program starts."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that may be measured.

    Attributes:
        name: Stable: dashboards and alerts go by it. It ends with its unit, if it has one; a
            counter ends with `_total`.
        sort: How it moves.
        help: What it is, and its unit.
        discloses: Why it discloses nothing of residents.
        labels: What each label may be: a value of the list, or what the pattern matches.
    """

    name: str
    sort: Sort
    help: str
    discloses: str
    labels: Mapping[str, frozenset[str] | re.Pattern[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a metric is not named so: {self.name}")
        if self.name.endswith("_total") != (self.sort is Sort.COUNTER):
            raise ValueError(f"{self.name}: counters end with _total, and others do not")
        if len(self.discloses) < 20:
            raise ValueError(f"{self.name} does not say why it discloses nothing")

    def key(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The values of the labels in their order.

        Raises:
            UnlistedValue: If a label is missing or not listed, or has another value.
        """
        if labels.keys() != self.labels.keys():
            raise UnlistedValue(f"{self.name} has the labels {', '.join(self.labels) or 'none'}")
        for name, allowed in self.labels.items():
            value = labels[name]
            fits = (
                value in allowed
                if isinstance(allowed, frozenset)
                else allowed.fullmatch(value) is not None
            )
            if not fits:
                raise UnlistedValue(f"{self.name}: {name} is not one of those listed")
        return tuple(labels[name] for name in self.labels)


def listed(*metrics: Metric) -> Mapping[str, Metric]:
    """A program's metrics by name.

    Raises:
        ValueError: If two have one name.
    """
    found = {metric.name: metric for metric in metrics}
    if len(found) != len(metrics):
        raise ValueError("two metrics have one name")
    return MappingProxyType(found)


@dataclass(frozen=True, slots=True)
class Series:
    """One number of a metric.

    Attributes:
        metric: Which.
        labels: Values of its labels, in their order.
        value: The number.
    """

    metric: Metric
    labels: tuple[str, ...]
    value: float


class Readings:
    """The numbers of one program, whichever of its processes has counted them."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        """Starts with no number.

        Args:
            metrics: Those that the program lists.
        """
        self._metrics = metrics
        self._lock = threading.Lock()
        self._values: dict[tuple[str, tuple[str, ...]], float] = {}
        self._told: dict[str, dict[tuple[str, tuple[str, ...]], float]] = {}

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those that the program lists."""
        return self._metrics

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Says how a gauge stands.

        Raises:
            UnlistedValue: If the metric or a label is not listed.
        """
        with self._lock:
            self._keep(self._values, self._place(metric, labels), float(value))

    def add(self, metric: Metric, amount: float, **labels: str) -> None:
        """Counts.

        Raises:
            UnlistedValue: If the metric or a label is not listed.
        """
        place = self._place(metric, labels)
        with self._lock:
            self._keep(self._values, place, self._values.get(place, 0.0) + amount)

    def forget(self, metric: Metric) -> None:
        """Says that nothing is known of a gauge any more."""
        with self._lock:
            for place in [place for place in self._values if place[0] == metric.name]:
                del self._values[place]

    def told(self, source: str, series: Iterable[tuple[str, Mapping[str, str], float]]) -> None:
        """Takes what another process of the program has counted, in place of what it said before.

        What is not listed is left out.

        Args:
            source: Which process.
            series: Name, labels and number of each.
        """
        found: dict[tuple[str, tuple[str, ...]], float] = {}
        for name, labels, value in series:
            metric = self._metrics.get(name)
            if metric is not None:
                try:
                    self._keep(found, (name, metric.key(labels)), float(value))
                except UnlistedValue:
                    continue
        with self._lock:
            self._told[source] = found

    def series(self) -> list[Series]:
        """All numbers, in the order of the list; those of several processes are added up."""
        with self._lock:
            sums = dict(self._values)
            for told in self._told.values():
                for place, value in told.items():
                    sums[place] = sums.get(place, 0.0) + value
        order = {name: at for at, name in enumerate(self._metrics)}
        places = sorted(sums, key=lambda place: (order[place[0]], place[1]))
        return [Series(self._metrics[name], labels, sums[name, labels]) for name, labels in places]

    def _place(self, metric: Metric, labels: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        if self._metrics.get(metric.name) is not metric:
            raise UnlistedValue(f"{metric.name} is not listed by this program")
        return metric.name, metric.key(labels)

    def _keep(
        self,
        values: dict[tuple[str, tuple[str, ...]], float],
        place: tuple[str, tuple[str, ...]],
        value: float,
    ) -> None:
        if place in values or sum(name == place[0] for name, _ in values) < MAX_SERIES:
            values[place] = value


class _Here:
    """The readings of this process.

    Attributes:
        readings: None where the settings ask for none.
    """

    readings: Readings | None = None


def begin(readings: Readings | None) -> None:
    """From now on `count` and `measure` go there; None to count nothing."""
    _Here.readings = readings


def count(metric: Metric, amount: float = 1, **labels: str) -> None:
    """Counts, where somebody wants to know. No caller fails for its metrics."""
    if _Here.readings is not None:
        try:
            _Here.readings.add(metric, amount, **labels)
        except UnlistedValue:
            _refuse(metric)


def measure(metric: Metric, value: float, **labels: str) -> None:
    """Says how a gauge stands, where somebody wants to know."""
    if _Here.readings is not None:
        try:
            _Here.readings.set(metric, value, **labels)
        except UnlistedValue:
            _refuse(metric)


def _refuse(metric: Metric) -> None:
    events.emit(events.REFUSED, why=f"{metric.name} or a label of it is not listed")
