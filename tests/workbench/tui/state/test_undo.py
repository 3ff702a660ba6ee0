from workbench.tui.state.session.undo import LIMIT, History


def test_undo_and_redo_walk_along_the_states() -> None:
    history = History("a")
    assert history.push("b", "to b") and history.push("c", "to c")
    assert history.undo() == "to c" and history.present == "b"
    assert history.undo() == "to b" and history.present == "a"
    assert history.undo() is None and history.present == "a"
    assert history.redo() == "to b" and history.redo() == "to c" and history.redo() is None
    assert history.present == "c"


def test_a_change_after_undo_forgets_what_was_ahead() -> None:
    history = History("a")
    history.push("b", "")
    history.undo()
    history.push("c", "")
    assert history.redo() is None and history.present == "c"


def test_the_same_state_is_no_change() -> None:
    history = History("a")
    assert not history.push("a", "nothing")
    assert history.undo() is None


def test_typing_is_one_step() -> None:
    history = History("")
    for text in ("1", "12", "123"):
        history.push(text, "type", merge="field")
    assert history.undo() == "type" and history.present == ""
    history.redo()
    history.push("1234", "type", merge="field")
    history.undo()
    assert history.present == "123", "after undo and redo, typing begins a new step"


def test_dirty_is_a_comparison_with_what_was_saved() -> None:
    history = History("a")
    assert not history.dirty
    history.push("b", "")
    assert history.dirty
    history.undo()
    assert not history.dirty, "back at what the file holds"
    history.redo()
    history.mark_saved()
    assert not history.dirty
    assert History("a", saved=False).dirty


def test_saving_ends_a_step() -> None:
    history = History("")
    history.push("1", "type", merge="field")
    history.mark_saved()
    history.push("12", "type", merge="field")
    history.undo()
    assert history.present == "1" and not history.dirty


def test_the_past_is_bounded() -> None:
    history = History(0)
    for number in range(1, 2 * LIMIT):
        history.push(number, "")
    steps = 0
    while history.undo() is not None:
        steps += 1
    assert steps == LIMIT - 1
