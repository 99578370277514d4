"""
Signed notes: a text and the signatures of one or more keys over it.

The formats are C2SP signed-note and, for witnesses, tlog-cosignature. Nothing of a note may be believed before `verify_note`
returned; `parse_note` only takes it apart. Malformed input is refused, never
mended, and base64 is accepted in its one canonical form, so that one note has
one spelling.

    LogError
    └── NoteError
        ├── MalformedNote    not a signed note
        ├── MalformedKey     not a key, or a key under a false id
        ├── WrongSignature   made in the name of a known key, but not by it
        └── NotSigned        by none of the keys asked for
"""

import base64
import binascii
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger import mldsa
from ledger.merkle import LogError

ED25519 = 0x01
"""Signature type of a log's or any plain key: Ed25519 over the text."""
COSIGNATURE_V1 = 0x04
"""Signature type of a witness: Ed25519 over a time and the text of a checkpoint."""
COSIGNATURE_ML_DSA = 0x06
"""Signature type of a witness: ML-DSA-44 over a time and what a checkpoint says."""
COSIGNATURES = (COSIGNATURE_V1, COSIGNATURE_ML_DSA)

MAX_SIGNATURES = 100
"""More in one note are refused; the specification asks that 16 be taken."""

_KEY_ID_SIZE = 4
_KEY_SIZE = 32
_SIGNATURE_SIZE = 64
_KEY_SIZES = {ED25519: _KEY_SIZE, COSIGNATURE_V1: _KEY_SIZE, COSIGNATURE_ML_DSA: mldsa.KEY_SIZE}
_COSIGNATURE_SIZES = {COSIGNATURE_V1: 8 + _SIGNATURE_SIZE, COSIGNATURE_ML_DSA: 8 + mldsa.SIGNATURE_SIZE}
_LAST_TIME = 2**63 - 1
_MARK = "— "
_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_KEY_ID = re.compile("[0-9a-f]{8}")


class NoteError(LogError):
    """A note or a key that can't be relied on."""


class MalformedNote(NoteError):
    def __init__(self, detail: str) -> None:
        super().__init__(f"this is not a signed note: {detail}; fetch it again, byte for byte")
        self.detail = detail


class MalformedKey(NoteError):
    def __init__(self, detail: str) -> None:
        super().__init__(f"this is not a key: {detail}; copy it whole from where it was published")
        self.detail = detail


class WrongSignature(NoteError):
    def __init__(self, name: str, key_id: bytes) -> None:
        super().__init__(
            f"the signature by {name}+{key_id.hex()} is not that key's over this text: "
            "the text or the signature was changed; believe nothing of it"
        )
        self.name, self.key_id = name, key_id


class NotSigned(NoteError):
    def __init__(self, wanted: tuple[str, ...], found: tuple[str, ...]) -> None:
        super().__init__(
            f"signed by {', '.join(found)}, and not by {' or '.join(wanted) or 'any key at all, for none was given'}: "
            "check whose note it is, and which keys you trust"
        )
        self.wanted, self.found = wanted, found


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and the bytes that prove it or not."""

    name: str
    key_id: bytes
    value: bytes

    def __post_init__(self) -> None:
        _check_name(self.name, MalformedNote)
        if len(self.key_id) != _KEY_ID_SIZE or not self.value:
            raise MalformedNote(f"the signature by {self.name} is too short for a key id and a signature")

    def line(self) -> str:
        return f"{_MARK}{self.name} {encode_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures in their order; not yet verified."""

    text: str
    signatures: tuple[Signature, ...]

    def encoded(self) -> bytes:
        """The note as it is stored and sent. Raises `MalformedNote` if nobody could read it."""
        _check_text(self.text)
        _check_count(len(self.signatures))
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()

    def joined_by(self, signatures: Iterable[Signature]) -> "Note":
        """The note with these signatures too, each in the place of an older one by the same key."""
        kept = {(signature.name, signature.key_id): signature for signature in (*self.signatures, *signatures)}
        return replace(self, signatures=tuple(kept.values()))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name: it tells whether a signature is that key's."""

    name: str
    public_key: bytes
    algorithm: int = ED25519
    key_id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_name(self.name, MalformedKey)
        if (size := _KEY_SIZES.get(self.algorithm)) is None:
            raise MalformedKey(
                f"it is of type {self.algorithm:#04x}; 0x01, 0x04 (Ed25519) and 0x06 (ML-DSA-44) are verified here"
            )
        if len(self.public_key) != size:
            raise MalformedKey(f"a public key of its type has {size} bytes, this has {len(self.public_key)}")
        if self.algorithm == COSIGNATURE_ML_DSA and not mldsa.is_supported():
            raise MalformedKey("it is an ML-DSA-44 key, for which a newer version of `cryptography` is needed")
        object.__setattr__(self, "key_id", _key_id(self.name, self.algorithm, self.public_key))

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """The verifier that this vkey stands for. Raises `MalformedKey`, also when its key id is not the key's."""
        name, key_id, material = _key_parts(vkey)
        verifier = cls(name, material[1:], material[0])
        _check_key_id(key_id, verifier.key_id)
        return verifier

    def vkey(self) -> str:
        """The key as text: name, key id and base64 of type and key, joined by `+`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.algorithm]) + self.public_key)}"

    def accepts(self, text: bytes, signature: bytes) -> bool:
        """Whether this is the key's signature over the text, for a witness' key with its time in front."""
        if self.algorithm == ED25519:
            return _is_ed25519(self.public_key, text, signature)
        if len(signature) != _COSIGNATURE_SIZES[self.algorithm] or (time := _time(signature)) > _LAST_TIME:
            return False
        if self.algorithm == COSIGNATURE_ML_DSA:
            return mldsa.accepts(self.public_key, self.name, time, text, signature[8:])
        return _is_ed25519(self.public_key, b"cosignature/v1\ntime %d\n%b" % (time, text), signature[8:])


def _is_ed25519(public_key: bytes, text: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except InvalidSignature:
        return False
    return True


class Signer:
    """
    A private key under a name. Keep its skey where only the log can read it.

    `verifier` is its public half.
    """

    __slots__ = ("_key", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != _KEY_SIZE:
            raise MalformedKey(f"an Ed25519 seed has {_KEY_SIZE} bytes, this has {len(seed)}")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def from_skey(cls, skey: str) -> Self:
        """The signer that this skey stands for. Raises `MalformedKey`, whose words never show the key."""
        if not skey.startswith("PRIVATE+KEY+"):
            raise MalformedKey("a private key begins with PRIVATE+KEY+")
        name, key_id, material = _key_parts(skey.removeprefix("PRIVATE+KEY+"))
        if material[0] != ED25519:
            raise MalformedKey(f"it is of type {material[0]:#04x}; only 0x01 (Ed25519) signs here")
        signer = cls(name, material[1:])
        _check_key_id(key_id, signer.verifier.key_id)
        return signer

    def skey(self) -> str:
        """The private key as text, in the form that Go's `note.NewSigner` reads."""
        material = bytes([ED25519]) + self._key.private_bytes_raw()
        return f"PRIVATE+KEY+{self.verifier.name}+{self.verifier.key_id.hex()}+{encode_base64(material)}"

    def signature(self, text: str) -> Signature:
        return Signature(self.verifier.name, self.verifier.key_id, self._key.sign(text.encode()))


def signed_note(text: str, *signers: Signer) -> Note:
    """The text signed by each of these. Raises `MalformedNote` if it can't be a note's text."""
    _check_text(text)
    return Note(text, tuple(signer.signature(text) for signer in signers))


def parse_note(data: bytes) -> Note:
    """The parts of a signed note, none of them verified. Raises `MalformedNote`."""
    try:
        whole = data.decode()
    except UnicodeDecodeError as e:
        raise MalformedNote(f"byte {e.start} is not UTF-8") from None
    text, blank_line, lines = whole.rpartition("\n\n")
    if not blank_line:
        raise MalformedNote("no blank line parts the text from its signatures")
    text += "\n"
    _check_text(text)
    return Note(text, parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """One or more signature lines, as below a note or in a witness' answer. Raises `MalformedNote`."""
    if not lines.endswith("\n"):
        raise MalformedNote("its last line is not a signature that ends in a newline")
    separate = lines[:-1].split("\n")
    _check_count(len(separate))
    return tuple(_parsed_signature(line) for line in separate)


def verify_note(note: Note, verifiers: Iterable[Verifier]) -> dict[Verifier, Signature]:
    """
    The verifiers whose keys signed this note, each with its signature (the last, if it signed more than once).

    Signatures by other keys are ignored, as they must be. Raises
    `WrongSignature` if a known key's name and id stand on a signature it did
    not make, and `NotSigned` if none of these keys signed.
    """
    known = _by_identity(verifiers)
    text = note.text.encode()
    found = {}
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.accepts(text, signature.value):
            raise WrongSignature(signature.name, signature.key_id)
        found[verifier] = signature
    if not found:
        raise NotSigned(_labels(known), _labels((each.name, each.key_id) for each in note.signatures))
    return found


def cosigned_at(signature: Signature) -> int:
    """When a witness made its cosignature, in seconds since 1970-01-01T00:00:00Z; as it claims."""
    if len(signature.value) not in _COSIGNATURE_SIZES.values():
        sizes = " or ".join(map(str, _COSIGNATURE_SIZES.values()))
        raise MalformedNote(f"a cosignature has {sizes} bytes, this has {len(signature.value)}")
    if (time := _time(signature.value)) > _LAST_TIME:
        raise MalformedNote(f"a cosignature is of second {time}, past the last that one can have")
    return time


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """
    The bytes of canonical base64 (RFC 4648, section 4).

    Raises `ValueError` for all else, and so for what Python lets pass: set bits
    behind the last byte, which would give one hash many spellings.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("it is not base64") from None
    if encode_base64(data) != text:
        raise ValueError("it is not canonical base64")
    return data


def _by_identity(verifiers: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            # Four bytes of key id are soon found again, so one of the two was made to be mistaken for the other.
            raise MalformedKey(f"two keys go by {verifier.name}+{verifier.key_id.hex()}")
    return known


def _time(signature: bytes) -> int:
    (time,) = struct.unpack_from(">Q", signature)
    return int(time)


def _key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public_key).digest()[:_KEY_ID_SIZE]


def _key_parts(text: str) -> tuple[str, bytes, bytes]:
    """Name, key id and material (type and key) of a vkey, or of an skey without its `PRIVATE+KEY+`."""
    name, _, rest = text.partition("+")
    key_id, _, material = rest.partition("+")
    if not _KEY_ID.fullmatch(key_id):
        raise MalformedKey("its key id is not 8 lower-case hex digits")
    try:
        decoded = decode_base64(material)
    except ValueError as e:
        raise MalformedKey(f"of its last part, {e}") from None
    if not decoded:
        raise MalformedKey("its last part is empty")
    return name, bytes.fromhex(key_id), decoded


def _parsed_signature(line: str) -> Signature:
    if not line.startswith(_MARK):
        raise MalformedNote("below its last blank line a line is not a signature")
    name, _, value = line.removeprefix(_MARK).partition(" ")
    try:
        decoded = decode_base64(value)
    except ValueError as e:
        raise MalformedNote(f"of the signature by {name!r}, {e}") from None
    return Signature(name, decoded[:_KEY_ID_SIZE], decoded[_KEY_ID_SIZE:])


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise MalformedNote("its text does not end in a newline")
    if found := _FORBIDDEN.search(text):
        raise MalformedNote(f"its text holds U+{ord(found[0]):04X}, a control character or half a surrogate pair")


def _check_count(signatures: int) -> None:
    if not 0 < signatures <= MAX_SIGNATURES:
        raise MalformedNote(f"it has {signatures} signatures, and it takes 1 to {MAX_SIGNATURES}")


def _check_name(name: str, error: type[MalformedNote] | type[MalformedKey]) -> None:
    if not name or "+" in name or _FORBIDDEN.search(name) or any(one.isspace() for one in name):
        raise error(f"{name!r} is not a key name: it takes characters, and no space and no plus")


def _check_key_id(claimed: bytes, computed: bytes) -> None:
    if claimed != computed:
        raise MalformedKey(f"it says key id {claimed.hex()}, but name and key give {computed.hex()}")


def _labels(keys: Iterable[tuple[str, bytes]]) -> tuple[str, ...]:
    return tuple(f"{name}+{key_id.hex()}" for name, key_id in keys)
