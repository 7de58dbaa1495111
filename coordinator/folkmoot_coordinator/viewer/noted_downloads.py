"""Downloads of figures, in the audit log of the site."""

from __future__ import annotations

from starlette.requests import Request

from folkmoot_web.site import site_of
from folkmoot_web.visitors import visitor_of

DOWNLOADED = "statistics downloaded"


def note_download(request: Request, round_id: str, table: str, form: str, **more: str) -> None:
    """Adds to the audit log that figures were downloaded.

    Args:
        request: That asked for them.
        round_id: The round, or the series.
        table: Which of its tables.
        form: As what: `csv`, `committee.pdf`, `allocation.csv`.
        more: Further texts.
    """
    site = site_of(request)
    detail = {"round": round_id, "table": table, "form": form, **more}
    with site.database.writing() as session:
        site.audit.record(session, DOWNLOADED, visitor_of(request).name, detail)
