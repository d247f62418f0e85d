"""kill -9 while blocks are written and recorded: what the next process shows is right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from block_contents import pattern, present
from minimaxfs.core.ranges import Range
from minimaxfs.disk.block_file import BLOCK
from minimaxfs.disk.blocks import Blocks

SIZES = [20_000 + 90_000 * file_id for file_id in range(8)]
LIMIT = 24 * BLOCK

PROGRAM = f"""
import sys
from pathlib import Path
from block_contents import pattern, put_away
from minimaxfs.disk.blocks import Blocks
blocks = Blocks(Path(sys.argv[1]), {LIMIT})
blocks.open()
for turn in range(1_000_000):
    file_id = turn % 8
    size = {SIZES}[file_id]
    file = blocks.open_file(file_id, size)
    blocks.write(file, 0, pattern(size, file_id))
    put_away(blocks, file)
    if turn > 8:
        print(turn, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 13])
def test_a_kill_in_the_midst_of_writing(tmp_path: Path, turns: int) -> None:
    """Whatever was under way, no wrong byte is shown, and most of what was recorded is there."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "blocks")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        assert process.stdout is not None
        for _ in range(turns):
            assert process.stdout.readline()
        process.kill()
    blocks = Blocks(tmp_path / "blocks", LIMIT)
    blocks.open()
    assert blocks.used <= LIMIT
    shown = 0
    for file_id, size in enumerate(SIZES):
        file = blocks.open_file(file_id, size)
        data = pattern(size, file_id)
        for index in present(file):
            part = Range(index * BLOCK, min(size, (index + 1) * BLOCK))
            assert file.read(part) == data[part.start : part.stop]
            shown += 1
        blocks.close_file(file)
    assert shown >= 10
