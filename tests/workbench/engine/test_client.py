"""The client against small engines written out here; the real one is in test_run.py."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from workbench.engine.protocol.client import EngineClient, Lost
from workbench.engine.protocol.messages import Finished, Progress, Ready, RunSession

HEAD = """\
import json, sys
def say(**message): print(json.dumps(message), flush=True)
say(type="ready", device="cpu", device_name="test", torch="0", threads=1)
"""
ECHO = (
    HEAD
    + """\
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "run":
        say(type="finished", id=request["id"], status="done")
"""
)
DIES = (
    HEAD
    + """\
line = sys.stdin.readline()
print("last words", file=sys.stderr, flush=True)
sys.exit(3)
"""
)
DEAF = (
    HEAD
    + """\
import signal, time
for line in sys.stdin: pass
while True: signal.pause()
"""
)
LISTENS = (
    HEAD
    + """\
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "cancel":
        say(type="finished", id=request["id"], status="cancelled")
"""
)
TALKS = (
    HEAD
    + """\
print("no JSON", flush=True)
print("x" * 200_000, file=sys.stderr, flush=True)
request = json.loads(sys.stdin.readline())
say(type="progress", id=request["id"], stage="load", evaluations=10**6)
say(type="failed", id="unknown type")
say(type="finished", id=request["id"], status="done", error="x" * 5_000_000)
sys.stdin.read()
"""
)


def request(name: str) -> RunSession:
    return RunSession(id=name, session={}, base="/")


class Heard:
    def __init__(self) -> None:
        self.events: list[Any] = []
        self.news = asyncio.Condition()

    def __call__(self, event: Any) -> None:
        self.events.append(event)
        asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def wait(self, condition: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(30), self.news:
            await self.news.wait_for(lambda: any(map(condition, self.events)))
        return next(event for event in self.events if condition(event))


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., tuple[EngineClient, Heard]]]:
    clients: list[EngineClient] = []

    def make(script: str, grace: float = 10) -> tuple[EngineClient, Heard]:
        heard = Heard()
        clients.append(EngineClient(heard, (sys.executable, "-c", script), grace=grace))
        return clients[-1], heard

    yield make
    for client in clients:
        await client.stop()


async def test_a_run_is_answered(connect: Any) -> None:
    client, heard = connect(ECHO)
    assert client.state == "stopped"
    await client.start()
    await heard.wait(lambda e: isinstance(e, Ready))
    assert client.state == "ready" and client.ready.device_name == "test"
    await client.run(request("1"))
    done = await heard.wait(lambda e: isinstance(e, Finished))
    assert (done.id, done.status) == ("1", "done")
    await client.stop()
    assert client.state == "stopped" and not any(isinstance(e, Lost) for e in heard.events)


async def test_a_dead_engine_fails_its_runs_and_the_next_run_starts_another(connect: Any) -> None:
    client, heard = connect(DIES)
    await client.run(request("1"))
    lost = await heard.wait(lambda e: isinstance(e, Lost))
    failed = await heard.wait(lambda e: isinstance(e, Finished))
    assert lost.returncode == 3 and lost.tail[-1] == "last words"
    assert failed.status == "failed" and "exit code 3: last words" in failed.error
    assert client.state == "stopped"
    heard.events.clear()
    await client.run(request("2"))
    await heard.wait(lambda e: isinstance(e, Ready))
    failed = await heard.wait(lambda e: isinstance(e, Finished))
    assert failed.id == "2"


async def test_an_engine_that_cannot_be_started(connect: Any) -> None:
    heard = Heard()
    client = EngineClient(heard, ("/nonexistent/engine",))
    await client.run(request("1"))
    assert [type(e) for e in heard.events] == [Lost, Finished]
    assert "could not be started" in heard.events[1].error


async def test_cancel_is_heard(connect: Any) -> None:
    client, heard = connect(LISTENS)
    await client.run(request("1"))
    await client.cancel("no such run")
    await client.cancel("1")
    done = await heard.wait(lambda e: isinstance(e, Finished))
    assert (done.id, done.status) == ("1", "cancelled")


async def test_an_engine_that_does_not_hear_is_killed(connect: Any) -> None:
    client, heard = connect(DEAF, grace=0.1)
    await client.run(request("1"))
    await heard.wait(lambda e: isinstance(e, Ready))
    await client.cancel("1")
    done = await heard.wait(lambda e: isinstance(e, Finished))
    assert done.status == "cancelled", "the user asked for it: it did not fail"
    lost = await heard.wait(lambda e: isinstance(e, Lost))
    assert "did not stop" in lost.reason
    assert client.state == "stopped"


async def test_stopping_kills_after_the_grace_period(connect: Any) -> None:
    client, heard = connect(DEAF, grace=0.1)
    await client.start()
    await heard.wait(lambda e: isinstance(e, Ready))
    await client.stop()
    assert client.state == "stopped" and len(heard.events) == 1


async def test_noise_and_long_lines_do_no_harm(connect: Any) -> None:
    client, heard = connect(TALKS)
    await client.run(request("1"))
    done = await heard.wait(lambda e: isinstance(e, Finished))
    assert len(done.error) == 5_000_000
    assert any(isinstance(e, Progress) for e in heard.events)


async def test_a_killed_engine_is_told_from_one_that_failed() -> None:
    assert "out of memory" in Lost(-9, ()).reason
    assert "signal 11" in Lost(-11, ()).reason
    assert Lost(1, ("Traceback", "ValueError: x", "")).reason.endswith("ValueError: x")


async def test_an_engine_that_is_still_starting_is_not_waited_for(connect: Any) -> None:
    client, heard = connect("import signal\nwhile True: signal.pause()", grace=1000)
    await client.start()
    async with asyncio.timeout(30):
        await client.stop()
    assert client.state == "stopped" and heard.events == []
