"""`minimaxfs service`: the drive of a profile, run by the user's systemd."""

import argparse
import errno
import os
import pwd
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from minimaxfs import config, credentials, mounts, preflight, systemctl, unit, values
from minimaxfs.complaint import CommandFailed, Complaint
from minimaxfs.core.errors import ConfigError
from minimaxfs.sources import DEFAULT_PROFILE, Sources

LINGER = Path("/var/lib/systemd/linger")
"""Has a file for each user whose services go on after the last logout."""

RESTARTED = frozenset({"signal", "core-dump", "watchdog", "exit-code", "oom-kill"})
"""Results of a service after which systemd starts it again, unless it was asked to stop."""

Command = Callable[[Mapping[str, object], Mapping[str, str]], int]


def describe(parser: argparse.ArgumentParser) -> None:
    """Describe the words after `service`."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, action, purpose in (
        ("install", install, "write the unit, start the drive now and at each login"),
        ("uninstall", uninstall, "stop the drive, and take the unit away with its last profile"),
        ("status", status, "show how the service is; status 1 where it does not run"),
        ("clear", clear, "take away a drive whose daemon has died (what the unit does in the end)"),
    ):
        words = actions.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        words.add_argument("--profile", metavar="NAME", help="[profile.NAME] of the configuration file")
        words.set_defaults(command=_command(action))


def _command(action: Command) -> Callable[[argparse.Namespace], int]:
    return lambda chosen: action({"profile": chosen.profile}, os.environ)


def install(flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    """Write the unit, enable and start the profile's instance, and say what else it takes."""
    sources = config.read_sources(flags, environ)
    service = unit.instance(_profile(sources))
    place = config.chosen_mountpoint(sources, config.home_directory(environ))
    preflight.make_directory(place, "Choose another with `mountpoint` in the profile.")
    file = _unit_file(environ)
    is_new = _write(file, unit.unit(unit.own_command()))
    systemctl.run("daemon-reload")
    systemctl.run("enable", service)
    try:
        systemctl.run("restart" if is_new else "start", service)
    except CommandFailed:
        raise CommandFailed(_not_started(service, sources, environ)) from None
    sys.stdout.write(f"{service} is installed, and its drive is mounted at {place}.\n{_linger_advice()}")
    return 0


def uninstall(flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    """Stop and disable the profile's instance; the unit goes with the last one."""
    service = unit.instance(_profile(Sources(flags, environ)))
    file = _unit_file(environ)
    if not file.exists():
        raise CommandFailed(Complaint(f"{file} does not exist", "There is no service to uninstall."))
    systemctl.run("disable", "--now", service)
    if _others(file):
        sys.stdout.write(f"{service} is uninstalled; the unit stays for other profiles.\n")
        return 0
    file.unlink()
    systemctl.run("daemon-reload")
    sys.stdout.write(f"{service} is uninstalled. Settings, state and cache are left.\n")
    return 0


def status(flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    """Write how the profile's instance is."""
    service = unit.instance(_profile(Sources(flags, environ)))
    names = ("UnitFileState", "ActiveState", "SubState", "StatusText", "Result", "NRestarts")
    told = systemctl.properties(service, *names)
    is_active = told["ActiveState"] in {"active", "reloading"}
    enabled = told["UnitFileState"] or "not installed"
    lines = [f"{service}: {enabled}, {told['ActiveState']} ({told['SubState']})"]
    if told["StatusText"] and is_active:
        lines.append(told["StatusText"])
    if not is_active and told["Result"] not in {"", "success"}:
        lines.append(f"it ended with {told['Result']}: `journalctl --user -u {service}` says more")
    if told["NRestarts"] not in {"", "0"}:
        lines.append(f"restarted {told['NRestarts']} times")
    sys.stdout.write("\n".join(lines) + "\n" + _linger_advice())
    return 0 if is_active else 1


def clear(flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    """Take a stale mount of ours away, and touch no other.

    After a crash it stays, dead and loud, until the restart takes it away: between the two, a program
    would find an empty directory and write into it. What systemd knows of the end is in SERVICE_RESULT
    and EXIT_STATUS.
    """
    is_coming_back = environ.get("SERVICE_RESULT") in RESTARTED
    if is_coming_back and environ.get("EXIT_STATUS") != str(os.EX_CONFIG):
        return 0
    sources = config.read_sources(flags, environ)
    place = config.chosen_mountpoint(sources, config.home_directory(environ))
    found = mounts.at(place, mounts.current())
    if found is not None and found.is_ours and mounts.probe(place) == errno.ENOTCONN:
        preflight.clear_mountpoint(place)
    return 0


def _profile(sources: Sources) -> str:
    return sources.read("profile", values.word, DEFAULT_PROFILE)


def _unit_file(environ: Mapping[str, str]) -> Path:
    above = config.xdg_directory(environ, "XDG_CONFIG_HOME", config.home_directory(environ) / ".config")
    return above.with_name("systemd") / "user" / unit.NAME


def _write(file: Path, text: str) -> bool:
    """Write the unit where it is not there as it should be; whether that was needed. Raises ConfigError."""
    try:
        if file.exists() and file.read_text() == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}", "Make it writable.") from None
    return True


def _others(file: Path) -> list[str]:
    """Give the instances of the unit that are enabled or running."""
    pattern = unit.instance("*")
    running = systemctl.run(
        "list-units", "--plain", "--no-legend", "--state=active,activating", "--", pattern
    )
    return [link.name for link in file.parent.glob(f"*.wants/{pattern}")] + running.split()


def _not_started(service: str, sources: Sources, environ: Mapping[str, str]) -> Complaint:
    """Say that it is installed and does not run, and why, where that can be known."""
    what = f"{service} is installed, but its drive did not come"
    own = {name: value for name, value in environ.items() if name != credentials.VARIABLE}
    try:
        config.key_of(sources, own)
    except ConfigError as error:
        return Complaint(
            f"{what}: {error}", f"{error.advice} Then `systemctl --user start {service}`.", os.EX_CONFIG
        )
    return Complaint(what, f"`journalctl --user -u {service}` says why.")


def _linger_advice() -> str:
    """Say what becomes of the drive at the last logout."""
    if (LINGER / pwd.getpwuid(os.getuid()).pw_name).exists():
        return "It goes on when you log out (lingering is enabled).\n"
    return "It ends when you log out for the last time; `loginctl enable-linger` lets it go on.\n"
