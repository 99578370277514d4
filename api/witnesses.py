"""
The witnesses of the log: each is asked to cosign by a thread of its own.

A witness that is slow, down or lying delays nothing: it is asked again after a
growing pause, and what it does is told by `/metrics` and `lastgood doctor`.
"""

import logging
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Thread
from urllib.parse import urlsplit

from ledger.cosignatures import Cosignatures
from ledger.merkle import LogError
from ledger.note import Signature, cosigned_at, parse_note
from ledger.sealer import Sealed
from ledger.sealing import Sealing
from ledger.witness import NotCosigned, OtherSize, Witness, add_checkpoint, read_answer

PATIENCE_S = 10.0
LEAST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0
LARGEST_ANSWER = 1 << 16

_log = logging.getLogger("witness")


class Asking:
    """
    Asks one witness for cosignatures of each newest checkpoint.

    `size` and `cosigned_at` are of its newest cosignature, `error` why the last
    attempt failed (None: it didn't), `failures` how many did.
    """

    def __init__(
        self, witness: Witness, sealing: Sealing, cosignatures: Cosignatures, pause_s: float = LEAST_PAUSE_S
    ) -> None:
        self.witness = witness
        self.size, self.cosigned_at = 0, 0
        self.failures = 0
        self.error: str | None = None
        self._sealing, self._cosignatures = sealing, cosignatures
        self._least_pause_s = pause_s
        self._last_size = 0
        self._stopping = Event()
        self._connection = _connection(witness.url)
        self._thread = Thread(target=self._run, name=f"witness {witness.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once: a witness is not waited for."""
        self._stopping.set()
        if not self._thread.is_alive():
            self._connection.close()

    def age_s(self) -> float | None:
        """How long ago the newest cosignature was made, as the witness says; None if there is none since the start."""
        return max(0.0, time.time() - self.cosigned_at) if self.cosigned_at else None

    def _run(self) -> None:
        known: Sealed | None = None
        pause_s = self._least_pause_s
        while not self._stopping.is_set():
            sealed = self._sealing.wait_for_other(known, 1.0)
            if sealed is None or sealed is known or sealed.size == 0:
                known = sealed
                self._stopping.wait(self._least_pause_s)
                continue
            try:
                self.ask(sealed)
            except (LogError, OSError, HTTPException) as error:
                self._failed(error)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                known, self.error, pause_s = sealed, None, self._least_pause_s
            self._stopping.wait(pause_s)
        self._connection.close()

    def ask(self, sealed: Sealed) -> None:
        """
        Has this checkpoint cosigned, and keeps the cosignature.

        Raises:
            WitnessError: where the witness refuses.
            OSError, HTTPException: where it can't be reached.
        """
        try:
            signatures = self._cosigned(sealed)
        except OtherSize as other:
            self._last_size = other.size
            signatures = self._cosigned(sealed)
        self._cosignatures.add(parse_note(sealed.note), signatures)
        self.size, self.cosigned_at = sealed.size, max(map(cosigned_at, signatures))
        self._last_size = sealed.size

    def _cosigned(self, sealed: Sealed) -> Sequence[Signature]:
        if self._last_size > sealed.size:
            raise NotCosigned(
                f"{self.witness.name} cosigned {self._last_size} events of this log, which has {sealed.size} now: if "
                "they were not lost on purpose, stop the server and see `lastgood verify`"
            )
        status, body = self._post(add_checkpoint(sealed.note, sealed.tree, self._last_size))
        return read_answer(self.witness, parse_note(sealed.note), status, body)

    def _post(self, body: bytes) -> tuple[int, bytes]:
        reused = self._connection.sock is not None
        try:
            return self._exchange(body)
        except (ConnectionError, HTTPException):
            # A witness may close a kept connection at any moment; that says nothing about the witness.
            if not reused:
                raise
            return self._exchange(body)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        path = urlsplit(self.witness.url).path.rstrip("/") + "/add-checkpoint"
        try:
            self._connection.request("POST", path, body, {"Content-Type": "text/plain", "User-Agent": "lastgood"})
            with self._connection.getresponse() as response:
                return response.status, response.read(LARGEST_ANSWER)
        except BaseException:
            self._connection.close()
            raise

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        told = str(error) or type(error).__name__
        if told != self.error:
            _log.warning("%s did not cosign: %s", self.witness.name, told)
        self.error = told
        # Asked from the beginning, a witness says anew how far it is.
        self._last_size = 0


def _connection(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=PATIENCE_S)
