import io

import pytest

from minimaxfs import progress, uploads
from minimaxfs.ask import Progress
from minimaxfs.complaint import CommandFailed
from minimaxfs.uploads import Row

SENDING = Row("/d/voice_clone/春.wav", "sending", 512_000_000, 204_800_000, 0, 0.0, "")
WAITING = Row("/d/t2a_async_input/a.txt", "sealed", 1500, 0, 12, 250.2, "offline")
FAILED = Row("/d/t2a_async_input/b\n.txt", "failed", 7, 7, 0, None, "refused\x1b[2J")


def test_a_table_for_people() -> None:
    """Columns line up on a terminal, wide characters and all, and nothing in them is obeyed by it."""
    assert uploads.table([SENDING, WAITING, FAILED]) == (
        "PATH                        STATE    SIZE    SENT   TRIES  NEXT TRY  WHY\n"
        "/d/voice_clone/春.wav       sending  512 MB  40 %   0      now\n"
        "/d/t2a_async_input/a.txt    sealed   1.5 kB  0 %    12     in 4 min  offline\n"
        "/d/t2a_async_input/b\\n.txt  failed   7 B     100 %  0      -         refused\\x1b[2J\n"
    )


def test_nothing_to_show_is_said() -> None:
    """An empty table would leave open whether the question was understood."""
    assert uploads.table([]) == "The store has everything.\n"


def test_rows_come_from_what_a_drive_answers() -> None:
    """A drive's paths are below its mountpoint; a person's are whole."""
    one = {"path": "a/b", "state": "sealed", "size": 3, "sent": 1, "tries": 2, "next_try_in": 1.5, "why": "x"}
    assert uploads.rows("/m", {"uploads": [one]}) == [Row("/m/a/b", "sealed", 3, 1, 2, 1.5, "x")]


@pytest.mark.parametrize("listed", [None, "x", [1], [{}], [{"path": "a", "state": "sealed", "size": "x"}]])
def test_an_answer_of_another_version_is_refused(listed: object) -> None:
    """A drive that runs on after an update may speak otherwise."""
    with pytest.raises(CommandFailed, match="another version"):
        uploads.rows("/m", {"uploads": listed})


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1500, "1.5 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (512_000_000, "512 MB"),
        (536_870_912, "537 MB"),
        (100 * 10**9, "100 GB"),
        (5 * 10**15, "5e+03 TB"),
    ],
)
def test_sizes_have_three_digits(number: int, written: str) -> None:
    """Decimal units, as the store's limits have them."""
    assert progress.size(number) == written


@pytest.mark.parametrize(
    ("sent", "whole", "written"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (12, 9, "100 %"), (999, 1000, "99 %"), (9, 9, "100 %")],
)
def test_a_percentage_is_never_too_high(sent: int, whole: int, written: str) -> None:
    """100 % is all of it."""
    assert progress.percent(sent, whole) == written


def test_progress_is_a_sentence() -> None:
    """How many, how far, of how much."""
    assert progress.sentence(Progress("upload", 2, 204_800_000, 512_000_000)) == "2 uploads: 40 % of 512 MB"
    assert progress.sentence(Progress("upload", 1, 0, 10)) == "1 upload: 0 % of 10 B"


def test_progress_in_a_file_is_a_line_now_and_then() -> None:
    """A log is not filled with progress."""
    output = io.StringIO()
    line = progress.ProgressLine(output)
    for sent in range(10):
        line.show(Progress("upload", 1, sent, 10))
    line.show(Progress("upload", 0, 0, 0))
    line.end()
    assert output.getvalue() == "1 upload: 0 % of 10 B\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


@pytest.fixture
def dumb(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "dumb")
    return Terminal()


def test_progress_on_a_terminal_is_a_bar(terminal: Terminal) -> None:
    """It changes in its line, and nothing of it is left at the end."""
    line = progress.ProgressLine(terminal)
    line.show(Progress("file", 2, 1_000_000, 4_000_000))
    line.show(Progress("file", 1, 3_000_000, 4_000_000))
    line.end()
    shown = terminal.getvalue()
    assert "1 file" in shown
    assert "75%" in shown
    assert "3.0/4.0 MB" in shown
    assert shown.endswith("\x1b[2K")


def test_a_terminal_that_cannot_draw_gets_lines(dumb: Terminal) -> None:
    """Emacs' shell and the like show what a file would."""
    progress.ProgressLine(dumb).show(Progress("upload", 1, 0, 10))
    assert dumb.getvalue() == "1 upload: 0 % of 10 B\n"
