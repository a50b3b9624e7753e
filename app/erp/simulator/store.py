"""The durable store: documents, lines, movements, master data and recorded requests in one SQLite file.

What a caller was told is on disk: a job's result is handed out after its transaction is committed with
synchronous=FULL. Jobs that wait at the same time share one transaction, each inside its own savepoint.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

Job = Callable[[sqlite3.Connection], Any]

MAX_JOBS_PER_COMMIT = 64
MAX_WAITING_JOBS = 4096

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (number INTEGER PRIMARY KEY, stock_type TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lines (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents, posting_id TEXT NOT NULL,
    content_hash TEXT NOT NULL, content BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS lines_by_posting ON lines (posting_id);
CREATE TABLE IF NOT EXISTS movements (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents, posting_id TEXT NOT NULL,
    type TEXT NOT NULL, "order" TEXT NOT NULL, material TEXT NOT NULL, lot TEXT NOT NULL, location TEXT NOT NULL,
    stock_type TEXT NOT NULL, amount INTEGER NOT NULL, scale INTEGER NOT NULL, unit TEXT NOT NULL, origin TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS movements_by_order ON movements ("order", id);
CREATE TABLE IF NOT EXISTS confirmations (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents, posting_id TEXT NOT NULL,
    "order" TEXT NOT NULL, operation TEXT NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, scale INTEGER NOT NULL,
    unit TEXT NOT NULL, origin TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS confirmations_by_order ON confirmations ("order", id);
CREATE TABLE IF NOT EXISTS changes (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS master (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, method TEXT NOT NULL, target TEXT NOT NULL,
    headers BLOB NOT NULL, body BLOB NOT NULL);
"""


class Store:
    """One connection, one writer. Open it, `run` it in a task, `do` jobs, `close` it."""

    def __init__(self, path: Path) -> None:
        # Only one thread at a time touches the connection: the one that runs the current batch.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)
        self._jobs: asyncio.Queue[tuple[Job, asyncio.Future[Any]]] = asyncio.Queue(MAX_WAITING_JOBS)

    async def do(self, job: Job) -> Any:
        """The job's result, once it is durable. What the job raises undoes the job alone, and is raised here."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        await self._jobs.put((job, done))
        return await done

    def now(self, job: Job) -> Any:
        """As `do`, before the server runs."""
        (result,) = self._committed([job])
        if isinstance(result, Exception):
            raise result
        return result

    async def run(self) -> None:
        """Serve jobs until cancelled."""
        while True:
            batch = [await self._jobs.get()]
            while len(batch) < MAX_JOBS_PER_COMMIT and not self._jobs.empty():
                batch.append(self._jobs.get_nowait())
            results = await asyncio.to_thread(self._committed, [job for job, _ in batch])
            for (_, done), result in zip(batch, results, strict=True):
                if done.cancelled():
                    continue
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)

    def close(self) -> None:
        self._connection.close()

    def _committed(self, jobs: list[Job]) -> list[Any]:
        """Results of the jobs in one durable transaction; an exception where a job raised one, or the commit did."""
        results: list[Any] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._connection.execute("SAVEPOINT job")
                try:
                    results.append(job(self._connection))
                except Exception as error:
                    self._connection.execute("ROLLBACK TO job")
                    results.append(error)
                self._connection.execute("RELEASE job")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return [error] * len(jobs)
        return results
