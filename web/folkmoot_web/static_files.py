"""Files of a site that never change under their address: style sheets, scripts, pictures.

The address holds a digest of all of them, so a browser keeps them for a year; and a script may
name another beside it.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from folkmoot_web.errors import problem_of_status
from folkmoot_web.permissions import PUBLIC
from folkmoot_web.routes import Routes

OWN = Path(__file__).parent / "static"
"""The kit's files, built by `build_assets.py`."""
PREFIX = "/static"
_KEPT = "public, max-age=31536000, immutable"
_SMALL = 500
_TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    compressed: bytes | None
    media_type: str


class StaticFiles:
    """The files of some folders, held in memory.

    Attributes:
        digest: Of all files: 16 hex digits.
    """

    def __init__(self, folders: Iterable[Path], files: Iterable[tuple[str, Path]] = ()) -> None:
        """Reads them.

        Args:
            folders: Later ones win.
            files: Single files, each with the name under which it is served.

        Raises:
            RuntimeError: If the kit's own files were not built.
        """
        self._files: dict[str, _File] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    self._files[path.relative_to(folder).as_posix()] = _read(path)
        for name, path in files:
            self._files[name] = _read(path)
        if "site.css" not in self._files:
            raise RuntimeError("the style sheet was not built; run web/build_assets.py")
        whole = hashlib.sha256()
        for name, file in sorted(self._files.items()):
            whole.update(f"{name}\n{len(file.content)}\n".encode() + file.content)
        self.digest = whole.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file.

        Raises:
            KeyError: If there is none of this name.
        """
        if name not in self._files:
            raise KeyError(f"there is no static file {name!r}")
        return f"{PREFIX}/{self.digest}/{name}"

    def routes(self) -> Routes:
        """The route that serves them."""
        routes = Routes(PREFIX)

        @routes.get("/{digest}/{name:path}", permission=PUBLIC, is_identified=False)
        async def static_file(request: Request, digest: str, name: str) -> Response:
            file = self._files.get(name)
            if file is None or digest != self.digest:
                raise problem_of_status(404)
            headers = {"Cache-Control": _KEPT, "Vary": "Accept-Encoding"}
            content = file.content
            if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
                headers["Content-Encoding"] = "gzip"
                content = file.compressed
            return Response(content, headers=headers, media_type=file.media_type)

        return routes


def _read(path: Path) -> _File:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix in (".js", ".mjs"):
        media_type = "text/javascript"
    is_text = media_type.startswith(_TEXTS) and len(content) > _SMALL
    return _File(content, gzip.compress(content, mtime=0) if is_text else None, media_type)
