"""The simulator's clock: real time plus an offset, or frozen; it survives a restart."""

import time

from stripe_simulator.store import Store


class Clock:
    """Answers whole seconds since 1970, like every time that Stripe sends."""

    def __init__(self, store: Store) -> None:
        self._store = store
        kept = store.setting("clock", {})
        self._offset: float = kept.get("offset", 0)
        self._frozen: int | None = kept.get("frozen")

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    def now(self) -> int:
        """The simulator's present."""
        return self._frozen if self._frozen is not None else int(time.time() + self._offset)

    def advance(self, seconds: float) -> None:
        """Move on (or back, when negative)."""
        self.set(self.now() + int(seconds))

    def set(self, now: int) -> None:
        """Jump to a moment; a frozen clock stays frozen there."""
        if self._frozen is not None:
            self._frozen = now
        else:
            self._offset = now - int(time.time())
        self._keep()

    def freeze(self) -> None:
        """Stand still from now on."""
        self._frozen = self.now()
        self._keep()

    def run(self) -> None:
        """Go on from where the clock stands."""
        if self._frozen is not None:
            self._offset, self._frozen = self._frozen - int(time.time()), None
        self._keep()

    def reset(self) -> None:
        """Back to real time."""
        self._offset, self._frozen = 0, None
        self._keep()

    def _keep(self) -> None:
        self._store.set_setting("clock", {"offset": self._offset, "frozen": self._frozen})
