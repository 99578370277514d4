"""
The ML-DSA-44 form of C2SP tlog-cosignature: what a witness with a post-quantum key signs.

Not the text of a checkpoint but what it says, as bytes: the witness's name,
the time, the log's origin, the tree's size and root. Extension lines are not in
it. Only verified here; a log signs with Ed25519.
"""

import re
from base64 import b64decode, b64encode
from functools import cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

KEY_SIZE, SIGNATURE_SIZE = 1312, 2420

_LABEL = b"subtree/v1\n\0"
_SAYS = re.compile(rb"([^\n]{1,255})\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*")


@cache
def is_supported() -> bool:
    """Whether the installed `cryptography` can verify such a signature."""
    try:
        _key(bytes(KEY_SIZE))
    except (ImportError, UnsupportedAlgorithm):
        return False
    return True


def accepts(public_key: bytes, name: str, time: int, text: bytes, signature: bytes) -> bool:
    """Whether the witness *name* with this key cosigned the checkpoint in this text at this time."""
    message = cosigned_message(name, time, text)
    if message is None:
        return False
    try:
        _key(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def cosigned_message(name: str, time: int, text: bytes) -> bytes | None:
    """What is signed, a `cosigned_message` of the whole tree; None if the text is no checkpoint's."""
    said, witness = _SAYS.fullmatch(text), name.encode()
    if not said or len(witness) > 255 or b64encode(root := b64decode(said[3])) != said[3]:
        return None
    start_and_end = bytes(8) + int(said[2]).to_bytes(8)
    return b"".join((_LABEL, _counted(witness), time.to_bytes(8), _counted(said[1]), start_and_end, root))


def _key(public_key: bytes) -> "MLDSA44PublicKey":
    # Here, since older versions have none, and since the first key takes 10 ms that most calls need not wait for.
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415

    return MLDSA44PublicKey.from_public_bytes(public_key)


def _counted(text: bytes) -> bytes:
    return bytes([len(text)]) + text
