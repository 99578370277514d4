"""
A proof that one entry is in the log, as a text that verifies offline.

The format is C2SP tlog-proof: the entry's index, the hashes from its leaf to
the root, and the signed checkpoint they lead to, with the cosignatures that it
carries. Whoever verifies it brings the entry, the log's key, and the witnesses
they trust.

    LogError
    └── MalformedProof    not a tlog-proof

What else can be wrong with a proof is said by merkle.py, note.py and checkpoint.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.checkpoint import DECIMAL, MAX_SIZE, OpenedCheckpoint, open_checkpoint
from ledger.merkle import HASH_SIZE, LogError, verify_inclusion
from ledger.note import Verifier, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = MAX_SIZE.bit_length()


class MalformedProof(LogError):
    def __init__(self, detail: str) -> None:
        super().__init__(f"this is not a proof ({HEADER}): {detail}; fetch it again, byte for byte")
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Proof:
    """
    An inclusion proof as it is handed out, not yet verified.

    *checkpoint* is the signed note, byte for byte. Nothing vouches for *extra*;
    empty means that there is none.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_SIZE:
            raise MalformedProof(f"its index is {self.index}, and an index goes from 0 to {MAX_SIZE - 1}")
        if len(self.hashes) > MAX_HASHES or any(len(one) != HASH_SIZE for one in self.hashes):
            raise MalformedProof(f"it takes up to {MAX_HASHES} hashes of {HASH_SIZE} bytes")

    def encoded(self) -> bytes:
        """The proof as it is stored and sent."""
        extra = [f"extra {encode_base64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(encode_base64, self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


def parse_proof(data: bytes) -> Proof:
    """The parts of a proof, none of them verified. Raises `MalformedProof`."""
    head, blank_line, checkpoint = data.partition(b"\n\n")
    if not blank_line or not checkpoint:
        raise MalformedProof("no checkpoint follows its hashes and an empty line")
    try:
        header, *lines = head.decode("ascii").split("\n")
        if header != HEADER:
            raise MalformedProof("it begins with another line")
        extra = _parsed_extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else b""
        index = _parsed_index(lines.pop(0) if lines else "")
        return Proof(index, tuple(map(decode_base64, lines)), checkpoint, extra)
    except UnicodeDecodeError:
        raise MalformedProof("above its checkpoint it is not ASCII") from None
    except ValueError as e:
        raise MalformedProof(f"of one of its lines, {e}") from None


def verify_proof(
    proof: Proof,
    hashed_leaf: bytes,
    origin: str,
    log_keys: Iterable[Verifier],
    witnesses: Iterable[Verifier] = (),
    quorum: int = 0,
) -> OpenedCheckpoint:
    """
    The proof's checkpoint, if it is this log's, signed and cosigned as `open_checkpoint` asks, and the entry with
    this leaf hash is in its tree at the proof's index.

    Raises `LogError`.
    """
    opened = open_checkpoint(proof.checkpoint, origin, log_keys, witnesses, quorum)
    tree = opened.checkpoint
    verify_inclusion(proof.index, tree.size, hashed_leaf, proof.hashes, tree.root)
    return opened


def _parsed_extra(line: str) -> bytes:
    extra = decode_base64(line.removeprefix("extra "))
    if not extra:
        raise MalformedProof("its extra data is empty, and then the line is left out")
    return extra


def _parsed_index(line: str) -> int:
    label, _, number = line.partition(" ")
    if label != "index" or not DECIMAL.fullmatch(number):
        raise MalformedProof("its index is missing, or not decimal digits without leading zeroes")
    return int(number)
