"""What a page without inline styles, scripts and other hosts may show of a picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '<script>alert("1")</script>',
    '"><img src=x onerror=alert(2)>',
    "</title></svg><a href='javascript:alert(3)'>",
    "{{ 7 * 7 }} & ]]> <!-- ${8} `",
    "\x00\x08\ufffe\ud800 control",
    "\\u003cscript\\u003e \\ \" ' \n new line",
    "\u202eright to left",
]
"""Names that are shown as text, whatever they say."""
_FORBIDDEN = {"script", "style", "foreignObject", "iframe", "image", "use", "animate", "set"}
_NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def parsed(svg: str) -> ElementTree.Element:
    """The picture as XML, with the namespace that HTML gives it, checked to be harmless."""
    if "xmlns" not in svg[:400]:
        svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        name = element.tag.removeprefix(SVG)
        assert name not in _FORBIDDEN, name
        for attribute, value in element.attrib.items():
            assert attribute != "style", name
            assert not attribute.lower().startswith("on"), attribute
            if attribute.endswith("href"):
                assert re.match(r"/|\?|#", value), value
            if "url(" in value and attribute not in {"aria-label"}:
                assert re.fullmatch(r"url\(#[\w-]+\)", value), value
    for host in re.findall(r"=\"(https?://[^\"]*)\"", svg):
        assert host in _NAMESPACES, host
    return root


def texts(root: ElementTree.Element) -> list[str]:
    """All that the picture says, in the order in which it is written."""
    return [text for element in root.iter() if (text := (element.text or "").strip())]


def shown(name: str) -> str:
    """A hostile name as XML can hold it."""
    return re.sub("[\x00-\x08\ufffe\ud800-\udfff]", "\ufffd", name)
