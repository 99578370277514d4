"""Looking for words in bytes where nobody meant them to be."""

import base64


def holds(content: bytes, words: str) -> bool:
    """Whether the words are in there, as they are or within base64, as disclosures have them."""
    whole = words.encode()
    # Base64 of a text depends on where in a group of three bytes it begins; its edges depend on its neighbours.
    wanted = {whole, *(base64.urlsafe_b64encode(whole[skip:])[: len(whole) - 6] for skip in range(3))}
    return any(each in content for each in wanted)
