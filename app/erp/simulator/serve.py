"""The simulator as a process: its directory, its token, its socket."""

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path

from aiohttp import web

from app.erp.simulator.server import Simulator

TOKEN_FILE = "token"  # noqa: S105 - a name
STORE_FILE = "erp.sqlite"


def token_of(directory: Path) -> str:
    """The token that callers need: what the directory has, else a new one, readable by the owner only."""
    path = directory / TOKEN_FILE
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    token = path.read_text(encoding="ascii").strip()
    if not token:
        raise ValueError(f"{path} is empty; remove it, a new one is made at the next start.")
    return token


async def serve(simulator: Simulator, host: str, port: int) -> None:
    """Serve until cancelled. The first line on stdout is {"url": ...}, written when calls are taken."""
    runner = web.AppRunner(simulator.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=256)
        await site.start()
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        sys.stdout.write(json.dumps({"url": f"http://{shown}:{bound[1]}"}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
