"""
A small witness that is one: C2SP tlog-witness' add-checkpoint over HTTP, on a free port of this machine.

It cosigns what extends what it cosigned last, and refuses a fork and a
rollback. `down` makes it answer 503, `stalled` makes it never answer, `lying`
makes it sign with another key than its own.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle import EMPTY_ROOT, MerkleError, verify_consistency
from ledger.note import (
    COSIGNATURE_V1,
    Note,
    NoteError,
    Signature,
    Signer,
    Verifier,
    decode_base64,
    parse_note,
    verify_note,
)

_BODY = re.compile(rb"old (0|[1-9][0-9]*)\n((?:[^\n]+\n){0,63})\n(.+)", re.DOTALL)


class Refused(Exception):
    def __init__(self, status: int, body: bytes = b"", content_type: str = "text/plain") -> None:
        self.status, self.body, self.content_type = status, body, content_type


class Witness:
    def __init__(self, name: str = "witness.example/w1", seed: bytes = bytes(range(32))) -> None:
        self._signer = Signer(name, seed)
        self.key = Verifier(name, self._signer.verifier.public_key, COSIGNATURE_V1)
        self.logs: dict[str, Sequence[Verifier]] = {}
        """The keys of each log that it watches, by its name."""
        self.cosigned: dict[str, Checkpoint] = {}
        self.asked: list[bytes] = []
        self.down, self.stalled, self.lying = False, Event(), False
        self.url = ""
        self._lock = Lock()

    def answer(self, body: bytes) -> bytes:
        """The cosignature line. Raises `Refused`."""
        if self.down:
            raise Refused(503)
        found = _BODY.fullmatch(body)
        if not found:
            raise Refused(400)
        old_size, lines, note = int(found[1]), found[2].decode().splitlines(), parse_note(found[3])
        checkpoint = parse_checkpoint(note.text)
        if checkpoint.origin not in self.logs:
            raise Refused(404)
        try:
            verify_note(note, self.logs[checkpoint.origin])
        except NoteError:
            raise Refused(403) from None
        with self._lock:
            self._check(checkpoint, old_size, list(map(decode_base64, lines)))
            self.cosigned[checkpoint.origin] = checkpoint
        return self._cosignature(note).line().encode()

    def _check(self, checkpoint: Checkpoint, old_size: int, proof: list[bytes]) -> None:
        if old_size > checkpoint.size:
            raise Refused(400)
        last = self.cosigned.get(checkpoint.origin, Checkpoint(checkpoint.origin, 0, EMPTY_ROOT))
        if old_size != last.size:
            raise Refused(409, b"%d\n" % last.size, "text/x.tlog.size")
        if old_size == 0:
            if proof:
                raise Refused(422)
            return
        try:
            verify_consistency(old_size, checkpoint.size, last.root, checkpoint.root, proof)
        except MerkleError:
            raise Refused(422) from None

    def _cosignature(self, note: Note) -> Signature:
        signer = Signer(self.key.name, bytes(32)) if self.lying else self._signer
        now = int(time.time())
        value = signer.signature(f"cosignature/v1\ntime {now}\n{note.text}").value
        return Signature(self.key.name, self.key.key_id, now.to_bytes(8) + value)

    @contextmanager
    def running(self) -> Iterator["Witness"]:
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                witness.asked.append(body)
                if witness.stalled.is_set():
                    self.close_connection = True
                    time.sleep(3)
                    return
                try:
                    assert self.path == "/add-checkpoint"
                    status, content_type, content = 200, "text/plain", witness.answer(body)
                except Refused as refused:
                    status, content_type, content = refused.status, refused.content_type, refused.body
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            yield self
            server.shutdown()
            thread.join()
