"""The command line: what was typed, in; an exit status, and two lines on stderr where it failed, out.

Exit status: 0 done; 78 the configuration or the machine must be mended first; 2 wrong words; 3 unmounted, but
the store does not have everything yet; 130 Ctrl-C; 1 anything else. What is slow to import (FUSE, HTTP, trio:
200 ms) is imported by the command that needs it, so that `--help` and `--version` answer at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from minimaxfs import (
    __version__,
    asking,
    config,
    fstab,
    logs,
    mounting,
    mounts,
    service,
    unmount,
    uploads,
    values,
)
from minimaxfs.complaint import CommandFailed, Complaint, complaint_of
from minimaxfs.outside import Outside

INTERRUPTED = 130
"""128 + SIGINT, as the shell counts."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    command = _command(sys.argv[1:] if arguments is None else arguments)
    try:
        return command()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        complaint = complaint_of(error)
        if complaint is None:
            raise
        logs.complain(str(complaint), os.environ)
        return complaint.status


def _command(arguments: Sequence[str]) -> Callable[[], int]:
    call = fstab.call_of(arguments)
    if call is not None:
        return partial(_called_by_mount, call)
    chosen = parser().parse_args(arguments)
    return partial(chosen.command, chosen)


def _called_by_mount(call: fstab.Call) -> int:
    fstab.mount(call, os.environ, _serve)
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="minimaxfs", description="Mount the MiniMax file store as a drive.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"minimaxfs {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    table: tuple[asking.Described, ...] = (
        ("mount", _describe_mount, "mount the store; returns when the drive answers"),
        ("unmount", _describe_unmount, "unmount a drive; returns when its daemon has ended"),
        ("uploads", _describe_uploads, "show what the store does not have yet, and why"),
        ("retry", partial(_describe_each, _retry), "upload again, now; returns when the store has the files"),
        ("discard", partial(_describe_each, _discard), "give up what was copied in and is not in the store"),
        *asking.COMMANDS,
        ("demo", _describe_demo, "mount a store of samples: no account, no key, no network"),
        ("service", service.describe, "run a drive as a service of yours, from login on"),
        ("emulator", _describe_emulator, "serve a store of your own over HTTP, empty at first"),
    )
    for name, describe, purpose in table:
        describe(commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False))
    return top


def _describe_mount(mount: argparse.ArgumentParser) -> None:
    switch = argparse.BooleanOptionalAction
    mount.set_defaults(command=_mount)
    mount.add_argument(
        "mountpoint", metavar="MOUNTPOINT", type=Path, nargs="?", help="default: the profile's, or ~/MiniMax"
    )
    mount.add_argument("--foreground", action="store_true", help="stay, and log to stderr")
    mount.add_argument("--profile", metavar="NAME", help="[profile.NAME] of the configuration file")
    mount.add_argument("--api-host", metavar="ORIGIN", help="such as https://api.minimax.io")
    mount.add_argument("--cache-size", metavar="SIZE", help="of blocks on disk, such as 512M; default: 10G")
    mount.add_argument("--read-only", action=switch, help="refuse copies in and deletes")
    mount.add_argument("--allow-other", action=switch, help="let other users in")
    mount.add_argument("--write-back", action=switch, help="close returns before the store has the file")
    mount.add_argument("--rename", metavar="alias|upload", help="here only (the default), or in the store")
    mount.add_argument("--drain", metavar="SECONDS", help="for uploads at the end; default: 30")
    mount.add_argument("--log-level", metavar="LEVEL", help="debug, info (the default), warning or error")
    mount.add_argument(
        "--log-format", metavar="text|json", help="lines for people (the default), or programs"
    )


def _describe_unmount(unmount: argparse.ArgumentParser) -> None:
    unmount.set_defaults(command=_unmount)
    unmount.add_argument("mountpoint", metavar="MOUNTPOINT", type=Path)
    unmount.add_argument(
        "--drain",
        metavar="SECONDS",
        type=values.seconds,
        help="for uploads to end; default: what the drive was mounted with",
    )


def _describe_uploads(uploads: argparse.ArgumentParser) -> None:
    uploads.set_defaults(command=_uploads)
    uploads.add_argument(
        "mountpoint", metavar="MOUNTPOINT", type=Path, nargs="?", help="default: every drive of yours"
    )
    uploads.add_argument("--json", action="store_true", help="for programs: bytes and seconds")


def _describe_each(command: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=command)
    parser.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="of a file in a drive")


def _describe_demo(demo: argparse.ArgumentParser) -> None:
    demo.set_defaults(command=_demo)
    demo.add_argument("mountpoint", metavar="MOUNTPOINT", type=Path, nargs="?", help="default: ~/MiniMax")


def _describe_emulator(emulator: argparse.ArgumentParser) -> None:
    emulator.set_defaults(command=_emulator)
    emulator.add_argument("--port", metavar="N", type=_port, required=True, help="of the API")
    emulator.add_argument("--storage-port", metavar="N", type=_port, default=0, help="of the signed URLs")
    emulator.add_argument("--root", metavar="DIR", type=Path, help="keep the files there; default: nowhere")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is at most 65535, and 0 for any that is free")
    return port


def _mount(chosen: argparse.Namespace) -> int:
    mounting.mount(vars(chosen), os.environ, _serve)
    return 0


def _serve(settings: config.Settings, outside: Outside) -> None:
    from minimaxfs.app import serve

    logs.start(settings.log_level, settings.log_format, os.environ)
    serve(settings, outside)


def _unmount(chosen: argparse.Namespace) -> int:
    unmount.unmount(mounts.located(chosen.mountpoint, mounts.current()), chosen.drain, os.environ)
    return 0


def _uploads(chosen: argparse.Namespace) -> int:
    mountpoint = chosen.mountpoint and mounts.located(chosen.mountpoint, mounts.current())
    uploads.show(mountpoint, os.environ, as_json=chosen.json)
    return 0


def _retry(chosen: argparse.Namespace) -> int:
    return uploads.each("retry", chosen.paths, os.environ)


def _discard(chosen: argparse.Namespace) -> int:
    return uploads.each("discard", chosen.paths, os.environ)


def _demo(chosen: argparse.Namespace) -> int:
    from minimaxfs import demo

    demo.run(chosen.mountpoint or config.home_directory(os.environ) / "MiniMax", _serve)
    return 0


def _emulator(chosen: argparse.Namespace) -> int:
    from minimaxfs.emulator.run import run

    try:
        run(chosen.port, chosen.storage_port, chosen.root)
    except OSError as error:
        what = f"the emulator cannot serve port {chosen.port}: {error.strerror or error}"
        raise CommandFailed(Complaint(what, "Choose other ports (0: any), or another --root.")) from None
    return 0
