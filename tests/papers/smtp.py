"""A mail server for tests: it says what it is told to say, and keeps what it is given."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self


class MailServer:
    """A server on this machine; `replies` replace what it answers to a command."""

    def __init__(self, replies: Mapping[str, str] | None = None) -> None:
        self.replies = dict(replies or {})
        self.mails: list[bytes] = []
        self.said: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            # A client that breaks off, or does not speak the language, is gone.
            with suppress(OSError), connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream: object) -> None:
        def answer(command: str, usual: str) -> None:
            lines = self.replies.get(command, usual)
            stream.write(lines.encode() + b"\r\n")  # type: ignore[attr-defined]
            stream.flush()  # type: ignore[attr-defined]

        answer("", "220 here")
        while line := stream.readline():  # type: ignore[attr-defined]
            text = line.decode("latin-1").strip()
            self.said.append(text)
            command = text.split()[0].upper() if text else ""
            if text.upper().startswith("RCPT TO") and text[8:] in self.replies:
                answer(text[8:], "")
            elif command == "EHLO":
                answer(command, "250-here\r\n250 AUTH PLAIN")
            elif command == "DATA":
                answer(command, "354 go on")
                if "DATA" in self.replies:
                    continue
                lines = []
                while (line := stream.readline()) not in (b".\r\n", b""):  # type: ignore[attr-defined]
                    lines.append(line)
                if "." not in self.replies:
                    self.mails.append(b"".join(lines))
                answer(".", "250 taken")
            elif command == "AUTH":
                answer(command, "235 welcome")
            elif command == "QUIT":
                answer(command, "221 bye")
                return
            else:
                answer(command, "250 ok")
