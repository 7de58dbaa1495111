"""The page of a registry for people: which plugins there are, and what was said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TypeVar

from folkmoot_kit.provenance.registry_index import INDEX, Index
from folkmoot_kit.provenance.signed import Signed, key_id
from folkmoot_kit.provenance.statements import Manifest, Report, Review, Statement

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem}"
    "code{overflow-wrap:anywhere}dt{font-weight:bold}dd{margin:0 0 .5rem 1rem}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}"
)
_DATE = "%-d %B %Y"
S = TypeVar("S", bound=Statement)


def page(index: Index, statements: Sequence[Signed[Statement]], key: bytes) -> str:
    """The page, as HTML.

    Args:
        index: What the registry lists.
        statements: Its documents.
        key: Its public key, 32 bytes.
    """
    return "\n".join(_lines(index, statements, key)) + "\n"


def _lines(index: Index, statements: Sequence[Signed[Statement]], key: bytes) -> Iterator[str]:
    title = f"Plugins: the registry of {escape(index.name)}"
    yield '<!doctype html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>{title}</h1>"
    yield (
        f"<p>Number {index.number}, made on {index.made_on:{_DATE}}. "
        f"Rely on it until {index.fresh_until:{_DATE}}.</p>"
    )
    yield (
        f"<p>This page is for reading. Nodes read <code>{INDEX}</code>, which is signed by the "
        f"key <code>{key_id(key)}</code>, and look at each signature themselves.</p>"
    )
    yield from _revoked(index)
    yield "<h2>Plugins</h2>"
    if not statements:
        yield "<p>There are none yet.</p>"
    ordered = sorted(statements, key=lambda one: _wheel_of(one.body))
    for (distribution, version, wheel), group in groupby(ordered, lambda one: _wheel_of(one.body)):
        yield f"<section>\n<h3>{escape(distribution)} {escape(version)}</h3>"
        said = next((one.reason for one in index.revoked if one.wheel == wheel), None)
        if said is not None:
            yield f"<p><strong>Revoked: {escape(said)}</strong></p>"
        yield f"<p>Wheel <code>{escape(wheel)}</code></p>"
        yield from _wheel(list(group))
        yield "</section>"
    yield "</main>\n</body>\n</html>"


def _revoked(index: Index) -> Iterator[str]:
    yield "<h2>Revoked</h2>"
    if not index.revoked:
        yield "<p>Nothing was revoked.</p>"
        return
    yield "<table>\n<caption>What no longer counts</caption>"
    yield '<tr><th scope="col">Since</th><th scope="col">What</th>'
    yield '<th scope="col">Why</th></tr>'
    for one in index.revoked:
        what = f"wheel of {one.distribution or 'a plugin'}" if one.wheel else "key"
        yield (
            f"<tr><td>{one.since:{_DATE}}</td><td>{escape(what)} "
            f"<code>{escape(one.wheel or one.key or '')}</code></td>"
            f"<td>{escape(one.reason)}</td></tr>"
        )
    yield "</table>"


def _wheel(statements: Sequence[Signed[Statement]]) -> Iterator[str]:
    for manifest in _of(Manifest, statements):
        yield from _manifest(manifest.body, manifest.key_id)
    reviews = list(_of(Review, statements))
    yield f"<h4>Reviews: {len(reviews)}</h4>"
    for review in reviews:
        body = review.body
        yield (
            f"<blockquote><p>{escape(body.statement)}</p><footer>{escape(body.person)}, "
            f"{escape(body.organisation)}, until {body.valid_until:{_DATE}}; key "
            f"<code>{review.key_id}</code></footer></blockquote>"
        )
    for report in _of(Report, statements):
        failed = [one for one in (*report.body.outcomes, *report.body.attacks) if not one.passed]
        count = len(report.body.outcomes) + len(report.body.attacks)
        said = f"{count} checks, {len(failed)} with faults"
        yield f"<h4>Report of the conformance kit {escape(report.body.kit)}: {said}</h4>"
        if failed:
            yield "<ul>"
            for one in failed:
                yield f"<li>{escape(one.check)}: {escape(one.finding)}</li>"
            yield "</ul>"


def _manifest(body: Manifest, key: str) -> Iterator[str]:
    asks = body.privileges
    network = ", ".join(asks.network)
    wants = [f"network: {network}"] if network else ["no network"]
    wants.append("files that settings name" if asks.files else "no files")
    wants.append(f"{asks.memory_mib} MiB")
    facts = [
        ("Vendor", f"{escape(body.vendor)} (key <code>{key}</code>)"),
        ("Valid", f"{body.valid_from:{_DATE}} to {body.valid_until:{_DATE}}"),
        ("Licence", escape(body.licence)),
        ("SDK", escape(body.sdk)),
        ("Asks for", escape("; ".join(wants))),
    ]
    for factor in body.declares.factors:
        evidence = "".join(f"<br>{escape(one.citation)}" for one in factor.evidence)
        facts.append(
            (
                f"Factor {escape(factor.name)}",
                f"{escape(factor.title)}. Reads: {escape(factor.reads)}.{evidence}",
            )
        )
    for source in body.declares.sources:
        facts.append((f"Source {escape(source.kind)}", f"Gives: {escape(source.gives)}"))
    yield "<dl>"
    for name, value in facts:
        yield f"<dt>{name}</dt><dd>{value}</dd>"
    yield "</dl>"


def _of(model: type[S], statements: Iterable[Signed[Statement]]) -> Iterator[Signed[S]]:
    for one in statements:
        if isinstance(one.body, model):
            yield Signed(one.body, one.key, one.digest, one.where)


def _wheel_of(body: Statement) -> tuple[str, str, str]:
    return body.distribution, body.version, body.wheel
