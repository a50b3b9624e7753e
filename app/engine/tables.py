"""Faust's table, table manager and recovery with the engine's state machine inside.

The take-over sits exactly where Faust waits for recovery, so "Worker ready", flow control and rebalance signals stay Faust's.
The changelogs are not subscribed: that removes co-partitioned changelog assignment, prefetch of changelogs and standbys.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import faust
from aiokafka.errors import IllegalStateError
from faust.stores import rocksdb as faust_rocksdb
from faust.tables import manager as faust_manager
from faust.tables import recovery as faust_recovery
from faust.types import TP
from mode import Service

from app.engine.partition import RETRY_SECONDS, OwnedPartition
from app.fatal import Exit, die

CHECKPOINT_POLL_SECONDS = 0.02
HEARTBEAT_PAUSE_SECONDS = 0.1
RELEASE_SECONDS = RETRY_SECONDS
"""For all that a release waits for: restores that stop early, commits under way, the last commits. The group waits as long."""


class LocalStore(faust_rocksdb.Store):
    """Faust's RocksDB store for options, paths and iteration. Rows are read and written through the OwnedPartition."""

    def _dbs_for_actives(self) -> list[Any]:
        return list(self._dbs.values())

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:
        """The take-over opens, the release closes."""

    def persisted_offset(self, tp: TP) -> None:
        return None

    async def stop(self) -> None:
        """See on_rebalance."""


class StageTable(faust.Table):
    """One table per stage; its rows leave only by the engine's transactions, never by Faust's changelog producer."""

    def _new_store(self) -> LocalStore:
        return LocalStore(
            self.app.conf.store,
            self.app,
            self,
            table_name=self.name,
            key_type=self.key_type,
            value_type=self.value_type,
            loop=self.loop,
            options=dict(self.options or {}),
        )


async def _opened(part: OwnedPartition) -> None:
    if part.opened is not None:
        await asyncio.shield(part.opened)


class Recovery(faust_recovery.Recovery):
    """Take over each assigned partition, then Faust's own on_recovery_completed (seek, resume, "Worker ready")."""

    async def on_rebalance(
        self, assigned: Iterable[TP], revoked: Iterable[TP], newly_assigned: Iterable[TP], generation_id: int = 0
    ) -> None:
        self.target = (set(assigned), generation_id, self.tables.revocations)
        if self.tables.missing(assigned):
            self.completed.clear()  # what is assigned now is not ready because something was before
        self.signal_recovery_start.set()

    @Service.task
    async def _restart_recovery(self) -> None:
        while not await self.wait_for_stopped(self.signal_recovery_start):
            self.signal_recovery_start.clear()
            assigned, generation, revocations = self.target
            try:
                await self.tables.take_over(assigned)
                if self._moved_on(generation, revocations):
                    continue  # another rebalance came meanwhile; its own signal follows
                if assigned and not await self.still_member(generation, revocations):
                    continue
                await self.on_recovery_completed(generation)
            except (faust_recovery.RebalanceAgain, IllegalStateError):
                continue
            except faust_recovery.ServiceStopped:
                break
        self.signal_recovery_start.clear()

    def _moved_on(self, generation: int, revocations: int) -> bool:
        return (revocations, generation) != (self.tables.revocations, self.app.consumer_generation_id)

    async def still_member(self, generation: int, revocations: int) -> bool:
        """One successful heartbeat. False: the group has moved on, and a rejoin will call on_rebalance again.

        A heartbeat also fails without any rebalance (no answer in time, the coordinator moved). Nobody would call again
        then: the partitions would be restored and never read.
        """
        while not await self.app.consumer.confirm_membership():
            if self._moved_on(generation, revocations) or self.should_stop:
                return False
            await asyncio.sleep(HEARTBEAT_PAUSE_SECONDS)
        return True

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """The engine reads changelogs with librdkafka: Faust's reader hangs on transactional topics."""

    def flush_buffers(self) -> None:
        """Nothing is buffered."""


async def _let_go(part: OwnedPartition, going: set[TP]) -> None:
    await part.leave()
    going.discard(part.tp)


class TableManager(faust_manager.TableManager):
    """Owns the partitions: takes over, checkpoints on time, releases."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self.parts: dict[TP, OwnedPartition] = {}
        self.revocations = 0
        self._recovery: Recovery | None = None

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        # Faust sleeps a second here, to let streams register first: ours have.
        await self._update_channels()
        await self.recovery.start()

    async def _update_channels(self) -> None:
        """Faust would subscribe to the changelogs here."""
        self._tables_finalized.set()
        for table in self.values():
            await table.maybe_start()
        self._tables_registered.set()

    def missing(self, assigned: Iterable[TP]) -> list[TP]:
        """Inbox partitions that are not taken over, nor being so."""
        return [TP(*tp) for tp in assigned if tp.topic in self.app.inboxes and tp not in self.parts]

    async def take_over(self, assigned: Iterable[TP]) -> None:
        loop = asyncio.get_running_loop()
        fresh = [self.app.owned_partition(tp) for tp in self.missing(assigned)]
        self.parts.update({part.tp: part for part in fresh})
        for part in fresh:
            part.opened = loop.run_in_executor(self.app.threads, part.open)
        for part in fresh:
            await _opened(part)
            if not part.leaving:
                part.store._dbs[part.tp.partition] = part.db
                async with part.lock:  # a release meanwhile waits for a page of rows, not for all
                    await self.app.remember(part)
            if not part.leaving:
                part.ready = True
                self.app.on_taken_over(part)

    def positions(self, which: str) -> Mapping[TP, int]:
        """`position` (folded) or `committed`, of every partition that is ready."""
        return {tp: getattr(part, which) for tp, part in self.parts.items() if part.ready}

    async def release(self, tps: Iterable[TP]) -> None:
        self.revocations += 1
        gone = [self.parts.pop(tp) for tp in list(tps) if tp in self.parts]
        for part in gone:
            part.leaving = True  # a restore under way stops early
        going = {part.tp for part in gone}
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await asyncio.gather(*(_opened(part) for part in gone))
                await asyncio.gather(*(_let_go(part, going) for part in gone))
        except TimeoutError:
            # Nothing uncommitted may be committed after the group went on: the next owner folds it again.
            die(Exit.BROKER_TIMEOUT, f"{sorted(map(str, going))}: not released within {RELEASE_SECONDS:.0f} s")
        for part in gone:
            self.app.on_left(part)

    @Service.task
    async def _checkpoints(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(CHECKPOINT_POLL_SECONDS)
            for part in list(self.parts.values()):
                if part.wants_checkpoint and part.cadence.begin(self.app.checkpoint_interval, time.monotonic()):
                    self.add_future(part.checkpoint())

    async def on_stop(self) -> None:
        await self.release(set(self.parts))  # the flow is stopped, the group membership is still ours
        await super().on_stop()
