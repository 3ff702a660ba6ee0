import subprocess
import sys
from pathlib import Path

import pytest

from ddib.errors import InputError
from workbench.library.checkpoints import find_checkpoint, list_checkpoints
from workbench.library.configuration import read_config
from workbench.library.listing import list_images


def test_folders_follow_xdg(places, tmp_path):
    assert places.data == tmp_path / "data" / "ddib-workbench"
    assert places.runs == places.data / "runs"
    assert places.cache == tmp_path / "cache" / "ddib-workbench"
    assert places.state == tmp_path / "state" / "ddib-workbench"
    assert places.log.parent == places.state
    assert places.config == tmp_path / "config" / "ddib-workbench" / "config.yaml"
    assert not places.data.exists()  # asking makes nothing


def test_the_library_and_the_engine_look_in_the_same_folder():
    code = (
        "from ddib.checkpoints.files import USER_CHECKPOINTS;"
        "from workbench.library.folders import folders;"
        "print(USER_CHECKPOINTS == folders().checkpoints)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "checkpoints: []\n"])
def test_a_missing_or_empty_configuration_is_fine(places, text, write_config):
    if text is not None:
        write_config(text)
    assert read_config().checkpoints == []


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("# hello\ncheckpoint: [a]\n", 2, "did you mean checkpoints?"),
        ("\n\ncheckpoints: folder\n", 3, "expected a list of folders"),
        ("checkpoints: [1]\n", 1, "expected a list of folders"),
        ("- a\n- b\n", 1, "expected keys"),
        ("checkpoints: [a\n", 2, "not valid YAML"),
    ],
)
def test_a_bad_configuration_names_file_line_and_key(places, text, line, expected, write_config):
    path = write_config(text)
    with pytest.raises(InputError) as caught:
        read_config()
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert expected in str(caught.value)


def test_an_unreadable_configuration(places, write_config):
    write_config("").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_config()
    places.config.unlink()
    places.config.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_config()


def test_checkpoints_of_every_place_in_order(places, tmp_path, write_checkpoint, write_config):
    write_checkpoint(places.zoo, "cmnist-fives")
    write_checkpoint(places.checkpoints, "mine")
    write_checkpoint(places.config.parent / "shared", "ours")
    write_checkpoint(tmp_path / "extra", "theirs")
    write_config("checkpoints: [shared]\n")
    listed = list_checkpoints([tmp_path / "extra"])
    assert [item.name for item in listed] == ["theirs", "ours", "mine", "cmnist-fives"]
    assert all(item.facts and item.facts.domain == "fives" for item in listed)
    assert all(item.problem is None for item in listed)


def test_the_nearer_of_two_checkpoints_of_a_name_is_used(places, tmp_path, write_checkpoint):
    zoo = write_checkpoint(places.zoo, "cmnist-fives")
    mine = write_checkpoint(tmp_path / "extra", "cmnist-fives")
    first, second = list_checkpoints([tmp_path / "extra"])
    assert (first.path, first.problem) == (mine, None)
    assert second.path == zoo
    assert str(mine) in (second.problem or "")
    assert find_checkpoint("cmnist-fives", extra=[tmp_path / "extra"]) == mine
    assert find_checkpoint("cmnist-fives") == zoo


def test_a_folder_named_twice_is_listed_once(places, write_checkpoint):
    write_checkpoint(places.zoo, "cmnist-fives")
    assert len(list_checkpoints([places.zoo, places.zoo / ".." / places.zoo.name])) == 1


def test_bad_files_are_listed_with_their_problem(places, write_checkpoint):
    whole = write_checkpoint(places.zoo, "good").read_bytes()
    (places.zoo / "cut.safetensors").write_bytes(whole[:50])
    (places.zoo / "empty.safetensors").touch()
    (places.zoo / ".hidden.safetensors").touch()
    (places.zoo / "notes.txt").write_text("not a checkpoint")
    (places.zoo / "folder.safetensors").mkdir()
    (places.zoo / "gone.safetensors").symlink_to(places.zoo / "nowhere")
    listed = {item.name: item for item in list_checkpoints()}
    assert set(listed) == {"cut", "empty", "good"}
    assert listed["good"].problem is None
    for name in ("cut", "empty"):
        assert listed[name].facts is None
        problem = listed[name].problem
        assert problem and str(places.zoo) not in problem


def test_a_configured_folder_that_is_away_does_no_harm(places, write_checkpoint, write_config):
    write_checkpoint(places.zoo, "cmnist-fives")
    write_config("checkpoints: [/nowhere/at-all]\n")
    missing, good = list_checkpoints()
    assert missing.problem == "no such folder"
    assert good.problem is None
    assert find_checkpoint("cmnist-fives")


def test_an_extra_folder_that_is_not_there(places, tmp_path, write_checkpoint):
    write_checkpoint(places.zoo, "cmnist-fives")
    missing, good = list_checkpoints([tmp_path / "missing"])
    assert (missing.name, missing.problem) == ("missing", "no such folder")
    assert good.problem is None
    with pytest.raises(InputError, match="no such folder of checkpoints"):
        find_checkpoint("x", extra=[tmp_path / "missing"])


def test_a_checkpoint_by_path(places, tmp_path, monkeypatch, write_checkpoint):
    path = write_checkpoint(tmp_path / "models", "v1.5")
    assert find_checkpoint("v1.5.safetensors", base=tmp_path / "models") == path
    assert find_checkpoint("models/v1.5.safetensors", base=tmp_path) == path
    assert find_checkpoint(str(path), base=Path("/")) == path
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_checkpoint("~/models/v1.5.safetensors") == path
    assert find_checkpoint("v1.5", extra=[tmp_path / "models"]) == path


def test_a_checkpoint_that_is_not_there(places, tmp_path, write_checkpoint):
    with pytest.raises(InputError, match="there are none"):
        find_checkpoint("cmnist-fives")
    write_checkpoint(places.zoo, "cmnist-fives")
    write_checkpoint(places.zoo, "cmnist-sevens")
    with pytest.raises(InputError, match="did you mean cmnist-fives"):
        find_checkpoint("cmnist-five")
    with pytest.raises(InputError, match="there are cmnist-fives, cmnist-sevens"):
        find_checkpoint("q")
    with pytest.raises(InputError, match=r"no checkpoint file at .*models/x"):
        find_checkpoint("models/x", base=tmp_path)


def test_images_of_a_folder_in_their_order(tmp_path):
    for name in ("b-10.png", "b-2.png", "a.JPG", ".hidden.png", "notes.txt", "c.webp"):
        (tmp_path / name).touch()
    assert [p.name for p in list_images(tmp_path)] == ["a.JPG", "b-2.png", "b-10.png", "c.webp"]
    with pytest.raises(InputError, match="no such folder"):
        list_images(tmp_path / "missing")
