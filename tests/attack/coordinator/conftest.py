"""A region for attacks on its coordinator: the fixtures of the wire's tests."""

from __future__ import annotations

from tests.wire.coordinator.conftest import region, serve, stopped_region

__all__ = ["region", "serve", "stopped_region"]
