"""The command line: `./run bench [WORD...]`. Exit status 1 where a measure failed, 130 after Ctrl-C."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.candidates import CANDIDATES
from bench.corpus import QUICK, Scale
from bench.measures import MEASURES, Measure
from bench.opening import opened
from bench.plot import draw
from bench.running import Failed, program
from bench.session import Results, run

REPOSITORY = Path(__file__).parents[2]

RESULTS = REPOSITORY / "build" / "bench.json"
"""git ignores it."""

DIRECTORY = Path("/var/tmp")
"""Not /tmp: that may be memory, and the disk is part of what is measured."""


def main() -> int:
    chosen = _parser().parse_args()
    if chosen.list:
        sys.stdout.write("".join(f"{measure.name}\n" for measure in MEASURES))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    measures = [measure for measure in MEASURES if not chosen.only or measure.name in chosen.only]
    results = Results()
    try:
        with opened(chosen.dir, QUICK if chosen.quick else Scale()) as site:
            run(site, measures, CANDIDATES, chosen.rounds, results)
    except KeyboardInterrupt:
        sys.stdout.write(f"\n{report.table(report.lines(results, measures))}stopped: nothing is written\n")
        return 130
    except Failed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    _show(chosen, measures, results)
    return 1 if results.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run bench", description="minimaxfs beside rclone mount, on this machine", allow_abbrev=False
    )
    names = [measure.name for measure in MEASURES]
    parser.add_argument("--list", action="store_true", help="show the measures' names, and measure nothing")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help="these measures")
    parser.add_argument(
        "--rounds", type=_count, default=3, metavar="N", help="default: 3; of the slow ones a third of it"
    )
    parser.add_argument("--quick", action="store_true", help="small files, to try the bench itself")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="PATH", help=f"default: {RESULTS}")
    parser.add_argument("--markdown", action="store_true", help="print the README's table instead")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="draw the ratios, as SVG")
    parser.add_argument("--dir", type=Path, default=DIRECTORY, metavar="DIR", help=f"default: {DIRECTORY}")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _show(chosen: argparse.Namespace, measures: Sequence[Measure], results: Results) -> None:
    shown = report.lines(results, measures)
    sys.stdout.write(report.markdown(shown) if chosen.markdown else report.table(shown))
    for failure in results.failures:
        sys.stdout.write(f"failed: {failure}\n")
    document = {"machine": _machine(), "quick": chosen.quick, "failures": results.failures}
    chosen.json.parent.mkdir(parents=True, exist_ok=True)
    chosen.json.write_text(json.dumps({**document, "figures": report.as_json(shown)}, indent=1) + "\n")
    if chosen.plot:
        draw(shown, chosen.plot)


def _machine() -> dict[str, object]:
    """What the figures depend on."""
    rclone = subprocess.run([program("rclone"), "version"], capture_output=True, text=True, check=True)
    return {
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "rclone": rclone.stdout.splitlines()[0],
    }


if __name__ == "__main__":
    sys.exit(main())
