"""Releases and refusals over mutual TLS: stored once, receipted, or rejected without trace."""

from __future__ import annotations

from typing import Any

from folkmoot.codec import decode_round
from folkmoot.release import release_digest


def test_a_release_is_stored_and_receipted(region: Any) -> None:
    client = region.member()
    round_ = region.open_round()
    assert client.negotiate() == 1
    [signed] = client.rounds()
    assert decode_round(signed.round) == round_
    release = client.release_for(signed)

    receipt = client.receipt(client.submit(release))

    assert receipt.answer_digest == release_digest(release)
    assert receipt.council == client.council
    assert region.stored() == {"answers": 1, "cells": 1}
    assert client.rounds() == [], "an answered round that is complete is not offered again"
