"""A mail server and a GOV.UK Notify on loopback, which note what they are sent."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class MailServer:
    """Speaks SMTP (RFC 5321) as far as a client of ours does.

    Attributes:
        tls: For STARTTLS; None where it is not offered.
        user: Who may sign in, and the password; None if nobody has to.
        replies: What it answers instead of the usual, by verb: `{"RCPT": "550 no"}`.
        mails: What it took: sender, recipient and message.
    """

    tls: ssl.SSLContext | None = None
    user: tuple[str, str] | None = None
    replies: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, str, str]] = field(default_factory=list)
    is_encrypted: list[bool] = field(default_factory=list)
    port: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[MailServer]:
        """Listens until the end."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = server.accept()
                        threading.Thread(
                            target=self._serve, args=(connection,), daemon=True
                        ).start()

            threading.Thread(target=accept, daemon=True).start()
            yield self
            server.shutdown(socket.SHUT_RDWR)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as open_ones:
            connection.settimeout(10)
            open_ones.enter_context(connection)
            stream = connection.makefile("rb")
            encrypted, signed_in = False, self.user is None
            sender = recipient = ""

            def say(text: str) -> None:
                connection.sendall(f"{text}\r\n".encode())

            say(self.replies.get("CONNECT", "220 mail.test ESMTP"))
            while line := stream.readline():
                words = line.decode().strip()
                verb = words.partition(" ")[0].upper()
                if verb in self.replies:
                    say(self.replies[verb])
                elif verb == "EHLO":
                    offers = ["STARTTLS"] if self.tls and not encrypted else []
                    offers += ["AUTH PLAIN"] if self.user else []
                    lines = ["mail.test", *offers]
                    for one in lines[:-1]:
                        say(f"250-{one}")
                    say(f"250 {lines[-1]}")
                elif verb == "STARTTLS" and self.tls is not None:
                    say("220 go on")
                    connection = self.tls.wrap_socket(connection, server_side=True)
                    open_ones.enter_context(connection)
                    stream, encrypted = connection.makefile("rb"), True
                elif verb == "AUTH":
                    _, name, password = base64.b64decode(words.split()[2]).decode().split("\0")
                    signed_in = (name, password) == self.user
                    say("235 welcome" if signed_in else "535 unknown")
                elif verb == "MAIL":
                    sender = words
                    say("250 ok" if signed_in else "530 sign in first")
                elif verb == "RCPT":
                    recipient = words
                    say("250 ok")
                elif verb == "DATA":
                    say("354 go on")
                    content = b""
                    while (part := stream.readline()) not in (b".\r\n", b""):
                        content += part
                    self.mails.append((sender, recipient, content.decode()))
                    self.is_encrypted.append(encrypted)
                    say("250 taken")
                elif verb == "QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok" if verb in ("RSET", "NOOP") else "502 what?")


@dataclass
class Notify:
    """Takes emails as GOV.UK Notify's API does.

    Attributes:
        status: What it answers.
        asked: Path, `Authorization` header and JSON of each request.
        address: Where it listens.
    """

    status: int = 201
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    address: str = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[Notify]:
        """Listens until the end."""
        notify = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                said = self.headers.get("authorization", "")
                notify.asked.append((self.path, said, json.loads(body)))
                answer = json.dumps({"id": "1", "errors": [{"message": body.decode()}]}).encode()
                self.send_response(notify.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.address = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield self
            server.shutdown()
