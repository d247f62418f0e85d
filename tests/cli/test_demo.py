from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from minimaxfs import demo, preflight
from minimaxfs.api.endpoint import Operation
from minimaxfs.config import Settings
from minimaxfs.core.errors import ConfigError
from minimaxfs.outside import Outside


def test_the_demo_serves_a_filled_store_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The drive is offered a store that lists its samples; the mountpoint is made, private files vanish."""
    seen: list[Settings] = []

    def serve(settings: Settings, outside: Outside) -> None:
        seen.append(settings)
        settings.state_dir.mkdir()
        assert settings.mountpoint.is_dir()
        for purpose in ("voice_clone", "retrieval", "video_generation"):
            url = settings.endpoint.url(Operation.list_files, {"purpose": purpose})
            with urlopen(
                Request(url, headers={"Authorization": f"Bearer {settings.key}"}), timeout=10
            ) as reply:
                assert b'"file_id"' in reply.read()
        outside.on_ready()

    demo.run(tmp_path / "My Drive", serve)
    assert seen[0].profile == "demo"
    assert all(purpose.lists for purpose in seen[0].purposes)
    assert not seen[0].state_dir.parent.exists()
    assert f"ls -lR '{tmp_path}/My Drive'" in capsys.readouterr().out


def test_a_mountpoint_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Only the last directory is made: a misspelt path is not built up."""
    with pytest.raises(ConfigError, match="cannot be made"):
        preflight.make_directory(tmp_path / "none" / "drive", "Choose another.")


def test_the_invitation_can_be_pasted(tmp_path: Path) -> None:
    """Each command of the invitation names the place as a shell wants it."""
    lines = demo.invitation(tmp_path / "it's").splitlines()
    commands = [line for line in lines if line.startswith("    ")]
    assert len(commands) >= 6
    assert all(f"""'{tmp_path}/it'"'"'s'""" in line for line in commands)
