"""The program at the far end of an SSH connection that breaks."""

import fcntl
import getpass
import os
import pty
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from workbench.library.cache import groups
from workbench.runs.store import list_runs

pytestmark = pytest.mark.slow

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SSH = shutil.which("ssh")
SOURCE = Path(__file__).parents[3]
PRIVILEGE_SEPARATION = Path("/run/sshd")  # root's sshd does not start without it
FOLDERS = ("DATA", "STATE", "CACHE", "CONFIG")
COLUMNS, LINES = 120, 36
TAIL = 2**16  # bytes of output that are looked at: a screen and more
DOWN = "\x1b[B"


class Server:
    """An sshd on loopback with keys and a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        for name in ("host", "user"):
            key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        host_key = (folder / "host.pub").read_text()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key}")
        settings = folder / "sshd_config"
        settings.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\n"
            f"AuthorizedKeysFile {folder / 'user.pub'}\nPidFile none\nUsePAM no\nStrictModes no\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        )
        self._folder = folder
        assert SSHD is not None
        self._process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(settings)], stderr=(folder / "sshd.log").open("wb")
        )
        until(self._answers, "sshd does not answer", 30)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "sshd.log").read_text()
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def command(self, remote: str) -> list[str]:
        """`ssh` with a terminal, that knows this server and nothing else."""
        options = {
            "Port": self.port,
            "IdentityFile": self._folder / "user",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self._folder / "known_hosts",
            "StrictHostKeyChecking": "yes",
        }
        settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        assert SSH is not None
        return [SSH, "-tt", "-F", "none", *settings, f"{getpass.getuser()}@127.0.0.1", remote]

    def processes(self) -> list[str]:
        """The command lines of what was started through a connection and still lives."""
        mark = f" 127.0.0.1 {self.port}\0".encode()  # the end of SSH_CONNECTION
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdecimal() and mark in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
        return found

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Connection:
    """`ssh` in a terminal of a certain size, and all that it has written there."""

    def __init__(self, command: list[str]) -> None:
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._ssh = subprocess.Popen(
            command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env=os.environ | {"TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(inside)
        self._heard = b""

    def until(self, *said: str, seconds: float = 120) -> None:
        """Wait until the text written since the last call holds one of these."""
        deadline = time.monotonic() + seconds
        while not any(words in (text := self._text()) for words in said):
            left = deadline - time.monotonic()
            assert left > 0, f"{said} never came:\n{text}"
            if select.select([self._terminal], [], [], left)[0]:
                self._heard = (self._heard + os.read(self._terminal, 2**16))[-TAIL:]
        self._heard = b""

    def _text(self) -> str:
        text = self._heard.decode(errors="replace")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def drop(self) -> None:
        """As a network that goes away does."""
        with suppress(ProcessLookupError):
            os.killpg(self._ssh.pid, signal.SIGKILL)
        self._ssh.wait()
        with suppress(OSError):
            os.close(self._terminal)


def until(condition: Callable[[], object], complaint: str, seconds: float = 60) -> None:
    """Wait for something outside that tells nobody when it happens."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        select.select([], [], [], 0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    if SSHD is None or SSH is None:
        missing = "openssh-server" if SSHD is None else "openssh-client"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing} is missing; install it (apt-get install {missing})")
        pytest.skip(f"{missing} is not installed")
    if os.getuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    folder = tmp_path / "ssh"
    folder.mkdir()
    server = Server(folder)
    yield server
    server.close()


@pytest.fixture
def connect(
    server: Server, session_file: Path, tmp_path: Path
) -> Iterator[Callable[[], Connection]]:
    settings = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in FOLDERS}
    settings |= {"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
    words = [f"{name}={value}" for name, value in settings.items()]
    program = shlex.join(["env", *words, sys.executable, "-m", "workbench", session_file.name])
    remote = f"cd {shlex.quote(str(session_file.parent))} && exec {program}"
    opened: list[Connection] = []

    def open_one() -> Connection:
        opened.append(Connection(server.command(remote)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.drop()
    until(lambda: not server.processes(), "a process outlived its connection")


def test_a_connection_that_breaks_during_a_run(
    connect: Callable[[], Connection], server: Server, session_file: Path, tmp_path: Path
) -> None:
    text = session_file.read_text().replace("steps: 3", "steps: 100")
    text = text.replace("count: 3", "count: 9")  # too many for two rows in a chunk
    session_file.write_text(text.replace("0.1, ", "0.1, 0.2, "))

    far = connect()
    far.until("add noise")
    far.press("4" + DOWN + DOWN + " ")
    far.until("○ normalize")
    far.press("r")
    far.until("variant 2 of 3")
    assert sum("workbench.engine" in command for command in server.processes()) == 1
    far.drop()
    until(lambda: not server.processes(), "the program outlived its terminal")

    (kept,) = list_runs(tmp_path / "data" / "ddib-workbench" / "runs")
    assert kept.manifest is not None
    assert kept.manifest.status == "cancelled"
    assert 1 <= len(kept.manifest.variants) < 3
    encoded = groups(tmp_path / "cache" / "ddib-workbench" / "chunks")
    assert any(direction == "encode" for _, direction, _ in encoded)

    again = connect()
    again.until("Unsaved work")
    again.press("y")
    again.until("○ normalize")
    again.press("h")
    again.until("partial")
