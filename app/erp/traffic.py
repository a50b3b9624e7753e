"""What really goes to an ERP: every request is counted where it leaves, by the transport of every adapter.

An adapter says of each request what it is for (`marked`). A request that nobody marked is counted as `other`: nothing calls an
ERP unseen.
"""

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx

from app.erp.doorway import Doorway
from app.observability.secrets import Secrets

POST, FIND, LOGIN, MASTER, QUESTION, OTHER = "post", "find", "login", "master", "question", "other"
CALLS = (POST, FIND, LOGIN, MASTER, QUESTION, OTHER)
"""A document; a read-back; log-in and session; a pull of master data; what reconciliation asks; anything else."""
MAX_REMEMBERED = 100_000
"""Posting ids that were sent by this process: one that is forgotten counts as new."""
JOURNAL = "erp_requests.jsonl"
"""File of a run's output folder: every request, without secrets."""
_MARK = "lineledger"


class Request(NamedTuple):
    """One request as it left. `postings`: of a document, its lines. `again`: one of them was sent before by this process.
    `text`: method, address, headers and body, without secrets."""

    call: str
    postings: Sequence[str]
    again: bool
    text: str


def marked(call: str, postings: Sequence[str] = ()) -> dict[str, Any]:
    """The `extensions` of a request of httpx that say what it is for."""
    return {_MARK: (call, tuple(postings))}


class Traffic:
    """Where the requests of one adapter are told. By itself it only counts; see `TrafficJournal` and app.erp.metrics.

    `doorway`: where they wait for their turn; None: nothing else calls this ERP from here."""

    def __init__(self, secrets: Secrets, *sinks: "Sink", doorway: Doorway | None = None) -> None:
        self._secrets, self._sinks, self.doorway = secrets, sinks, doorway
        self._sent: OrderedDict[str, None] = OrderedDict()

    def tell(self, request: httpx.Request, body: bytes) -> None:
        call, postings = request.extensions.get(_MARK, (OTHER, ()))
        again = any(name in self._sent for name in postings)
        self._sent.update(dict.fromkeys(postings))
        while len(self._sent) > MAX_REMEMBERED:
            self._sent.popitem(last=False)
        if self._sinks:
            told = Request(call, postings, again, self._secrets.hide(_text(request, body)))
            for sink in self._sinks:
                sink.tell(told)


class Sink(Protocol):
    def tell(self, request: Request) -> None:
        """Called before the request leaves. Must not wait."""


class TrafficJournal(Sink):
    """Every request of a run as a line of a file: what was sent is known even if the process dies afterwards."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def tell(self, request: Request) -> None:
        with self._path.open("a", encoding="utf-8") as file:  # other processes of the run write to it, too
            file.write(json.dumps(request, ensure_ascii=False) + "\n")


def journalled(path: Path) -> Iterator[Request]:
    """The requests of a journal, in the order in which they left. A last line that was cut off is left out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                call, postings, again, text = json.loads(line)
                yield Request(call, postings, again, text)


def mended(path: Path) -> None:
    """Take away a last line that was cut off: the next one would stand behind it."""
    if path.is_file():
        with path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


class CountedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, traffic: Traffic) -> None:
        self._inner, self._traffic = inner, traffic

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body, doorway = await request.aread(), self._traffic.doorway
        if doorway is None:
            self._traffic.tell(request, body)
            return await self._inner.handle_async_request(request)
        passage = await doorway.let_out(document=request.extensions.get(_MARK, (OTHER,))[0] == POST)
        request.extensions = {**request.extensions, "trace": _told_when_gone(lambda: doorway.gone(passage))}
        response = None
        try:
            self._traffic.tell(request, body)
            response = await self._inner.handle_async_request(request)
            return response
        finally:
            doorway.came_back(passage, response)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _told_when_gone(gone: Callable[[], None]) -> Callable[[str, Any], Awaitable[None]]:
    """The `trace` of a request of httpx."""

    async def traced(event: str, about: Any) -> None:
        if event.endswith("send_request_body.complete"):
            gone()

    return traced


def figures(requests: Sequence[Request]) -> Mapping[str, int]:
    """attempts: documents that left, the same one again included; retries: of them those with a posting that had been sent
    before, by any process."""
    sent: set[str] = set()
    retries = 0
    for request in requests:
        if request.call == POST:
            retries += not sent.isdisjoint(request.postings)
            sent.update(request.postings)
    counts = {call: sum(request.call == call for request in requests) for call in CALLS}
    return {
        "requests": len(requests),
        "attempts": counts[POST],
        "retries": retries,
        "read_backs": counts[FIND],
        "logins": counts[LOGIN],
        "pulls": counts[MASTER],
        "questions": counts[QUESTION],
        "other": counts[OTHER],
    }


def _text(request: httpx.Request, body: bytes) -> str:
    headers = [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "authorization"]
    return "\n".join([f"{request.method} {request.url}", *headers, "", body.decode("utf-8", "backslashreplace")])
