"""Pages that stand alone: one HTML file that fetches nothing and runs no script.

Such a page says to the browser what it may do (a content security policy): show its own style and
the pictures inside it. So a name in somebody's policy cannot make it do anything else.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from folkmoot_operator.moments import day_text

_HEAD = """\
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'sha256-{sha256}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<style>{style}</style>"""


def lone_page(room: str, template: str, style: str, **content: Any) -> str:
    """Makes a page.

    Args:
        room: The package in whose folder `templates` are the template and its style.
        template: Name of the template. Its `head` begins with `{{ head | safe }}`; all else that is
            put into it is escaped. The filter `day` writes seconds since 1970 as a day.
        style: Name of the style sheet.
        **content: What the template shows.

    Returns:
        HTML 5 as text; the same content gives the same text.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # of extras

    environment = Environment(
        loader=PackageLoader(room),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = day_text
    sheet = files(room).joinpath("templates", style).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    head = _HEAD.format(sha256=digest, style=sheet)
    return environment.get_template(template).render(head=head, **content)
