"""The codecs: what is encoded reads back, what was altered is rejected."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from array import array
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot import answer_codec, catalogue_codec, rejection_codec, round_codec
from folkmoot.catalogue import Catalogue, PluginVersion
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt, answers_digest
from folkmoot.refusal import Refusal, RefusalReason, refusal_digest
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot.release import NoisyCounts, Release
from folkmoot.rounds import Mechanism, Round, RoundState
from folkmoot.series import Series, SeriesEvent, SeriesRow
from folkmoot.v1 import (
    collection_pb2,
    privacy_pb2,
    rejection_pb2,
    release_pb2,
    round_pb2,
    version_pb2,
)
from folkmoot.versions import UpgradeSide, VersionRange, negotiate

_path = Path(__file__).parents[1] / "unit" / "contract" / "strategies.py"
_spec = importlib.util.spec_from_file_location("contract_strategies", _path)
assert _spec
assert _spec.loader
strategies = importlib.util.module_from_spec(_spec)
sys.modules["contract_strategies"] = strategies
_spec.loader.exec_module(strategies)

TRAFFORD = GssCode("E08000009")


def release_of(values: list[int]) -> Release:
    return Release(
        "0" * 32, b"r" * 32, TRAFFORD, Mechanism(1), Rho.of("0.5"), b"l" * 32,
        NoisyCounts(array("q", values)),
    )  # fmt: skip


def parts_of(release: Release) -> list[collection_pb2.SubmitRequest]:
    return list(answer_codec.encode_release(release, 1))


def read(parts: list[collection_pb2.SubmitRequest], cells: int) -> Release:
    return answer_codec.decode_release(answer_codec.decode_header(parts[0]), parts[1:], cells)


@settings(deadline=None)
@given(st.data())
def test_a_round_reads_back(data: st.DataObject) -> None:
    round_: Round = data.draw(strategies.rounds())
    assert round_codec.decode_round(round_codec.encode_round(round_)) == round_


@pytest.mark.parametrize("nested", [False, True])
def test_a_round_with_a_field_of_a_later_version_is_refused(nested: bool) -> None:
    """What is signed and not read could change what is asked."""
    message = round_pb2.Round.FromString(round_codec.encode_round(strategies.example()))
    later = b"\xf8\x3f\x01"  # field 1023, varint 1
    if nested:
        workload = message.workload.SerializeToString() + later
        message.workload.ParseFromString(workload)
        serialised = message.SerializeToString()
    else:
        serialised = message.SerializeToString() + later
    with pytest.raises(ContractError, match="does not know"):
        round_codec.decode_round(serialised)


@given(st.data())
def test_a_release_reads_back(data: st.DataObject) -> None:
    release: Release = data.draw(strategies.releases())
    assert read(parts_of(release), len(release.counts)) == release


@given(st.data())
def test_a_faster_way_to_read_cells_reads_the_same(data: st.DataObject) -> None:
    release: Release = data.draw(strategies.releases())
    header, *chunks = parts_of(release)

    def by_numpy(values: Sequence[int]) -> bytes:
        return np.array(values, dtype=np.int64).tobytes()

    cells = len(release.counts)
    assert answer_codec.decode_release(header.header, chunks, cells, by_numpy) == release


@given(st.binary(max_size=200))
def test_random_bytes_are_never_a_round(noise: bytes) -> None:
    with pytest.raises(ContractError):
        round_codec.decode_round(noise)


@given(st.data())
def test_any_changed_cell_is_rejected(data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=50))
    at = data.draw(st.integers(0, len(values) - 1))
    parts = parts_of(release_of(values))
    parts[1].cells.values[at] += data.draw(st.sampled_from([-1, 1, 7]))
    with pytest.raises(Rejected) as caught:
        read(parts, len(values))
    assert caught.value.rejection.reason is RejectionReason.ALTERED


@pytest.mark.parametrize(
    "field, value",
    [
        ("round_digest", b"x" * 32),
        ("council", "E08000001"),
        ("ledger_entry", b"x" * 32),
        ("round_id", "1" * 32),
        ("scores_day", 739_948),
    ],
)
def test_any_changed_header_is_rejected(field: str, value: object) -> None:
    parts = parts_of(release_of([1, 2, 3]))
    setattr(parts[0].header, field, value)
    with pytest.raises(Rejected) as caught:
        read(parts, 3)
    assert caught.value.rejection.reason is RejectionReason.ALTERED


def test_a_changed_loss_is_rejected() -> None:
    parts = parts_of(release_of([1, 2, 3]))
    parts[0].header.loss.rho_nano += 1
    with pytest.raises(Rejected):
        read(parts, 3)


def test_a_missing_chunk_is_rejected_as_truncated() -> None:
    parts = parts_of(release_of(list(range(answer_codec.CELLS_PER_CHUNK + 10))))
    for broken in (parts[:2], [parts[0], parts[2]], parts[:1]):
        with pytest.raises(Rejected) as caught:
            read(broken, answer_codec.CELLS_PER_CHUNK + 10)
        assert caught.value.rejection.reason is RejectionReason.TRUNCATED


def test_more_cells_than_the_round_has_are_rejected() -> None:
    parts = parts_of(release_of([1, 2, 3]))
    extra = collection_pb2.SubmitRequest(cells=release_pb2.CellChunk(first_cell=3, values=[4]))
    repeated = [*parts, parts[1]]
    for broken in ([*parts, extra], repeated):
        with pytest.raises(Rejected) as caught:
            read(broken, 3)
        assert caught.value.rejection.reason is RejectionReason.OVERSIZED
    with pytest.raises(Rejected) as caught:
        read(parts, 2)
    assert caught.value.rejection.reason is RejectionReason.OVERSIZED


def test_a_second_header_and_a_missing_header_are_malformed() -> None:
    parts = parts_of(release_of([1, 2, 3]))
    with pytest.raises(Rejected) as caught:
        read([parts[0], parts[0], parts[1]], 3)
    assert caught.value.rejection.reason is RejectionReason.MALFORMED
    with pytest.raises(Rejected):
        answer_codec.decode_header(parts[1])


def test_a_million_cells_need_no_message_above_the_default_limit() -> None:
    release = release_of([2**62] * 1_000_000)
    parts = parts_of(release)
    assert max(part.ByteSize() for part in parts) < 4 * 1024 * 1024
    assert read(parts, 1_000_000) == release


def test_refusal_receipt_and_rejection_read_back() -> None:
    refusal = Refusal("0" * 32, b"r" * 32, TRAFFORD, RefusalReason.SUNSET)
    assert answer_codec.decode_refusal(answer_codec.encode_refusal(refusal, 1)) == refusal
    numbered = Refusal("0" * 32, b"r" * 32, TRAFFORD, RefusalReason.CODE, 3)
    assert answer_codec.decode_refusal(answer_codec.encode_refusal(numbered, 2)) == numbered
    with pytest.raises(ContractError, match="SUNSET is about no attribute"):
        Refusal("0" * 32, b"r" * 32, TRAFFORD, RefusalReason.SUNSET, 3)
    for loss, entry in ((Rho.of("0.25"), b"e" * 32), (Rho.of("0"), None)):
        receipt = Receipt("0" * 32, TRAFFORD, b"a" * 32, 5, b"r" * 32, loss, entry)
        assert answer_codec.decode_receipt(answer_codec.encode_receipt(receipt)) == receipt
    rejection = Rejection(RejectionReason.VERSION, "too old", UpgradeSide.NODE, False)
    assert (
        rejection_codec.decode_rejection(rejection_codec.encode_rejection(rejection)) == rejection
    )


def test_a_reason_of_a_newer_peer_is_not_mistaken() -> None:
    with pytest.raises(ContractError):
        answer_codec.decode_refusal(
            release_pb2.Refusal(round_id="0" * 32, round_digest=b"r" * 32, council=TRAFFORD,
                                reason=99)  # type: ignore[arg-type]
        )  # fmt: skip
    unknown = rejection_pb2.Rejection(reason=99)  # type: ignore[arg-type]
    assert rejection_codec.decode_rejection(unknown).reason is RejectionReason.MALFORMED


@pytest.mark.parametrize(
    "domain, wire, prefix",
    [
        (RefusalReason, release_pb2.RefusalReason, "REFUSAL_REASON_"),
        (RejectionReason, rejection_pb2.RejectionReason, "REJECTION_REASON_"),
        (Mechanism, privacy_pb2.Mechanism, "MECHANISM_"),
        (RoundState, round_pb2.RoundState, "ROUND_STATE_"),
    ],
)
def test_enumerations_have_the_numbers_of_the_wire(domain: type, wire: object, prefix: str) -> None:
    ours = {f"{prefix}{member.name}": int(member) for member in domain}  # type: ignore[attr-defined]
    theirs = dict(wire.items())  # type: ignore[attr-defined]
    assert theirs == {f"{prefix}UNSPECIFIED": 0, **ours}


def test_upgrade_sides_have_the_numbers_of_the_wire() -> None:
    assert dict(version_pb2.UpgradeSide.items()) == {
        "UPGRADE_SIDE_UNSPECIFIED": UpgradeSide.NEITHER,
        "UPGRADE_SIDE_NODE": UpgradeSide.NODE,
        "UPGRADE_SIDE_COORDINATOR": UpgradeSide.COORDINATOR,
    }


@pytest.mark.parametrize(
    "coordinator, node, agreed",
    [
        ((1, 1), (1, 1), 1),
        ((1, 3), (2, 5), 3),
        ((3, 5), (1, 3), 3),
        ((3, 5), (1, 2), UpgradeSide.NODE),
        ((1, 2), (3, 4), UpgradeSide.COORDINATOR),
    ],
)
def test_versions_are_negotiated(
    coordinator: tuple[int, int], node: tuple[int, int], agreed: object
) -> None:
    assert negotiate(VersionRange(*coordinator), VersionRange(*node)) == agreed


CATALOGUE = Catalogue(
    TRAFFORD,
    {"lsoa": (), "band": ("none", "high")},
    frozenset({"winter", "flood"}),
    frozenset({Mechanism(1)}),
    per_round=Rho(1),
    per_period=Rho(2),
    lifetime=Rho(3),
    sunset=date(1, 1, 1),
    area_types={"lsoa": "lsoa21"},
    plugins=frozenset({PluginVersion("p", "1")}),
)


def test_catalogues_read_back() -> None:
    for catalogue in (CATALOGUE, replace(CATALOGUE, per_series=Rho(4), attributes={"band": ("a",)},
                                         area_types={}, plugins=frozenset())):  # fmt: skip
        assert (
            catalogue_codec.decode_catalogue(catalogue_codec.encode_catalogue(catalogue))
            == catalogue
        )


def test_the_golden_catalogue() -> None:
    """In ascending order, whatever the order it was made in."""
    assert catalogue_codec.encode_catalogue(CATALOGUE).hex() == (
        "0a0945303830303030303912120a0462616e6412046e6f6e65120468696768120e0a046c736f"
        "611a066c736f6132311a05666c6f6f641a0677696e7465722201012a060a0170120131320208"
        "013a020802420208035001"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": {"Not an identifier": ()}},
        {"attributes": {"band": ("a household at 1 High Street",)}},
        {"purposes": frozenset()},
        {"purposes": frozenset({"For winter"})},
        {"mechanisms": frozenset()},
        {"per_round": Rho(0)},
        {"per_series": Rho(0)},
        {"area_types": {"band": "lsoa21"}},
    ],
)
def test_a_catalogue_with_other_words_or_without_caps_is_refused(
    changes: dict[str, object],
) -> None:
    with pytest.raises(ContractError):
        replace(CATALOGUE, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "version"), [("a plugin", "1"), ("p", ""), ("p", "1\n")])
def test_plugins_have_no_other_words(name: str, version: str) -> None:
    with pytest.raises(ContractError):
        PluginVersion(name, version)


def test_golden_messages() -> None:
    """Bytes that version 1 has promised; a change here breaks peers."""
    release = release_of([0, -1, 300])
    header, cells = parts_of(release)
    assert cells.SerializeToString().hex() == "1206120400 01d804".replace(" ", "")
    assert header.header.release_digest.hex() == (
        "85a3536f2973d3087bd775e53bb06a2916b8056da1c3a6ace123b7f04c5fbac6"
    )
    measured = replace(release, row=SeriesRow(3, 2))
    in_series, _ = parts_of(measured)
    added = in_series.header.SerializeToString()[len(header.header.SerializeToString()) :]
    assert added.hex() == "50035802"
    assert (
        in_series.header.release_digest.hex()
        == "01d802f89c7190d4bc69d94bce6fe7f68b72fd3bfa18d79a2dfb2d5343f84e11"
    )
    dated, _ = parts_of(replace(release, as_of=date(2026, 11, 28)))
    added = dated.header.SerializeToString()[len(header.header.SerializeToString()) :]
    assert added.hex() == "60ec942d"
    assert dated.header.release_digest.hex() == (
        "23b1a7e0b53314b96b7a5678cdf0ddc4e84bba856ba78870f12372ab8f157739"
    )
    series = Series("5" * 32, 2, 12, SeriesEvent("band", ("high",)), 9)
    asked = round_codec.encode_round(replace(strategies.example(), series=series))
    assert asked.endswith(
        bytes.fromhex(
            "7234"
            + "0a20"
            + "35" * 32
            + "1002180c"
            + "2204"
            + b"band".hex()
            + "2a04"
            + b"high".hex()
            + "3009"
        )
    )
    by_rules = replace(strategies.example(), series=replace(series, counting_digest=b"c" * 32))
    # The length of the series, 34 longer, and the field at its end.
    assert round_codec.encode_round(by_rules) == (
        asked.replace(b"\x72\x34\x0a", b"\x72\x56\x0a") + b"\x3a\x20" + b"c" * 32
    )
    assert round_codec.decode_round(round_codec.encode_round(by_rules)) == by_rules
    refusal = Refusal("0" * 32, b"r" * 32, TRAFFORD, RefusalReason.DECLINED)
    assert answer_codec.encode_refusal(refusal, 1).SerializeToString().hex() == (
        "08011220" + "30" * 32 + "1a20" + "72" * 32 + "2209" + b"E08000009".hex() + "2809"
    )
    assert refusal_digest(refusal).hex() == (
        "a022b62d79f974dbb4cf3529a5c063111b905b7991a510b2d121d1c8386c24ba"
    )
    numbered = dataclasses.replace(refusal, reason=RefusalReason.CODE, attribute_number=2)
    assert answer_codec.encode_refusal(numbered, 2).SerializeToString().hex().endswith("28053002")
    assert refusal_digest(numbered).hex() == (
        "d8e31842c61f39fdd2736374fc13b4cb5ed2cf7943a8a0806dbec623c8871e5a"
    )
    receipt = Receipt("0" * 32, TRAFFORD, b"a" * 32, 5, b"r" * 32, Rho(1), b"e" * 32)
    of_either = "0a20" + "30" * 32 + "1209" + b"E08000009".hex() + "1a20" + "61" * 32 + "2005"
    of_either += "2a20" + "72" * 32
    assert answer_codec.encode_receipt(receipt).hex() == of_either + "32020801" + "3a20" + "65" * 32
    of_refusal = dataclasses.replace(receipt, loss=Rho(0), ledger_entry=None)
    assert answer_codec.encode_receipt(of_refusal).hex() == of_either
    assert answers_digest([("0" * 32, b"a" * 32), ("f" * 32, b"b" * 32)]).hex() == (
        "476bb1b06ae55769790ac2328296280d09274af9664c6a6ed012a5c45ef0e54a"
    )


def test_a_receipt_pays_for_a_release_and_for_nothing_else() -> None:
    for loss, entry in ((Rho(1), None), (Rho(0), b"e" * 32), (Rho(1), b"e")):
        with pytest.raises(ContractError):
            Receipt("0" * 32, TRAFFORD, b"a" * 32, 5, b"r" * 32, loss, entry)


def test_the_digest_of_answers_tells_sets_apart_and_not_orders() -> None:
    one, two = ("0" * 32, b"a" * 32), ("f" * 32, b"b" * 32)
    assert answers_digest([one, two]) == answers_digest([two, one])
    sets = [[], [one], [two], [one, two], [("0" * 32, b"b" * 32)]]
    assert len({answers_digest(answers) for answers in sets}) == len(sets)
