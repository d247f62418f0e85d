"""The words of the commands that ask a drive about itself and about what is kept of the store."""

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from minimaxfs import mounts

Described = tuple[str, Callable[[argparse.ArgumentParser], None], str]
"""A command's name, what gives its parser its words, and its purpose."""


def _describe_status(status: argparse.ArgumentParser) -> None:
    status.set_defaults(command=_status)
    status.add_argument(
        "mountpoint", metavar="MOUNTPOINT", type=Path, nargs="?", help="default: every drive of yours"
    )
    status.add_argument("--json", action="store_true", help="for programs: bytes, seconds and dollars")
    status.add_argument("--watch", action="store_true", help="again each second, until Ctrl-C")


def _describe_paths(command: Callable[[argparse.Namespace], int], parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=command)
    parser.add_argument(
        "paths", metavar="PATH", type=Path, nargs="+", help="of a file, a purpose, or a whole drive"
    )


def _describe_pin(pin: argparse.ArgumentParser) -> None:
    _describe_paths(_pin, pin)
    pin.add_argument("--remove", action="store_true", help="let it go when room is needed, as before")


def _status(chosen: argparse.Namespace) -> int:
    from minimaxfs import status

    mountpoint = chosen.mountpoint and mounts.located(chosen.mountpoint, mounts.current())
    status.show(mountpoint, os.environ, as_json=chosen.json, watch=chosen.watch)
    return 0


def _refresh(chosen: argparse.Namespace) -> int:
    from minimaxfs import paths

    return paths.refresh(chosen.paths, os.environ)


def _prefetch(chosen: argparse.Namespace) -> int:
    from minimaxfs import paths

    return paths.prefetch(chosen.paths, os.environ)


def _pin(chosen: argparse.Namespace) -> int:
    from minimaxfs import paths

    return paths.pin(chosen.paths, os.environ, remove=chosen.remove)


def _explain(chosen: argparse.Namespace) -> int:
    from minimaxfs import explain

    return explain.explain(chosen.paths, os.environ)


def _evict(chosen: argparse.Namespace) -> int:
    from minimaxfs import paths

    return paths.evict(chosen.paths, os.environ)


def _describe_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--profile", metavar="NAME", help="[profile.NAME] of the configuration file")
    doctor.add_argument("--api-host", metavar="ORIGIN", help="such as https://api.minimax.io")
    doctor.add_argument("--yes", action="store_true", help="try the key without asking: one request")


def _doctor(chosen: argparse.Namespace) -> int:
    from minimaxfs import doctor

    return doctor.run(vars(chosen), os.environ, sends_key=chosen.yes)


COMMANDS: tuple[Described, ...] = (
    ("status", _describe_status, "show how a drive is: store, uploads, reads, disk, requests, errors"),
    ("refresh", partial(_describe_paths, _refresh), "ask the store again what there is"),
    ("prefetch", partial(_describe_paths, _prefetch), "fetch whole files to this disk"),
    ("pin", _describe_pin, "fetch whole files to this disk, and keep them there"),
    ("explain", partial(_describe_paths, _explain), "say why something failed, and what to do"),
    ("evict", partial(_describe_paths, _evict), "give back what the disk holds of files"),
    ("doctor", _describe_doctor, "look whether all is fit for a drive, and say what to do where not"),
)
