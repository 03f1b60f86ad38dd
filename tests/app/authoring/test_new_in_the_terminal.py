"""`workup new` as it is met in a terminal: it keeps every answer, goes on where it stopped, and says what to do."""

from __future__ import annotations

import builtins
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.authors import COUGH, changed
from support.command import run as run_command

from workup.authoring.parts import PARTS, VIGNETTE
from workup.envs.compile.faults import lint_compiled
from workup.scenarios.language.library import load_scenario

ANSWERS = [answer for _, answer in COUGH]
New = Callable[..., tuple[int, str, str]]


@pytest.fixture
def new(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> New:
    """Run `workup new my_cough` in an empty folder on lines that are typed in: (exit status, output, errors)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*typed_in: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed_in)))
        return run_command(capsys, "new", "my_cough", *options)

    return run


def written(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_it_asks_and_writes_what_lint_passes(new: New, tmp_path: Path) -> None:
    status, out, _ = new(*ANSWERS, "yes")
    assert status == 0
    assert "9 of 9: One patient to test a policy on" in out
    assert "Next: workup check" in out
    assert lint_compiled(tmp_path / "my_cough") == ()
    assert [file.name for file in tmp_path.iterdir()] == ["my_cough"]
    assert "answers.json" not in written(tmp_path / "my_cough")
    status, _, err = new(*ANSWERS)
    assert (status, "exists already" in err) == (2, True)


def test_input_that_ends_loses_nothing_and_the_scenario_is_the_same(new: New, tmp_path: Path) -> None:
    new(*ANSWERS, "yes")
    whole = written(tmp_path / "my_cough")
    (tmp_path / "my_cough").rename(tmp_path / "first")
    rest = [*ANSWERS, "yes"]
    parts = [rest[i : i + 7] for i in range(0, len(rest), 7)]
    for number, part in enumerate(parts):
        status, out, err = new(*part)
        assert ("Going on where my_cough stopped, after" in out) == (number > 0)
        if number < len(parts) - 1:
            assert status == 2
            assert "What was answered is kept in my_cough/answers.json; `workup new my_cough` goes on there" in err
            assert COUGH[(number + 1) * 7][0] in err
    assert written(tmp_path / "my_cough") == whole


@pytest.mark.parametrize("stop", [KeyboardInterrupt, MemoryError])
def test_control_c_or_a_kill_loses_nothing(
    stop: type[BaseException], new: New, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """MemoryError stands for a kill: nothing of ours gets to run after it."""
    lines: Iterator[str] = iter(ANSWERS[:30])

    def typed(_: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise stop from None

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "input", typed)
        if stop is KeyboardInterrupt:
            status, out, _ = new()
            assert (status, "`workup new my_cough` goes on there" in out) == (130, True)
        else:
            with pytest.raises(stop):
                new()
    kept = json.loads((tmp_path / "my_cough" / "answers.json").read_text(encoding="utf-8"))
    assert [answer for *_, answer in kept["answers"]] == [answer or "start" for answer in ANSWERS[:30]]
    assert new(*ANSWERS[30:], "yes")[0] == 0


def test_what_was_taken_back_is_offered_again_after_an_interruption(new: New) -> None:
    new(*ANSWERS[:3], "back")
    _, out, _ = new()
    assert f"Who writes this? (like: A. Clinician, B. Nurse) [{ANSWERS[2]}]" in out


def test_a_question_mark_explains_with_an_example(new: New) -> None:
    _, out, _ = new(*ANSWERS[:10], "?")
    assert "emergency, urgent or routine and, if delay harms, what each day of it costs" in out
    assert "For example: routine, emergency 300, urgent 50" in out
    assert out.count("How urgent is each condition") == 2


def test_starting_over_keeps_the_old_answers_aside(new: New, tmp_path: Path) -> None:
    new(*ANSWERS[:20])
    status, out, _ = new(*ANSWERS, "yes", options=("--start-over",))
    assert status == 0
    assert "The answers kept so far are now in my_cough/answers-before.json." in out
    assert "answers-before.json" in written(tmp_path / "my_cough")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "answers.json is damaged"),
        ("[1]", "does not hold what `workup new` writes"),
        ('{"workup new": 2, "year": 2026, "answers": [], "taken back": []}', "another version of workup (format 2; this one reads 1)"),
        ('{"workup new": 1, "year": 2026, "answers": [["a", 3]], "taken back": []}', "is no answer with its question"),
        ('{"workup new": 1, "year": "x", "answers": [], "taken back": []}', "'x' is no year"),
        ("[" * 100_000, "answers.json is damaged"),
    ],
)  # fmt: skip
def test_answers_that_cannot_be_gone_on_with_are_refused(new: New, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "my_cough").mkdir()
    (tmp_path / "my_cough" / "answers.json").write_text(content)
    status, _, err = new(*ANSWERS)
    assert (status, message in err) == (2, True), err
    assert "`workup new my_cough --start-over` begins anew and keeps the file as answers-before.json" in err
    assert (tmp_path / "my_cough" / "answers.json").read_text() == content


def test_an_answer_that_no_longer_fits_is_asked_again(new: New, tmp_path: Path) -> None:
    new(*ANSWERS[:20])
    file = tmp_path / "my_cough" / "answers.json"
    file.write_text(file.read_text(encoding="utf-8").replace("96 3.9 0.1", "96 3.9 0.9"), encoding="utf-8")
    status, out, _ = new("96 3.9 0.1", *ANSWERS[20:], "yes")
    assert (status, "These add up to 100.8%, not 100%" in out) == (0, True)


def test_a_part_can_be_changed_before_writing(new: New, tmp_path: Path) -> None:
    status, out, _ = new(
        *ANSWERS, "1", "Cough for a month", *[""] * 3, "maybe", "back", "Reassure because it passes", "yes"
    )
    assert status == 0
    assert "Write yes, no, back, or a number from 1 to 9." in out
    made = load_scenario(tmp_path / "my_cough")
    assert (made.title, made.vignettes["a_cold_that_lingers"].why) == ("Cough for a month", "It passes")


def test_answers_that_do_not_hold_together_can_be_changed(new: New, tmp_path: Path) -> None:
    wrong = changed(
        "What can be found", "Smoking = never, Fever = yes", script=changed("Fever: in how many", "0 80 15")
    )
    vignette = [answer for _, answer in COUGH[[part for part, _ in COUGH].index("Tell the story") :]]
    place = str(PARTS.index(VIGNETTE) + 1)
    status, out, _ = new(*(answer for _, answer in wrong), "yes", place, *vignette, "yes")
    assert status == 0
    assert "It does not hold together yet" in out
    assert lint_compiled(tmp_path / "my_cough") == ()


def test_no_writes_no_scenario_and_keeps_the_answers(new: New, tmp_path: Path) -> None:
    status, _, err = new(*ANSWERS, "no")
    assert (status, "it is not written, as you wished" in err) == (2, True)
    assert set(written(tmp_path / "my_cough")) == {"answers.json"}
    assert new("yes")[0] == 0
