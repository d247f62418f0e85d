import json
import logging
import os
from collections.abc import Callable

import pytest

from commands import run_python
from minimaxfs import logs
from minimaxfs.core.errors import AccessRefused, NoSuchFile
from minimaxfs.fuse import failures

FORMS = [(form, for_journal) for form in ("text", "json") for for_journal in (False, True)]

STARTED = """
import logging, os, sys
from minimaxfs import logs
status = os.fstat(2)
own = f"{status.st_dev}:{status.st_ino}"
logs.start("info", "text", {"JOURNAL_STREAM": sys.argv[1] or own})
logging.getLogger("a").warning("hello")
logs.complain("what\\nadvice\\n", {"JOURNAL_STREAM": sys.argv[1] or own})
"""


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Callable[..., str]:
    """What is written of the last record."""
    caplog.set_level(logging.DEBUG)

    def written(form: str = "text", *, for_journal: bool = False) -> str:
        return logs.Lines(form, for_journal=for_journal).format(caplog.records[-1])

    return written


def fail_with_a_traceback(message: str) -> None:
    try:
        int(message)
    except ValueError:
        logging.getLogger("minimaxfs.x").exception("it broke")


def test_a_line_for_people_has_time_level_and_place(written: Callable[..., str]) -> None:
    """Who reads a file sees when it was, how bad, and where it came from."""
    logging.getLogger("minimaxfs.x").warning("%s is full", "the disk")
    date, time, rest = written().split(" ", 2)
    assert (len(date), len(time)) == (len("2026-11-25"), len("14:03:07,512"))
    assert rest == "WARNING minimaxfs.x: the disk is full"


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_the_journal_gets_priorities(written: Callable[..., str], level: int, priority: int) -> None:
    """The journal has a time of its own, and files each line by its priority."""
    logging.getLogger("minimaxfs.x").log(level, "a")
    assert written(for_journal=True) == f"<{priority}>minimaxfs.x: a"


def test_each_line_of_a_traceback_has_the_priority(written: Callable[..., str]) -> None:
    """Else the journal would file the lines after the first as mere information."""
    fail_with_a_traceback("a\nb")
    lines = written(for_journal=True).split("\n")
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


@pytest.mark.parametrize(("form", "for_journal"), FORMS)
def test_a_name_cannot_make_a_line(written: Callable[..., str], form: str, for_journal: bool) -> None:
    """A file name with a line end or a terminal's codes in it stays in its line, escaped."""
    logging.getLogger("x").error("%s", "a\n<2>b\x1b[31m\udcff")
    line = written(form, for_journal=for_journal)
    assert line.isprintable()
    line.encode()


def test_a_failed_request_names_all_that_its_reader_needs(written: Callable[..., str]) -> None:
    """Path, operation, errno, the store's code and trace id: in the text, and as fields of the JSON."""
    error = AccessRefused("retrieve of 7: the store answered 1004", code=1004, trace_id="0a1b")
    failures.report("read", "voice_clone/a.wav", error)
    assert written().split(": ", 1)[1] == (
        f"read voice_clone/a.wav: EACCES: {error} (code 1004, trace 0a1b). {error.advice}"
    )
    line = json.loads(written("json"))
    wanted = {
        "level": "warning",
        "operation": "read",
        "path": "voice_clone/a.wav",
        "errno": "EACCES",
        "code": 1004,
        "trace_id": "0a1b",
    }
    assert wanted.items() <= line.items()


def test_what_programs_ask_as_a_matter_of_course_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A shell that looks for a name in vain fills no log."""
    caplog.set_level(logging.INFO)
    failures.report("lookup", "voice_clone/a.wav", NoSuchFile("there is none"))
    assert caplog.records == []


def test_json_has_the_traceback_in_its_line(written: Callable[..., str]) -> None:
    """One line is one event, also for a fault of minimaxfs."""
    fail_with_a_traceback("a\nb")
    line = written("json")
    assert "\n" not in line
    assert "\nValueError: invalid literal" in json.loads(line)["exception"]


@pytest.mark.parametrize(("form", "for_journal"), FORMS)
@pytest.mark.parametrize(
    "secret",
    [
        "https://h/a?Expires=1&OSSAccessKeyId=TELLTALE&x=1",
        "https://h/a?Signature=TELLTALE%2B&b",
        "https://h/a?x-oss-signature=TELLTALE",
        "https://h/a?X-Amz-Signature=TELLTALE",
        "https://h/a?X-Amz-Credential=TELLTALE",
        "https://h/a?x-amz-security-token=TELLTALE",
        "{'Authorization': 'Bearer TELLTALE'}",
    ],
)
def test_secrets_of_other_peoples_exceptions_are_hidden(
    written: Callable[..., str], form: str, for_journal: bool, secret: str
) -> None:
    """A library that quotes a signed URL or a header in its error does not get it into the log."""
    fail_with_a_traceback(secret)
    assert "TELLTALE" not in written(form, for_journal=for_journal)
    logging.getLogger("x").error("%s", secret)
    assert "TELLTALE" not in written(form, for_journal=for_journal)


@pytest.mark.parametrize(
    ("stream", "stderr"),
    [
        ("", "<4>a: hello\n<3>what\n<3>advice\n"),
        ("1:2", None),
    ],
)
def test_the_journal_is_known_by_its_stream(stream: str, stderr: str | None) -> None:
    """JOURNAL_STREAM is inherited by what runs elsewhere: only where it names stderr is it the journal."""
    done = run_python(STARTED, [stream], os.environ)
    if stderr is None:
        assert done.stderr.endswith(" WARNING a: hello\nwhat\nadvice\n")
    else:
        assert done.stderr == stderr


def test_a_second_start_changes_the_form() -> None:
    """A drive that is told to reload logs by its new settings, and each line once."""
    code = (
        "import logging, os, sys; from minimaxfs import logs;"
        "logs.start('error', 'text', {}); logging.warning('a');"
        "logs.start('info', 'json', {}); logging.warning('b')"
    )
    done = run_python(code, [], os.environ)
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == ["b"]
