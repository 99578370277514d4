"""Tiles and bundles: their names, their bytes, and the proofs that are read from them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.merkle import (
    EMPTY_ROOT,
    CompactRange,
    OutsideTree,
    RootMismatch,
    Span,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.tiles import (
    MAX_ENTRY_SIZE,
    Bundle,
    EntryTooLong,
    MalformedBundle,
    MalformedPath,
    MalformedTile,
    NoSuchTile,
    Tile,
    TiledTree,
    TileError,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    extended_tiles,
    new_bundles,
    new_tiles,
    parse_path,
    tile_at,
)
from tests.ledger.merkle_reference import ReferenceTree

LEAVES = [b"%d" % number for number in range(70_000)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
REFERENCE = ReferenceTree(LEAVES)

sizes = st.integers(1, len(LEAVES)) | st.sampled_from([255, 256, 257, 65_535, 65_536, 65_537])
unhurried = settings(deadline=None)


def defined_tile(tile):
    """The bytes of a tile, hash by hash as the specification defines them."""
    span = 256**tile.level
    starts = (span * (256 * tile.index + place) for place in range(tile.width))
    return b"".join(REFERENCE.root(start, start + span) for start in starts)


def no_tile(tile):
    raise AssertionError(tile)


# Names


@pytest.mark.parametrize(
    "named, path",
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999, 1), "tile/0/999.p/1"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(4, 1_234_067), "tile/4/x001/x234/067"),
        (Tile(63, 1_234_067, 8), "tile/63/x001/x234/067.p/8"),
        (Bundle(0, 255), "tile/entries/000.p/255"),
        (Bundle(1_234_067), "tile/entries/x001/x234/067"),
    ],
)
def test_a_path_is_written_as_the_specification_has_it(named, path):
    """Groups of three digits, all but the last with an x; the width only if it is partial."""
    assert named.path == path
    assert parse_path(path) == named


@given(st.integers(0, 63), st.integers(0, 10**20), st.integers(1, 256))
def test_any_tile_or_bundle_is_found_by_its_path(level, index, width):
    for named in (Tile(level, index, width), Bundle(index, width)):
        assert parse_path(named.path) == named


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/0/x000/001",
        "tile/0/x01/000",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/8/0/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000p/1",
        "tile/0/000/1",
        "tile/0/000.p/1/",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/entries/x001",
        "tile/entries/000.p/256",
        "tile/0/" + "x999/" * 2000 + "999",
    ],
)
def test_any_other_path_is_refused(path):
    """One tile has one path, so that what is cached under it is cached once."""
    with pytest.raises(MalformedPath) as refused:
        parse_path(path)
    assert refused.value.path == path
    assert isinstance(refused.value, TileError)


@pytest.mark.parametrize("place", [(-1, 0), (64, 0), (0, -1), (0, 0, 0), (0, 0, 257)])
def test_a_tile_that_cannot_be_is_not_made(place):
    with pytest.raises(NoSuchTile):
        Tile(*place)


@pytest.mark.parametrize("place", [(-1,), (0, 0), (0, 257)])
def test_a_bundle_that_cannot_be_is_not_made(place):
    with pytest.raises(NoSuchTile):
        Bundle(*place)


def test_a_tile_knows_its_leaves():
    """A tree has a tile if it has all the leaves under it."""
    assert Tile(0, 2, 3).leaves == Span(512, 515)
    assert Tile(1, 0, 2).leaves == Span(0, 512)
    assert Tile(1, 1).leaves == Span(65_536, 131_072)
    assert Bundle(2, 3).leaves == Span(512, 515)


# What a size publishes


def test_a_tree_of_70_000_leaves_publishes_the_specifications_example():
    """273 full tiles and one of 112 hashes; above them a full one and one of 17; on top one of 1."""
    found = list(new_tiles(0, 70_000))
    assert found[:273] == [Tile(0, index) for index in range(273)]
    assert found[273:] == [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(new_tiles(0, 256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(new_tiles(0, 0)) == []


@given(st.integers(0, 300_000), st.integers(0, 300_000))
def test_a_size_publishes_what_the_specification_counts(old_size, growth):
    """Level by level floor(size / 256^level) hashes, and of a larger tree just the tiles that the older has not."""
    size = old_size + growth
    new = list(new_tiles(old_size, size))
    for level in range(4):
        row = [tile for tile in new_tiles(0, size) if tile.level == level]
        assert sum(tile.width for tile in row) == size // 256**level
        assert all(tile.width == 256 for tile in row[:-1])
    assert set(new) == set(new_tiles(0, size)) - set(new_tiles(0, old_size))
    assert [bundle.leaves for bundle in new_bundles(old_size, size)] == [t.leaves for t in new if t.level == 0]


def test_a_tile_is_as_wide_as_the_tree_has_it():
    assert [tile_at(tile.level, tile.index, 70_000) for tile in new_tiles(0, 70_000)] == list(new_tiles(0, 70_000))
    for level, index, size in ((0, 1, 256), (1, 0, 255), (2, 1, 70_000), (0, 0, 0)):
        with pytest.raises(NoSuchTile):
            tile_at(level, index, size)


# Bytes


def test_hashes_are_the_same_again_after_they_were_a_tile():
    tile = Tile(0, 0, 3)
    data = encode_tile(tile, HASHES[:3])
    assert data == b"".join(HASHES[:3])
    assert decode_tile(tile, data) == HASHES[:3]
    assert len(encode_tile(Tile(0, 0), HASHES[:256])) == 8192


def test_a_tile_of_another_width_than_its_name_is_refused():
    tile = Tile(0, 0, 3)
    for data in (b"", bytes(64), bytes(95), bytes(97), bytes(128)):
        with pytest.raises(MalformedTile, match=r"tile/0/000.p/3 has \d+ bytes, not 96: read it again"):
            decode_tile(tile, data)
    with pytest.raises(MalformedTile):
        encode_tile(tile, HASHES[:2])


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_entries_are_the_same_again_after_they_were_a_bundle(entries):
    bundle = Bundle(7, len(entries))
    assert decode_bundle(bundle, encode_bundle(bundle, entries)) == entries


def test_a_bundle_is_written_as_the_specification_has_it():
    """Each entry behind its length in two bytes, the high one first."""
    assert encode_bundle(Bundle(0, 3), [b"abc", b"", bytes(258)]) == b"\0\3abc" + b"\0\0" + b"\1\2" + bytes(258)


def test_an_entry_is_as_long_as_sixteen_bits_can_say_and_no_longer():
    longest = bytes(MAX_ENTRY_SIZE)
    assert decode_bundle(Bundle(0, 1), encode_bundle(Bundle(0, 1), [longest])) == [longest]
    with pytest.raises(EntryTooLong) as refused:
        encode_bundle(Bundle(0, 1), [longest + b"\0"])
    assert refused.value.size == 65_536


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\1a\0", b"\0\1a\0\2b", b"\0\1a", b"\0\1a\0\1b\0\0", b"\0\1a\0\1b\0"], ids=repr
)
def test_a_bundle_that_is_not_whole_is_refused(data):
    """Cut, longer, or of fewer or more entries than its name says."""
    with pytest.raises(MalformedBundle, match=r"tile/entries/000\.p/2"):
        decode_bundle(Bundle(0, 2), data)
    with pytest.raises(MalformedBundle):
        encode_bundle(Bundle(0, 2), [b"one"])


# Building


def test_tiles_are_built_as_they_are_defined():
    built = dict(extended_tiles(0, HASHES, no_tile))
    assert set(built) == set(new_tiles(0, len(HASHES)))
    assert all(data == defined_tile(tile) for tile, data in built.items())


@unhurried
@given(st.lists(st.integers(0, 1500) | st.sampled_from([1, 255, 256, 257]), max_size=6), st.integers(0, 66_000))
def test_tiles_grow_as_the_tree_does(steps, start):
    """From any size on, just the tiles that are new, whatever the steps; of the old ones only partial ones are read."""
    size = start
    for count in steps:
        added = HASHES[size : size + count]
        built = list(extended_tiles(size, iter(added), partial_tile))
        assert sorted(tile.path for tile, _ in built) == sorted(t.path for t in new_tiles(size, size + len(added)))
        assert all(data == defined_tile(tile) for tile, data in built)
        size += len(added)


def partial_tile(tile):
    assert tile.width < 256
    return defined_tile(tile)


# Proofs


@unhurried
@given(st.data())
def test_a_proof_read_from_tiles_is_the_proof_from_the_hashes(data):
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(1, size))
    tree = TiledTree(size, defined_tile)
    assert tree.root() == REFERENCE.root(0, size)
    assert tree.leaf_hash(index) == HASHES[index]
    assert tree.inclusion_proof(index) == REFERENCE.path(index, 0, size)
    assert tree.consistency_proof(old_size) == REFERENCE.proof(old_size, size)


@unhurried
@given(sizes, st.integers(0, 600))
def test_hashing_goes_on_where_the_tiles_end(size, count):
    """What a start needs of an old log: not its leaves, only its right edge."""
    kept = TiledTree(size, defined_tile).compact_range()
    added = HASHES[size : size + count]
    assert kept.root() == REFERENCE.root(0, size)
    assert kept.extended(added).root() == REFERENCE.root(0, size + len(added))


def test_the_empty_tree_is_read_from_no_tiles():
    assert TiledTree(0, no_tile).root() == EMPTY_ROOT
    with pytest.raises(OutsideTree):
        TiledTree(0, no_tile).inclusion_proof(0)


@given(st.data())
def test_a_proof_reads_two_tiles_a_level_at_most(data):
    """A tree of trillions of equal leaves: the reads grow with its levels, not with its leaves."""
    size = data.draw(st.integers(1, 2**42))
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(1, size))
    equal = [HASHES[0]]
    while len(equal) < 64:
        equal.append(node_hash(equal[-1], equal[-1]))
    whole, older = (equal_root(equal, one) for one in (size, old_size))
    reads = []

    def read_tile(tile):
        reads.append(tile)
        assert tile.leaves.end <= size
        return equal[8 * tile.level] * tile.width

    verify_inclusion(index, size, equal[0], TiledTree(size, read_tile).inclusion_proof(index), whole)
    levels = -(-size.bit_length() // 8)
    assert len(reads) <= 2 * levels
    reads.clear()
    verify_consistency(old_size, size, older, whole, TiledTree(size, read_tile).consistency_proof(old_size))
    assert len(reads) <= 2 * levels


def equal_root(equal, size):
    levels = [level for level in range(size.bit_length()) if size >> level & 1]
    return CompactRange(size, tuple(equal[level] for level in reversed(levels))).root()


def test_many_proofs_of_one_tree_read_each_tile_once():
    reads = []
    tree = TiledTree(70_000, lambda tile: reads.append(tile) or defined_tile(tile))
    for index in range(512):
        tree.inclusion_proof(index)
    assert len(reads) == len(set(reads)) <= 6


def test_a_tile_that_is_too_short_stops_the_proof():
    tree = TiledTree(300, lambda tile: defined_tile(tile)[:-1])
    with pytest.raises(MalformedTile):
        tree.inclusion_proof(0)


def test_a_false_tile_gives_no_proof_that_verifies():
    """Tiles are believed when read, and found out by the signed root."""

    def false_tile(tile):
        data = bytearray(defined_tile(tile))
        data[0] ^= 1
        return bytes(data)

    tree = TiledTree(300, false_tile)
    assert tree.root() != REFERENCE.root(0, 300)
    with pytest.raises(RootMismatch):
        verify_inclusion(5, 300, HASHES[5], tree.inclusion_proof(5), REFERENCE.root(0, 300))
