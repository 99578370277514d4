"""Signed notes: what is written is read again, and what was tampered with or malformed is refused."""

import json
import pathlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.merkle import LogError
from ledger.note import (
    COSIGNATURE_V1,
    ED25519,
    MAX_SIGNATURES,
    MalformedKey,
    MalformedNote,
    Note,
    NotSigned,
    Signature,
    Signer,
    Verifier,
    WrongSignature,
    cosigned_at,
    decode_base64,
    encode_base64,
    parse_note,
    parse_signatures,
    signed_note,
    verify_note,
)

VECTORS = pathlib.Path(__file__).parents[2] / "../shared/vectors/ed25519/ed25519_test.json"

TEXT = "ledger.example/prod\n3\nof three lines\n"
LOG = Signer("ledger.example/prod", bytes(range(32)))
OTHER = Signer("other.example", bytes(range(1, 33)))
NOTE = signed_note(TEXT, LOG)
SIGNATURE = NOTE.signatures[0]
LINE = SIGNATURE.line()


class Witness:
    """Cosigns as C2SP tlog-cosignature says, written here apart from the code under test."""

    def __init__(self, name, seed):
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self.key.public_key().public_bytes_raw(), COSIGNATURE_V1)

    def cosigned(self, text, time):
        value = time.to_bytes(8, "big") + self.key.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return Signature(self.verifier.name, self.verifier.key_id, value)


WITNESS = Witness("witness.example/w1", bytes(range(2, 34)))


def verdicts():
    """One case for each Wycheproof vector, or one that is skipped where they are absent."""
    if not VECTORS.exists():
        return [pytest.param(None, None, marks=pytest.mark.skip(reason="the Ed25519 vectors are not here"))]
    groups = json.loads(VECTORS.read_text())["testGroups"]
    return [
        pytest.param(group["publicKey"]["pk"], test, id=f"{test['tcId']}-{test['flags'][0]}")
        for group in groups
        for test in group["tests"]
    ]


@pytest.mark.parametrize("public_key, vector", verdicts())
def test_a_signature_is_judged_as_published(public_key, vector):
    """Wycheproof's Ed25519 cases: malleable, truncated, of low order, wrongly encoded, and good ones."""
    verifier = Verifier("vectors", bytes.fromhex(public_key))
    accepted = verifier.accepts(bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"]))
    assert accepted == (vector["result"] == "valid")


# Keys


def test_keys_are_the_same_again_after_their_text_forms():
    assert Signer.from_skey(LOG.skey()).skey() == LOG.skey()
    assert Verifier.from_vkey(LOG.verifier.vkey()) == LOG.verifier
    assert Verifier.from_vkey(WITNESS.verifier.vkey()) == WITNESS.verifier


def test_the_key_id_binds_the_name_the_type_and_the_key():
    """A key of the same bytes under another name, or for another use, is another key."""
    public_key = LOG.verifier.public_key
    ids = {
        LOG.verifier.key_id,
        Verifier("another.example", public_key, ED25519).key_id,
        Verifier(LOG.verifier.name, public_key, COSIGNATURE_V1).key_id,
        Verifier(LOG.verifier.name, OTHER.verifier.public_key, ED25519).key_id,
    }
    assert len(ids) == 4


def test_a_private_key_does_not_show_itself():
    """Neither a log line nor a traceback may hold what signs."""
    assert LOG.skey().rpartition("+")[2] not in repr(LOG)
    with pytest.raises(MalformedKey) as refused:
        Signer.from_skey(LOG.skey().replace(LOG.verifier.key_id.hex(), "00000000"))
    assert LOG.skey().rpartition("+")[2] not in str(refused.value)


KEY_ID = LOG.verifier.key_id.hex()
MATERIAL = LOG.verifier.vkey().rpartition(KEY_ID + "+")[2]


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        f"{LOG.verifier.name}+{KEY_ID}",
        f"{LOG.verifier.name}+{KEY_ID}+",
        f"+{KEY_ID}+{MATERIAL}",
        f"another name+{KEY_ID}+{MATERIAL}",
        f"another.example+{KEY_ID}+{MATERIAL}",
        f"{LOG.verifier.name}+{KEY_ID.upper()}+{MATERIAL}",
        f"{LOG.verifier.name}+{KEY_ID[:-1]}+{MATERIAL}",
        f"{LOG.verifier.name}+00000000+{MATERIAL}",
        f"{LOG.verifier.name}+{KEY_ID}+{MATERIAL}\n",
        f"{LOG.verifier.name}+{KEY_ID}+{MATERIAL[:-1]}",
        f"{LOG.verifier.name}+{KEY_ID}+{MATERIAL[:-4]}",
        f"{LOG.verifier.name}+{KEY_ID}+{encode_base64(bytes([2]) + LOG.verifier.public_key)}",
        f" {LOG.verifier.vkey()}",
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey):
    with pytest.raises(MalformedKey):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize(
    "skey",
    [
        "",
        LOG.verifier.vkey(),
        LOG.skey().removeprefix("PRIVATE+"),
        LOG.skey().removeprefix("PRIVATE+KEY+"),
        LOG.skey().lower(),
        LOG.skey() + "=",
        LOG.skey().replace(KEY_ID, "00000000"),
        LOG.skey().replace("ledger", "leader"),
        f"PRIVATE+KEY+ledger.example/prod+{KEY_ID}+{encode_base64(bytes([4]) + bytes(range(32)))}",
        f"PRIVATE+KEY+ledger.example/prod+{KEY_ID}+{encode_base64(bytes([1]) + bytes(31))}",
    ],
)
def test_a_malformed_private_key_is_refused(skey):
    with pytest.raises(MalformedKey):
        Signer.from_skey(skey)


@pytest.mark.parametrize("key", [(bytes(31),), (bytes(33),), (bytes(32), 2), (bytes(32), 6)])
def test_a_key_of_another_size_or_type_is_refused(key):
    with pytest.raises(MalformedKey):
        Verifier("name", *key)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u2003b", "a\u0085b", "a\tb", "a\x01b", "a\ud800"])
def test_a_name_that_would_break_a_signature_line_is_refused(name):
    with pytest.raises(MalformedKey):
        Signer(name, bytes(32))
    with pytest.raises(MalformedNote):
        Signature(name, b"abcd", b"signature")


# Notes


def test_a_signed_note_is_read_again_as_it_was_and_verifies():
    note = parse_note(NOTE.encoded())
    assert note == NOTE
    assert verify_note(note, [LOG.verifier]) == {LOG.verifier: SIGNATURE}


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=200))
def test_any_text_that_may_be_in_a_note_survives_it(text):
    """Empty lines and lines that look like signatures are text if another signature block follows."""
    note = signed_note(text + "\n", LOG, OTHER)
    assert parse_note(note.encoded()) == note
    assert list(verify_note(parse_note(note.encoded()), [OTHER.verifier])) == [OTHER.verifier]


def test_a_text_may_hold_what_looks_like_a_signature():
    """The last empty line parts text and signatures, so a note within a note stays text."""
    inner = signed_note(TEXT, OTHER).encoded().decode()
    note = parse_note(signed_note(inner, LOG).encoded())
    assert note.text == inner
    with pytest.raises(NotSigned):
        verify_note(note, [OTHER.verifier])


def test_several_signatures_are_each_verified_and_strangers_ignored():
    note = signed_note(TEXT, LOG, OTHER).joined_by([WITNESS.cosigned(TEXT, 1_700_000_000)])
    read = parse_note(note.encoded())
    assert list(verify_note(read, [WITNESS.verifier, LOG.verifier])) == [LOG.verifier, WITNESS.verifier]


def test_a_stranger_who_shares_only_the_name_or_only_the_id_is_ignored():
    """The pair names the key: specification and rotation both need one name with two keys."""
    stranger = Signature(SIGNATURE.name, b"\0\0\0\0", b"?" * 64)
    namesake = Signature("stranger.example", SIGNATURE.key_id, b"?" * 64)
    note = Note(TEXT, (stranger, namesake, SIGNATURE))
    assert list(verify_note(note, [LOG.verifier])) == [LOG.verifier]
    with pytest.raises(NotSigned):
        verify_note(Note(TEXT, (stranger, namesake)), [LOG.verifier])


def test_a_known_keys_false_signature_spoils_the_whole_note():
    """Also behind a good one: whoever added it wants to be believed."""
    false = Signature(SIGNATURE.name, SIGNATURE.key_id, b"?" * 64)
    other = signed_note(TEXT, OTHER).signatures[0]
    for signatures in ([false], [SIGNATURE, false], [other, false]):
        with pytest.raises(WrongSignature) as refused:
            verify_note(Note(TEXT, tuple(signatures)), [LOG.verifier, OTHER.verifier])
        assert (refused.value.name, refused.value.key_id) == (SIGNATURE.name, SIGNATURE.key_id)


def test_a_note_by_none_of_the_keys_asked_for_says_whose_it_is():
    with pytest.raises(NotSigned, match=r"signed by ledger.example/prod.* and not by other.example") as refused:
        verify_note(NOTE, [OTHER.verifier])
    assert refused.value.found == (f"{LOG.verifier.name}+{KEY_ID}",)
    with pytest.raises(NotSigned, match="none was given"):
        verify_note(NOTE, [])


def test_two_keys_that_go_by_one_name_and_id_are_not_told_apart():
    """A key id has four bytes, so a twin can be made; trusting both is refused rather than trusting the last."""
    twin = Verifier(LOG.verifier.name, OTHER.verifier.public_key)
    object.__setattr__(twin, "key_id", LOG.verifier.key_id)
    with pytest.raises(MalformedKey, match="two keys go by"):
        verify_note(NOTE, [LOG.verifier, twin])
    assert verify_note(NOTE, [LOG.verifier, Verifier.from_vkey(LOG.verifier.vkey())])


def test_a_new_signature_takes_the_place_of_the_older_one_by_the_same_key():
    """A witness that cosigns again is in the note once, with its newest time."""
    note = NOTE.joined_by([WITNESS.cosigned(TEXT, 1)]).joined_by([WITNESS.cosigned(TEXT, 2), *NOTE.signatures])
    assert note.signatures == (SIGNATURE, WITNESS.cosigned(TEXT, 2))


def test_whichever_bit_of_a_note_is_flipped_it_is_not_believed():
    """Every bit of every byte: text, name, key id, signature, and the marks between them."""
    data = NOTE.encoded()
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            with pytest.raises((MalformedNote, NotSigned, WrongSignature)):
                verify_note(parse_note(bytes(flipped)), [LOG.verifier])


SPOILT = {
    "nothing": "",
    "no blank line": TEXT + LINE,
    "no signatures": TEXT + "\n",
    "no text": LINE,
    "no newline at the end": TEXT + "\n" + LINE[:-1],
    "a blank line at the end": TEXT + "\n" + LINE + "\n",
    "a line that is no signature": TEXT + "\n" + LINE + "more\n",
    "a blank line between signatures": TEXT + "\n" + LINE + "\n" + "more\n",
    "a hyphen for the dash": TEXT + "\n" + LINE.replace("—", "-"),
    "no space behind the dash": TEXT + "\n" + LINE.replace("— ", "—"),
    "two spaces behind the dash": TEXT + "\n" + LINE.replace("— ", "—  "),
    "two spaces behind the name": TEXT + "\n" + LINE.replace("prod ", "prod  "),
    "no name": TEXT + "\n" + LINE.replace(LOG.verifier.name, ""),
    "a plus in the name": TEXT + "\n" + LINE.replace("ledger.", "ledger+"),
    "a wide space in the name": TEXT + "\n" + LINE.replace("ledger.", "ledger\u3000"),
    "no signature behind the name": TEXT + "\n" + f"— {LOG.verifier.name}\n",
    "an empty signature": TEXT + "\n" + f"— {LOG.verifier.name} \n",
    "a key id alone": TEXT + "\n" + f"— {LOG.verifier.name} {encode_base64(b'1234')}\n",
    "a space behind the signature": TEXT + "\n" + LINE.replace("\n", " \n"),
    "a carriage return": TEXT + "\n" + LINE.replace("\n", "\r\n"),
    "base64 without its padding": TEXT + "\n" + LINE.replace("=", ""),
    "base64 for addresses": TEXT + "\n" + f"— name {encode_base64(b'1234?>?>').replace('+', '-')}\n",
    "a tab in the text": TEXT.replace(" ", "\t") + "\n" + LINE,
    "a null in the text": TEXT.replace(" ", "\0") + "\n" + LINE,
    "more signatures than anyone needs": TEXT + "\n" + LINE * (MAX_SIGNATURES + 1),
}


@pytest.mark.parametrize("data", SPOILT.values(), ids=SPOILT)
def test_a_malformed_note_is_refused(data):
    with pytest.raises(MalformedNote):
        parse_note(data.encode())


@pytest.mark.parametrize("byte", [b"\xff", b"\xc0\x8a", b"\xed\xa0\x80"])
def test_a_note_that_is_not_utf_8_is_refused(byte):
    with pytest.raises(MalformedNote, match="not UTF-8"):
        parse_note(byte + NOTE.encoded())


@pytest.mark.parametrize("text", ["", "no newline", "a\ttab\n", "a\rreturn\n", "half \ud800 a pair\n"])
def test_a_text_that_no_reader_would_take_is_not_signed(text):
    with pytest.raises(MalformedNote):
        signed_note(text, LOG)
    with pytest.raises(MalformedNote):
        Note(text, (SIGNATURE,)).encoded()


def test_a_note_without_signatures_is_not_written():
    with pytest.raises(MalformedNote, match="it has 0 signatures"):
        Note(TEXT, ()).encoded()


def test_as_many_signatures_are_read_as_a_reader_must_take():
    """At least sixteen, says the specification."""
    note = signed_note(TEXT, *(Signer(f"key{number}.example", bytes([number]) * 32) for number in range(16)))
    assert len(parse_note(note.encoded()).signatures) == 16


@given(st.binary(max_size=80))
def test_base64_has_one_spelling(data):
    assert decode_base64(encode_base64(data)) == data


@pytest.mark.parametrize("text", ["AB==", "AAB=", "AA", "AA=", "AA==\n", " AA==", "A-==", "AA==AA==", "ÄA=="])
def test_any_other_spelling_of_base64_is_refused(text):
    with pytest.raises(ValueError, match="base64"):
        decode_base64(text)


# Cosignatures


def test_a_cosignature_verifies_and_says_when_it_was_made():
    cosignature = WITNESS.cosigned(TEXT, 1_700_000_000)
    read = parse_note(NOTE.joined_by([cosignature]).encoded())
    assert verify_note(read, [WITNESS.verifier]) == {WITNESS.verifier: cosignature}
    assert cosigned_at(cosignature) == 1_700_000_000


def test_a_witness_answer_is_read_as_signature_lines():
    """The answer to add-checkpoint is such lines, without a note around them."""
    lines = [WITNESS.cosigned(TEXT, 1), SIGNATURE]
    assert parse_signatures("".join(one.line() for one in lines)) == tuple(lines)
    for spoilt in ("", "\n", LINE[:-1], LINE + "\n"):
        with pytest.raises(MalformedNote):
            parse_signatures(spoilt)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: (int.from_bytes(value[:8]) + 1).to_bytes(8) + value[8:],
        lambda value: value[:-1],
        lambda value: value + b"\0",
        lambda value: value[8:],
        lambda value: b"\xff" + value[1:],
    ],
    ids=["another time", "cut", "longer", "without its time", "after the end of time"],
)
def test_a_spoilt_cosignature_is_refused(spoil):
    good = WITNESS.cosigned(TEXT, 1_700_000_000)
    with pytest.raises(WrongSignature):
        verify_note(NOTE.joined_by([Signature(good.name, good.key_id, spoil(good.value))]), [WITNESS.verifier])


def test_a_time_that_no_clock_shows_is_refused():
    """A cosignature's seconds go up to 2^63 - 1, even where the witness itself signed for more."""
    late = WITNESS.cosigned(TEXT, 2**63)
    with pytest.raises(WrongSignature):
        verify_note(NOTE.joined_by([late]), [WITNESS.verifier])
    with pytest.raises(MalformedNote):
        cosigned_at(late)
    with pytest.raises(MalformedNote):
        cosigned_at(SIGNATURE)


def test_a_plain_signature_does_not_pass_for_a_cosignature():
    """The text of each is signed behind a line of its own, so one can't be moved to stand for the other."""
    as_log = Verifier("witness.example/w1", WITNESS.verifier.public_key, ED25519)
    cosignature = WITNESS.cosigned(TEXT, 1)
    moved = Signature(as_log.name, as_log.key_id, cosignature.value[8:])
    with pytest.raises(WrongSignature):
        verify_note(Note(TEXT, (moved,)), [as_log])


def test_each_error_says_what_is_so_and_what_to_do():
    with pytest.raises(MalformedNote, match=r"not a signed note: no blank line .* fetch it again, byte for byte"):
        parse_note(b"text\n")
    with pytest.raises(MalformedKey, match=r"not a key: it says key id 00000000, .* copy it whole"):
        Verifier.from_vkey(f"{LOG.verifier.name}+00000000+{MATERIAL}")
    with pytest.raises(WrongSignature, match="believe nothing of it") as refused:
        verify_note(Note("another text\n", NOTE.signatures), [LOG.verifier])
    assert isinstance(refused.value, LogError)
