"""How the store stands to us, as far as its last answers show: is it within reach, does it take the key."""

from minimaxfs.core.errors import AccessRefused, FsError, Offline, TimedOut


class Standing:
    """What is known without asking. `offline_since` is in Unix seconds, None while within reach."""

    def __init__(self) -> None:
        self.offline_since: float | None = None
        self.refuses_key = False

    def answered(self) -> None:
        """Something came back, whatever it was."""
        self.offline_since = None

    def silent(self, error: FsError, now: float) -> None:
        """Nothing came back."""
        if isinstance(error, Offline | TimedOut) and self.offline_since is None:
            self.offline_since = now

    def judged(self, error: FsError | None) -> None:
        """The API carried a request out, or refused it; not every refusal comes from a look at the key."""
        if error is None or isinstance(error, AccessRefused):
            self.refuses_key = error is not None

    def forget_key(self) -> None:
        """There is another key, which nobody has judged yet."""
        self.refuses_key = False
