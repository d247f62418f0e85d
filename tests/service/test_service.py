"""A drive as a service of systemd: it comes, heals, waits, reloads and goes as one expects of a service."""

import subprocess

from commands import eventually
from managers import HOME, MINIMAXFS, RUNTIME
from minimaxfs.emulator.faults import Fault, Kind
from minimaxfs.emulator.messages import Operation
from service_drive import ServiceDrive

FILE = "voice_clone/a.wav"


def test_install_starts_a_drive_that_is_readable(service: ServiceDrive) -> None:
    """The command returns when the drive answers; the unit calls this program by its whole path."""
    service.emulator.add_file("voice_clone", "a.wav", b"sound")
    done = service.minimaxfs("service", "install", "--profile", service.profile)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"its drive is mounted at {service.path}.\n" in done.stdout
    assert "loginctl enable-linger" in done.stdout
    assert service.read(FILE) == "sound"
    assert f"\nExecStart={MINIMAXFS} mount --foreground --profile=%i\n" in service.installed
    assert service.unit in service.manager.systemctl("show", "-p", "Wants", "default.target").stdout


def test_the_unit_passes_systemds_own_check(service: ServiceDrive) -> None:
    """`systemd-analyze verify` has nothing to say about it."""
    service.install()
    done = service.manager.run("systemd-analyze", "--user", "verify", service.file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_status_is_what_a_person_wants_to_know(service: ServiceDrive) -> None:
    """Before, while, and after it runs; with what the drive says of itself."""
    service.install()
    done = service.minimaxfs("service", "status", "--profile", service.profile)
    first, said, linger = done.stdout.splitlines()
    assert (done.returncode, first) == (0, f"{service.unit}: enabled, active (running)")
    assert said == f"mounted at {service.path}"
    assert "linger" in linger
    service.manager.systemctl("stop", service.unit)
    done = service.minimaxfs("service", "status", "--profile", service.profile)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{service.unit}: enabled, inactive (dead)\n")


def test_stop_unmounts(service: ServiceDrive) -> None:
    """An idle drive goes at once, with success, and leaves an empty directory."""
    service.install()
    stopping = service.start("systemctl", "--user", "stop", service.unit)
    assert eventually(lambda: not service.is_mounted(), 2)
    assert stopping.wait(10) == 0
    assert service.show("Result") == "success"
    assert service.manager.run("ls", "-A", service.path).stdout == ""


def test_a_killed_daemon_comes_back(service: ServiceDrive) -> None:
    """Until then the drive is dead and loud, never an empty directory that a program would write into."""
    service.emulator.add_file("voice_clone", "a.wav", b"sound")
    service.install("RestartSec=1")
    service.kill("KILL")
    assert eventually(lambda: service.show("SubState") == "auto-restart")
    assert service.is_mounted()
    assert "not connected" in service.manager.run("ls", service.path).stderr
    assert service.comes_back()
    assert service.read(FILE) == "sound"
    assert service.manager.mountinfo().count(f" {service.path} ") == 1


def test_a_daemon_that_hangs_is_replaced(service: ServiceDrive) -> None:
    """It gives no sign of life, so the watchdog ends it, and the next one takes its place."""
    service.emulator.add_file("voice_clone", "a.wav", b"sound")
    service.install("WatchdogSec=2")
    service.kill("STOP")
    assert service.comes_back()
    assert service.read(FILE) == "sound"


def test_hung_reads_are_no_reason_to_be_killed_and_stop_ends_them(service: ServiceDrive) -> None:
    """The store is silent and more programs wait than pyfuse3 would serve: that is not the daemon's fault."""
    for number in range(120):
        service.emulator.add_file("voice_clone", f"{number}.wav", b"x" * 1000)
    service.install("WatchdogSec=2")
    service.emulator.inject(Fault(Operation.RETRIEVE, Kind.STALL, times=None))
    pid = service.pid
    readers = service.start("sh", "-c", f"cd {service.path}/voice_clone; for f in *; do cat $f & done; wait")
    assert eventually(lambda: service.emulator.requests["retrieve"] > 90)
    fed = service.show("WatchdogTimestampMonotonic")
    assert eventually(lambda: int(service.show("WatchdogTimestampMonotonic")) > int(fed) + 3_000_000)
    assert service.pid == pid
    assert service.manager.systemctl("stop", service.unit).returncode == 0
    assert not service.is_mounted()
    assert service.show("Result") == "success"
    assert readers.wait(10) == 0


def test_a_stop_waits_for_uploads_beyond_its_limit(service: ServiceDrive) -> None:
    """Six seconds of draining with three allowed: the daemon asks for more as long as something is sent."""
    service.install("TimeoutStopSec=3")
    service.emulator.inject(Fault(Operation.UPLOAD, Kind.DELAY, value=6, executed=True))
    copy = service.start("sh", "-c", f"echo text > {service.path}/t2a_async_input/a.txt")
    assert eventually(lambda: service.emulator.requests["upload"] == 1)
    assert service.manager.systemctl("stop", service.unit).returncode == 0
    assert service.show("Result") == "success"
    assert copy.wait(1) == 0
    assert [file.filename for file in service.emulator.files("t2a_async_input")] == ["a.txt"]


def test_reload_takes_a_new_key(service: ServiceDrive) -> None:
    """`systemctl reload` leaves the daemon and the mount as they are."""
    service.install()
    before = service.pid
    service.configure(key="sk-2")
    assert service.manager.systemctl("reload", service.unit).returncode == 0
    assert eventually(lambda: "reloaded; new: the key" in service.log())
    assert service.manager.run("ls", service / "voice_clone").returncode == 0
    assert service.emulator.log[-1].headers["authorization"] == "Bearer sk-2"
    assert (service.pid, service.show("ActiveState")) == (before, "active")


def test_a_strangers_mount_is_left_alone(service: ServiceDrive) -> None:
    """The start is refused with 78, which is not tried again."""
    service.install()
    service.manager.systemctl("stop", service.unit)
    tmpfs = ("mount", "-t", "tmpfs", "stranger", service.path)
    subprocess.run(service.manager.as_root(*tmpfs), check=True)
    try:
        assert service.manager.systemctl("start", service.unit).returncode != 0
        assert service.show("ExecMainStatus") == "78"
        assert (service.show("ActiveState"), service.restarts()) == ("failed", 0)
        assert "tmpfs (stranger) is mounted there" in service.log()
        assert service.manager.mountinfo().count(f" {service.path} ") == 1
    finally:
        subprocess.run(service.manager.as_root("umount", service.path), check=True)


def test_a_mount_that_stays_is_told(service: ServiceDrive) -> None:
    """Without /etc/mtab fusermount3 unmounts nothing, and says nothing: mountinfo is what is believed."""
    service.install()
    hide = "cp -a /etc /run/etc && rm /run/etc/mtab && mount --bind /run/etc /etc"
    subprocess.run(service.manager.as_root("sh", "-c", hide), check=True)
    try:
        service.manager.systemctl("stop", service.unit)
        assert (service.show("ExecMainStatus"), service.is_mounted()) == ("78", True)
        assert "is mounted and dead, since there is no /etc/mtab" in service.log()
        assert service.manager.systemctl("start", service.unit).returncode != 0
        assert service.show("ExecMainStatus") == "78"
    finally:
        subprocess.run(service.manager.as_root("umount", "/etc"), check=True)
    assert service.manager.systemctl("start", service.unit).returncode == 0
    assert service.manager.mountinfo().count(f" {service.path} ") == 1


def test_what_a_person_must_mend_is_not_tried_again(service: ServiceDrive) -> None:
    """Without a key the command says so with status 78, and systemd leaves it at that."""
    service.manager.path(service.key).unlink()
    done = service.minimaxfs("service", "install", "--profile", service.profile)
    assert done.returncode == 78
    what, advice = done.stderr.splitlines()
    assert what.startswith(f"minimaxfs: {service.unit} is installed, but its drive did not come: ")
    assert f"systemctl --user start {service.unit}" in advice
    assert (service.show("ActiveState"), service.restarts()) == ("failed", 0)
    failed = service.minimaxfs("service", "status", "--profile", service.profile)
    assert f"it ended with exit-code: `journalctl --user -u {service.unit}` says more" in failed.stdout
    errors = [entry["MESSAGE"] for entry in service.manager.journal(service.unit) if entry["PRIORITY"] == "3"]
    assert len(errors) == 2


def test_the_journal_has_priorities(service: ServiceDrive) -> None:
    """A failed read is a warning there, and its text has no sign of how that was told."""
    service.emulator.add_file("voice_clone", "a.wav", b"sound")
    service.install()
    service.emulator.inject(Fault(Operation.RETRIEVE, Kind.CODE, value=1004, times=None))
    assert not service.is_readable(FILE)
    assert eventually(lambda: "EACCES" in service.log())
    told = [entry for entry in service.manager.journal(service.unit) if "EACCES" in entry["MESSAGE"]]
    assert {entry["PRIORITY"] for entry in told} == {"4"}
    assert all(entry["MESSAGE"].startswith("minimaxfs.") for entry in told)
    assert eventually(lambda: "the store refuses the key" in service.show("StatusText"))


def test_the_key_may_be_a_credential(service: ServiceDrive) -> None:
    """A drop-in hands it over, and no key file is named in the configuration."""
    service.configure_without_key()
    service.install(f"LoadCredential=minimax-api-key:{service.key}")
    assert service.manager.run("ls", service / "voice_clone").returncode == 0
    assert service.emulator.log[-1].headers["authorization"] == "Bearer sk-1"


def test_two_profiles_are_two_drives(service: ServiceDrive, other: ServiceDrive) -> None:
    """Each has its own key, mountpoint, state, cache and socket; one goes, and the other stays."""
    other.manager.write(other.key, "sk-other", 0o600)
    service.configure(f'{other.table}key_file = "{other.key}"\n')
    service.emulator.add_file("voice_clone", "a.wav", b"sound")
    for drive in (service, other):
        drive.install()
        assert drive.read(FILE) == "sound"
        for place in (".local/state", ".cache"):
            assert service.manager.path(HOME / place / "minimaxfs" / drive.profile).is_dir()
        assert service.manager.path(RUNTIME / f"minimaxfs/{drive.profile}.sock").is_socket()
    asked = [seen for seen in service.emulator.log if seen.operation == Operation.LIST]
    keys = {seen.headers["authorization"] for seen in asked}
    assert keys == {"Bearer sk-1", "Bearer sk-other"}
    service.minimaxfs("service", "uninstall", "--profile", service.profile)
    assert not service.is_mounted()
    assert service.file_is_there
    assert other.read(FILE) == "sound"


def test_uninstall_leaves_nothing_running(service: ServiceDrive) -> None:
    """The drive goes, and with the last profile the unit."""
    service.install()
    done = service.minimaxfs("service", "uninstall", "--profile", service.profile)
    assert done.returncode == 0, done.stderr
    assert not service.is_mounted()
    assert not service.file_is_there
    assert service.minimaxfs("service", "status", "--profile", service.profile).returncode == 1
    assert service.minimaxfs("service", "uninstall", "--profile", service.profile).returncode == 1
