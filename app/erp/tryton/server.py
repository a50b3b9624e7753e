"""A Tryton server of our own on a fresh database: for demonstration and tests, on this machine only."""

import asyncio
import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.company import make_company
from app.erp.tryton.install import Installation, TrytonUnavailable, install, write_config
from app.erp.tryton.rpc import Failure, TrytonRpc

__all__ = ["Installation", "TrytonServer", "TrytonUnavailable", "install"]

DATABASE = "lineledger"
POSTING_USER = "shopfloor"
READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 10
_POLL_S = 0.05
_ADMIN_TIMEOUT_MS = 60_000
"""Set-up calls create hundreds of records at once."""


class TrytonServer:
    """`async with TrytonServer(install(home)) as server:` one process, one SQLite database (a company, the posting
    user, nothing else), gone afterwards. Raises TrytonUnavailable."""

    def __init__(self, installation: Installation, *, keep: Path | None = None) -> None:
        """`keep`: a new directory for the database and the log that stays; else a temporary one."""
        self._installation = installation
        self._keep = keep
        self._directory: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._admin_password = secrets.token_urlsafe(24)
        self._posting_password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not started"
        return self._process.pid

    @property
    def directory(self) -> Path:
        assert self._directory is not None, "the server is not started"
        return self._directory

    def admin(self) -> TrytonRpc:
        """Calls as the administrator (set-up). The caller closes it."""
        return TrytonRpc(self.url, DATABASE, "admin", self._admin_password, call_timeout_ms=_ADMIN_TIMEOUT_MS)

    def adapter(self, *, call_timeout_ms: int = 10_000) -> TrytonAdapter:
        """The adapter, as the posting user, which may post and nothing else. The caller closes it."""
        rpc = TrytonRpc(self.url, DATABASE, POSTING_USER, self._posting_password, call_timeout_ms=call_timeout_ms)
        return TrytonAdapter(rpc, call_timeout_ms=call_timeout_ms)

    @property
    def posting_address(self) -> str:
        """The address of erp.yaml for the posting user."""
        return f"{self.url.replace('://', f'://{POSTING_USER}@')}/{DATABASE}"

    @property
    def posting_password(self) -> str:
        return self._posting_password

    def posting_rpc(self) -> TrytonRpc:
        """Any call as the posting user (to test what it may not do). The caller closes it."""
        return TrytonRpc(self.url, DATABASE, POSTING_USER, self._posting_password)

    async def __aenter__(self) -> Self:
        if self._keep is not None:
            self._keep.mkdir(parents=True)
        self._directory = self._keep or Path(tempfile.mkdtemp(prefix="lineledger-tryton-"))
        try:
            shutil.copyfile(self._installation.template, self._directory / f"{DATABASE}.sqlite")
            await self.start()
            secret = self._installation.template_secret.read_text(encoding="utf-8")
            await make_company(
                lambda password: TrytonRpc(self.url, DATABASE, "admin", password, call_timeout_ms=_ADMIN_TIMEOUT_MS),
                secret,
                self._admin_password,
                POSTING_USER,
                self._posting_password,
            )
        except BaseException as error:
            await self.__aexit__(None, None, None)
            if isinstance(error, Failure):
                raise TrytonUnavailable("make the company", f"{error.code} {error.detail}") from error
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()
        if self._keep is None and self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    async def start(self) -> None:
        """Start the process on the server's database and wait until it answers. Also after `kill` or `stop`: the port
        stays the same when it is still free."""
        assert self._process is None, "the server is already started"
        for port in (self._port, 0, 0):
            self._port = _free_port(port)
            config = write_config(self.directory, self._port)
            with (self.directory / "trytond.log").open("ab") as log:
                try:
                    self._process = subprocess.Popen(
                        [str(self._installation.program("trytond")), "-c", str(config), "-d", DATABASE],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )
                except OSError as error:
                    raise TrytonUnavailable("start the server", str(error)) from error
            if await self._ready():
                return
            self._process = None  # it ended by itself, perhaps because somebody took the port in between
        raise TrytonUnavailable("start the server", self._log_end())

    async def stop(self) -> None:
        """End the process: politely, then for good."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL in the middle of its work (for tests)."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            await asyncio.to_thread(process.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    async def _ready(self) -> bool:
        """True when it answers, False when it has ended. Raises TrytonUnavailable when it does neither in time."""
        assert self._process is not None
        rpc = TrytonRpc(self.url, DATABASE, "", "", call_timeout_ms=2000)
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while self._process.poll() is None:
                    with contextlib.suppress(Failure):
                        await rpc.version()
                        return True
                    await asyncio.sleep(_POLL_S)
            return False
        except TimeoutError as error:
            await self.stop()
            raise TrytonUnavailable("wait for the server", f"silent for {READY_TIMEOUT_S} s") from error
        finally:
            await rpc.close()

    def _log_end(self) -> str:
        return (self.directory / "trytond.log").read_text(encoding="utf-8", errors="replace")[-2000:]


def _free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, else one that the system gives."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise TrytonUnavailable("start the server", "no free port on 127.0.0.1")
