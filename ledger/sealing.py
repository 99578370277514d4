"""
The thread that seals: about once a second, and soon when somebody waits for it.

Nobody who appends waits for it unless they ask for a receipt with proof. Where
a turn fails, the next one tries again, and what is published stays; where the
record is not the one that was signed, it stops for good.
"""

import logging
from threading import Condition, Thread

from ledger.sealer import Sealed, Sealer, Unverified

INTERVAL_S = 1.0
GATHER_S = 0.02
"""How long one who waits lets others gather, so that they share a signature and a trip to the disk."""

_log = logging.getLogger("sealing")


class Sealing:
    """`sealed` is what is published; `trouble` why nothing may be appended; `failure` what went wrong last, if it did."""

    def __init__(self, sealer: Sealer, interval_s: float = INTERVAL_S, gather_s: float = GATHER_S) -> None:
        self._sealer = sealer
        self._interval_s, self._gather_s = interval_s, gather_s
        self._changed = Condition()
        self._wanted = 0
        self._stopping = False
        self._thread = Thread(target=self._run, name="sealing", daemon=True)
        self.trouble: Unverified | None = None
        self.failure: Exception | None = None

    @property
    def sealed(self) -> Sealed | None:
        return self._sealer.sealed

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        """Takes one turn, so that trouble is known before anything is appended; the thread takes the others."""
        self._turn()
        self._thread.start()

    def stop(self) -> None:
        """Seals what was recorded, if it can, and ends. Nobody waits any longer."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        if self.trouble is None:
            self._turn()
        self._sealer.close()

    def wait(self, position: int, timeout_s: float) -> Sealed | None:
        """The published checkpoint that has the event of this position, as soon as there is one; None after the timeout."""
        with self._changed:
            self._wanted = max(self._wanted, position)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_sealed(position) or self._ended, timeout_s)
            return self.sealed if self._is_sealed(position) else None

    def wait_for_other(self, known: Sealed | None, timeout_s: float) -> Sealed | None:
        """What is published, as soon as it is something else than *known*, at the latest after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self.sealed is not known or self._ended, timeout_s)
            return self.sealed

    @property
    def _ended(self) -> bool:
        return self._stopping or self.trouble is not None

    def _is_sealed(self, position: int) -> bool:
        return self.sealed is not None and self.sealed.size >= position

    def _run(self) -> None:
        while not self._ended:
            with self._changed:
                if self._changed.wait_for(self._is_awaited, self._interval_s):
                    self._changed.wait_for(lambda: self._stopping, self._gather_s)
                wanted = self._wanted
            self._turn()
            with self._changed:
                # Sealed now, or not to be had by trying at once again.
                self._wanted = 0 if self._wanted == wanted else self._wanted

    def _is_awaited(self) -> bool:
        return self._ended or (self._wanted > 0 and not self._is_sealed(self._wanted))

    def _turn(self) -> None:
        failure = None
        try:
            self._sealer.turn()
        except Unverified as error:
            _log.critical("%s", error)
            self.trouble = error
        except Exception as error:  # noqa: BLE001 - told by `failure`, the log and readiness; sealing itself goes on
            if str(error) != str(self.failure):
                _log.exception("sealing failed; it is tried again every second")
            failure = error
        self.failure = failure
        with self._changed:
            self._changed.notify_all()
