import io
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from ddib.denoising.evaluation import FLOAT32, Evaluation
from ddib.tuning.calibration import Calibration, Measurement, Surroundings
from workbench.cli import checks as doctor
from workbench.cli.checks import Check
from workbench.support.terminal import ask_tmux, image_protocol, is_utf8, shows_true_color

CPU = {"version": "2.9.0", "threads": 2, "device": "cpu", "built_for_cuda": True}
CUDA = {
    "version": "2.9.0",
    "threads": 2,
    "device": "cuda",
    "name": "NVIDIA A100",
    "free": 70 * 2**30,
    "built_for_cuda": True,
}
TMUX = {"TERM": "tmux-256color", "TMUX": "/run/tmux,1,0", "COLORTERM": "truecolor"}


def test_every_check_that_is_not_well_says_what_to_do(places, monkeypatch):
    monkeypatch.setattr(doctor, "_torch_facts", lambda: CPU)
    monkeypatch.setenv("TERM", "dumb")
    found = doctor.checks()
    assert len({check.name for check in found}) == len(found)
    for check in found:
        assert check.found
        assert bool(check.advice) == (check.status != "ok"), check
    wanted = {"Python", "torch", "device", "terminal", "colours", "images", "characters"}
    wanted |= {"clipboard", "mouse", "data", "runs", "cache", "checkpoints", "probe"}
    assert wanted <= {check.name for check in found}


def test_the_table_shows_them_all_in_ascii():
    broken = Check("torch", "bad", "cannot be used: [red]x", "pip install torch")
    out = io.StringIO()
    Console(file=out, width=60).print(doctor.render([broken, Check("a", "ok", "b")]))
    text = out.getvalue()
    for part in ("bad", "torch", "cannot be used: [red]x", "pip install torch"):
        assert part in text
    assert text.isascii()


@pytest.mark.parametrize(("number", "status"), [((3, 10), "bad"), ((3, 11), "ok"), ((3, 14), "ok")])
def test_python(number, status):
    check = doctor.check_python(number, "3.x")
    assert check.status == status
    assert ("3.11 or later" in check.advice) == (status == "bad")


def test_packages_that_are_missing(monkeypatch):
    assert doctor.check_packages().status in ("ok", "warn")
    monkeypatch.setattr(doctor, "_PACKAGES", ("pydantic", "no-such-package"))
    check = doctor.check_packages()
    assert check.status == "warn"
    assert "no-such-package" in check.advice


def test_torch_is_looked_at_in_a_process_of_its_own():
    facts = doctor._torch_facts()
    assert not isinstance(facts, str), facts
    assert facts["version"][0].isdigit()
    assert facts["threads"] >= 1
    assert facts["device"] in ("cpu", "cuda", "mps")


def test_the_light_process_stays_light():
    code = (
        "import sys; from workbench.cli.checks import checks, render; render(checks());"
        "print([m for m in ('torch', 'textual', 'term_image') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_devices(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    torch, device = doctor.check_torch(CUDA)
    assert (torch.found, device.status) == ("2.9.0", "ok")
    assert "NVIDIA A100" in device.found
    assert "70.0 GB" in device.found
    assert doctor.check_torch(CUDA | {"free": 2**20})[1].status == "warn"
    assert "2 thread" in doctor.check_torch(CPU)[1].found
    mps = {**CPU, "device": "mps", "name": "Apple GPU"}
    assert doctor.check_torch(mps)[1].found == "mps, Apple GPU"


@pytest.mark.parametrize(("cuda", "advice"), [(True, "nvidia-smi works"), (False, "without CUDA")])
def test_a_card_that_torch_does_not_use(monkeypatch, cuda, advice):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    device = doctor.check_torch(CPU | {"built_for_cuda": cuda})[1]
    assert device.status == "warn"
    assert advice in device.advice


def test_torch_that_cannot_be_imported(monkeypatch):
    monkeypatch.setattr(doctor, "_TORCH_PROBE", "import no_such_module")
    (check,) = doctor.check_torch(doctor._torch_facts())
    assert check.status == "bad"
    assert "no_such_module" in check.found
    monkeypatch.setattr(doctor, "_TORCH_PROBE", "import os; os.abort()")
    assert "ended with" in doctor._torch_facts()
    monkeypatch.setattr(doctor, "_TORCH_PROBE", "print('hello')")
    assert isinstance(doctor._torch_facts(), str)
    monkeypatch.setattr(doctor, "_TORCH_SECONDS", 0.05)
    monkeypatch.setattr(doctor, "_TORCH_PROBE", "while True: 0")
    assert "took more than" in doctor._torch_facts()


@pytest.mark.parametrize(
    ("term", "tty", "size", "status"),
    [
        ("xterm-256color", True, (120, 40), "ok"),
        ("xterm-256color", True, (79, 40), "warn"),
        ("xterm-256color", True, (80, 23), "warn"),
        ("dumb", True, (120, 40), "bad"),
        ("", True, (120, 40), "bad"),
        ("xterm-256color", False, (80, 24), "warn"),
    ],
)
def test_terminals(term, tty, size, status):
    assert doctor.check_terminal({"TERM": term}, tty, size).status == status


def test_colours(monkeypatch):
    assert doctor.check_colors({"COLORTERM": "truecolor"}).status == "ok"
    assert "COLORTERM" in doctor.check_colors({"TERM": "xterm-256color"}).advice
    assert "NO_COLOR" in doctor.check_colors({"NO_COLOR": "1", "COLORTERM": "truecolor"}).advice
    assert "tmux" in doctor.check_colors({"TERM": "screen", "STY": "1.pts"}).advice
    for features, status in ((None, "warn"), ("256,title", "warn"), ("256,RGB,title", "ok")):
        monkeypatch.setattr(doctor, "ask_tmux", lambda *_, answer=features: answer)
        check = doctor.check_colors(TMUX)
        assert check.status == status
        assert ("terminal-features ',*:RGB'" in check.advice) == (status == "warn")


def test_the_clipboard(monkeypatch):
    assert doctor.check_clipboard({}).status == "ok"
    assert doctor.check_clipboard({"STY": "1.pts"}).status == "warn"
    for answer, status in ((None, "warn"), ("external", "warn"), ("on", "ok")):
        monkeypatch.setattr(doctor, "ask_tmux", lambda *_, answer=answer: answer)
        check = doctor.check_clipboard(TMUX)
        assert check.status == status
        assert ("set -g set-clipboard on" in check.advice) == (status == "warn")


def test_the_mouse():
    assert "terminal sends them" in doctor.check_mouse({}).found
    assert "set -g mouse on" in doctor.check_mouse(TMUX).found


def test_tmux_that_is_not_there(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert ask_tmux("show-options") is None


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, "sixel"),
        ({"TERM": "xterm-256color"}, "half blocks"),
        ({}, "half blocks"),
        (TMUX | {"KITTY_WINDOW_ID": "1"}, "half blocks"),
        ({"TERM": "screen", "STY": "1.pts", "TERM_PROGRAM": "iTerm.app"}, "half blocks"),
    ],
)
def test_image_protocols(environment, protocol):
    assert image_protocol(environment) == protocol
    assert protocol in doctor.check_images(environment).found


def test_true_colour_is_known_by_many_signs():
    for environment in (
        {"COLORTERM": "24bit"},
        {"TERM": "xterm-direct"},
        {"TERM_PROGRAM": "vscode"},
        {"VTE_VERSION": "7000"},
    ):
        assert shows_true_color(environment)
    assert not shows_true_color({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"})


def test_locales():
    assert is_utf8({"LANG": "en_US.UTF-8"})
    assert is_utf8({"LC_ALL": "C.utf8", "LANG": "C"})
    assert not is_utf8({"LC_ALL": "C", "LANG": "en_US.UTF-8"})
    assert not is_utf8({})
    check = doctor.check_unicode({"LANG": "de_DE.ISO-8859-1"})
    assert check.status == "warn"
    assert "ISO-8859-1" in check.found


def test_folders(places, tmp_path, monkeypatch):
    found = {check.name: check for check in doctor.check_folders()}
    assert all(check.status == "ok" for check in found.values())
    assert not places.data.exists()  # looking makes nothing
    (tmp_path / "file").touch()
    runs = {check.name: check for check in doctor.check_folders(tmp_path / "file")}["runs"]
    assert runs.status == "bad"
    assert "not a folder" in runs.found
    usage = SimpleNamespace(free=2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert doctor.check_folders()[1].status == "warn"
    usage.free = 2**20
    assert doctor.check_folders()[1].status == "bad"


def test_a_bad_configuration(places, write_config):
    write_config("checkpoint: []\n")
    config = doctor.check_folders()[0]
    assert config.status == "bad"
    assert "config.yaml:1" in config.found
    assert doctor.check_library()[0].status == "bad"


def test_checkpoints_and_the_probe(places, tmp_path, write_checkpoint):
    checkpoints, probe = doctor.check_library()
    assert (checkpoints.status, probe.status) == ("bad", "warn")
    write_checkpoint(places.zoo, "cmnist-fives")
    write_checkpoint(tmp_path / "more", "probe", kind="probe")
    checkpoints, probe = doctor.check_library([tmp_path / "more"])
    assert (checkpoints.status, checkpoints.found) == ("ok", "cmnist-fives")
    assert (probe.status, probe.found) == ("ok", "probe")
    (places.zoo / "cut.safetensors").touch()
    checkpoints, _ = doctor.check_library()
    assert checkpoints.status == "warn"
    assert "cut.safetensors" in checkpoints.advice
    missing, _ = doctor.check_library([tmp_path / "missing"])
    assert missing.status == "warn"
    assert "no such folder" in missing.advice


def test_the_calibrations_that_are_stored_are_shown(places):
    assert "checkpoints calibrate" in doctor.check_precision().found
    found = Calibration(
        checkpoint="fives",
        surroundings=Surroundings(device="cpu", torch="2.9.0", threads=2, sha256="0" * 64),
        measurements=(
            Measurement(evaluation=FLOAT32, milliseconds={16: 30.0}, error=0.0),
            Measurement(
                evaluation=Evaluation(precision="bf16"), milliseconds={16: 20.0}, error=0.004
            ),
        ),
    )
    folder = places.cache / "calibration"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(found.model_dump_json())
    (folder / "damaged.json").write_text("{")
    assert doctor.check_precision().found == (
        "fives on cpu, 2 thread(s), torch 2.9.0: auto is bf16 (bf16 1.50x, error 0.0040)"
    )
