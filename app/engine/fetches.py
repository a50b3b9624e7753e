"""What the broker last said about each partition, and when it was asked: an end of a log is worth as much as it is young."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka.consumer.fetcher import FetchRequest
from faust.types import TP


class Fetch(NamedTuple):
    """The newest answered fetch of one partition. Times: seconds, time.monotonic()."""

    offset: int
    """Where it began to read."""
    end: int
    """The last stable offset: what lies beyond belongs to open transactions."""
    asked: float
    answered: float
    empty: bool
    """Nothing lay at or behind `offset`, not even of an open transaction, at a moment between `asked` and `answered`."""


class Fetches:
    """Listens to the fetches of one consumer. Written in its thread, read in the loop's: entries are replaced, never changed."""

    def __init__(self) -> None:
        self._newest: dict[TP, Fetch] = {}

    def listen(self, client: Any) -> None:
        """`client`: AIOKafkaClient. An answer can lie in the socket while its thread is busy, so the time of asking counts."""
        send = client.send

        async def heard(node_id: Any, request: Any, **kwargs: Any) -> Any:
            asked = time.monotonic()
            response = await send(node_id, request, **kwargs)
            if isinstance(request, FetchRequest):
                self._note(request, response, asked)
            return response

        client.send = heard

    def _note(self, request: Any, response: Any, asked: float) -> None:
        offsets = {(topic, partition): offset for topic, parts in request.topics for partition, offset, _ in parts}
        answered = time.monotonic()
        for topic, partitions in response.topics:
            for partition, error, highwater, *rest in partitions:
                if error == 0:
                    offset = offsets[topic, partition]
                    empty = highwater == offset and not rest[-1]
                    self._newest[TP(topic, partition)] = Fetch(offset, rest[0], asked, answered, empty)

    def newest(self, tp: TP) -> Fetch | None:
        return self._newest.get(tp)

    def forget(self, tps: Iterable[Any]) -> None:
        for tp in tps:
            self._newest.pop(TP(*tp), None)
