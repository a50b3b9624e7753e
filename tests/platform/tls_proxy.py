"""TLS in front of a plain server of this machine: a certificate of the test's authority, client certificates, a password."""

import asyncio
import base64
import contextlib
import ssl
import threading
from pathlib import Path
from types import TracebackType

from tests.platform.certificates import Authority

REFUSAL = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class TlsProxy:
    """Forwards https://127.0.0.1:PORT to http://127.0.0.1:`port`. `clients`: whose certificates it demands; None: none.
    `user_info`: `user:password` that the first request of a connection must have; empty: anybody may ask."""

    def __init__(
        self, port: int, authority: Authority, folder: Path, *, clients: Authority | None = None, user_info: str = ""
    ) -> None:
        self._port, self._expected = port, base64.b64encode(user_info.encode()) if user_info else b""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = authority.issue("tls-proxy")
        self._context.load_cert_chain(certificate, key)
        if clients is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients.ca)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self.url = ""

    def __enter__(self) -> "TlsProxy":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        self.url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        """Nothing of a connection outlives the proxy."""
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._forward, "127.0.0.1", 0, ssl=self._context)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if self._expected and b"Basic " + self._expected not in head:
                writer.write(REFUSAL)
                await writer.drain()
                writer.close()
                return
            back, forth = await asyncio.open_connection("127.0.0.1", self._port)
            forth.write(head)
            try:
                await asyncio.gather(_copy(reader, forth), _copy(back, writer))
            finally:
                forth.transport.abort()
                writer.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await source.read(65536):
            target.write(content)
            await target.drain()
        target.close()
