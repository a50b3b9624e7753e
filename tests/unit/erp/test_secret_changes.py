"""Another secret in its file is taken while the process runs, and neither it nor the former one is shown."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from app.erp.discreet import DiscreetAdapter
from app.erp.port import Answer
from app.observability.secrets import Secrets
from app.secret import SecretInUse

FIRST, SECOND = "canary-of-the-first-4711", "canary-of-the-second-4712"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "secret", FIRST)


def written(path: Path, secret: str) -> Path:
    """As a mounted secret changes: another file takes its place."""
    new = path.with_name("new")
    new.write_text(secret + "\n", encoding="utf-8")
    os.replace(new, path)
    return path


def in_use(file: Path) -> SecretInUse:
    return SecretInUse("erp-brn1", {"ERP_BRN1_FILE": str(file)})


def test_the_file_is_asked_again(file: Path) -> None:
    secret = in_use(file)
    assert (secret.current(), secret.values()) == (FIRST, (FIRST,))
    written(file, SECOND)
    assert (secret.current(), secret.values()) == (SECOND, (FIRST, SECOND))
    file.unlink()
    assert secret.current() == SECOND, "while it is away what was in use stays in use"
    written(file, "")
    assert secret.current() == SECOND, "an empty file is no secret"
    written(file, FIRST)
    assert (secret.current(), secret.values()) == (FIRST, (SECOND, FIRST))


def test_one_in_the_environment_stays() -> None:
    environ = {"ERP_BRN1": FIRST}
    secret = SecretInUse("erp-brn1", environ)
    environ["ERP_BRN1"] = SECOND
    assert (secret.current(), SecretInUse("", environ).values()) == (FIRST, ())


def test_both_are_hidden(file: Path) -> None:
    secrets = Secrets(in_use=[in_use(file)])
    assert FIRST not in secrets.hide(f"the ERP says: {FIRST}")
    written(file, SECOND)
    told = secrets.hide(f"{FIRST} is no token any more, {SECOND} is")
    assert FIRST not in told and SECOND not in told


class Erp:
    """An adapter that repeats its secret; `waits`: its calls do not end before that."""

    def __init__(self, secret: str, made: list["Erp"]) -> None:
        self.secret, self.closed, self.waits = secret, False, asyncio.Event()
        self.waits.set()
        made.append(self)

    async def post(self, document: Any) -> Answer:
        assert not self.closed
        await self.waits.wait()
        assert not self.closed, "a call on its way keeps its connection"
        return Answer("rejected", code="ERP_ACCESS", detail=f"{self.secret} is wrong")

    async def close(self) -> None:
        self.closed = True


async def test_calls_go_out_with_the_present_one(file: Path) -> None:
    made: list[Erp] = []
    secret = in_use(file)
    adapter = DiscreetAdapter(lambda value: Erp(value, made), secret, Secrets(in_use=[secret]))  # type: ignore[arg-type,return-value]
    document: Any = None
    assert FIRST not in (await adapter.post(document)).detail
    made[0].waits.clear()
    on_its_way = asyncio.create_task(adapter.post(document))
    await asyncio.sleep(0)
    written(file, SECOND)
    told = await adapter.post(document)
    assert [one.secret for one in made] == [FIRST, SECOND] and SECOND not in told.detail
    assert not made[0].closed
    made[0].waits.set()
    assert FIRST not in (await on_its_way).detail
    assert [one.closed for one in made] == [True, False]
    await adapter.close()
    assert made[1].closed
