"""`minimaxfs doctor`: whether this machine and the account are fit for a drive, and what to do where not."""

import sys
from collections.abc import Iterator, Mapping

from minimaxfs import check_machine, check_service, check_store, config, selftest
from minimaxfs.core.errors import ConfigError
from minimaxfs.findings import Finding, Level, fix


def run(flags: Mapping[str, object], environ: Mapping[str, str], *, sends_key: bool) -> int:
    """Look at everything, and write a line for each; gives the exit status: 1 where something is to be fixed.

    A request with the key is sent where `sends_key` says so, or a person at the terminal does.
    """
    status = 0
    for finding in _findings(flags, environ, sends_key=sends_key):
        sys.stdout.write(str(finding))
        sys.stdout.flush()
        if finding.level is Level.FIX:
            status = 1
    return status


def _findings(
    flags: Mapping[str, object], environ: Mapping[str, str], *, sends_key: bool
) -> Iterator[Finding]:
    yield from check_machine.machine(environ)
    try:
        settings = config.load(flags, environ)
    except ConfigError as error:
        yield fix("settings", str(error), error.advice)
    else:
        yield Finding("settings", f"profile {settings.profile} is for {settings.endpoint.origin}")
        yield check_machine.disk(settings.cache_dir, settings.cache_size)
        yield from check_store.store(
            settings.endpoint, settings.key, lambda question: sends_key or confirmed(question)
        )
    yield from check_service.service(environ)
    yield selftest.run(environ)


def confirmed(question: str) -> bool:
    """Whether a person says yes; where none is at the terminal, nobody does."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
