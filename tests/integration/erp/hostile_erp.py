"""An HTTP server in the ERP's place that fails in every way, and repeats to the caller whatever it was sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

FAILURES = (
    "login refused", "forbidden", "rejected", "throttled", "server error", "no json", "another shape", "an empty answer",
    "redirected", "cut off", "reset", "silent", "no tls",
)  # fmt: skip


class HostileErp:
    def __init__(self, failure: str, *, at_login: bool) -> None:
        """`at_login`: Tryton's login fails too; else it succeeds and what comes then fails."""
        self.failure, self.at_login = failure, at_login
        self.heard = b""
        self.calls = 0
        self.port = 0
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["HostileErp"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
                body = await reader.readexactly(length)
                self.heard += head + body
                self.calls += 1
                if not await self._answer(head, body, writer):
                    break
        writer.transport.abort()

    async def _answer(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> bool:
        echo = (head + body).decode("utf-8", "replace")
        if not self.at_login and b"common.db.login" in body:
            return self._send(writer, 200, json.dumps({"id": 1, "result": [1, "5e55101-of-this-user"]}))
        if not self.at_login and b"get_preferences" in body:
            return self._send(writer, 200, json.dumps({"id": 2, "result": {}}))
        refused = json.dumps({"code": f"ERP_{echo}", "detail": echo, "error": ["UserError", [echo, echo]]})
        match self.failure:
            case "login refused":
                return self._send(writer, 401, refused)
            case "forbidden":
                return self._send(writer, 403, refused)
            case "rejected":
                return self._send(writer, 200 if b"/rpc/" in head else 400, refused)
            case "throttled":
                return self._send(writer, 429, refused, "Retry-After: 60\r\n")
            case "server error":
                return self._send(writer, 500, refused)
            case "no json":
                return self._send(writer, 200, f"<html>{echo}</html>")
            case "another shape":
                return self._send(writer, 200, json.dumps({"document": {"a": echo}, "documents": [[echo]], "result": [[[echo]]]}))
            case "an empty answer":
                return self._send(writer, 200, "")
            case "redirected":
                return self._send(writer, 302, echo, f"Location: http://127.0.0.1:{self.port}/?{echo.split()[0]}\r\n")
            case "cut off":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + echo.encode()[:100])
                await writer.drain()
                return False
            case "silent":
                await asyncio.sleep(3)
        return False

    @staticmethod
    def _send(writer: asyncio.StreamWriter, status: int, body: str, more: str = "") -> bool:
        content = body.encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n{more}\r\n".encode() + content)
        return True
