"""Bloom filters: their bits are the twin's, whatever the order of keys, and they err as often as theory says."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import reference_bloom
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gristmill.dedup.bloom._kernels import MOST_HASHES
from gristmill.dedup.bloom.filters import Filter
from gristmill.dedup.bloom.settings import BloomSettings
from gristmill.dedup.bloom.sizes import Size, rate_of, size_for
from gristmill.dedup.settings import DedupSettings

KEYS = st.lists(st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 1 << 63, 2**64 - 1])), max_size=40)


def made(size, keys):
    found = Filter.empty(size)
    found.add(np.array(keys, np.uint64))
    return found


@settings(max_examples=100)
@given(keys=KEYS, others=KEYS, bits=st.integers(64, 400), hashes=st.integers(1, MOST_HASHES))
def test_a_filter_has_what_its_twin_has(keys, others, bits, hashes):
    found, twin = made(Size(bits, hashes), keys), reference_bloom.Filter(bits, hashes, keys)
    asked = [*keys, *others]
    array = np.array(asked, np.uint64)
    assert found.has(array).tolist() == [twin.has(key) for key in asked]
    assert found.has_twice(array).tolist() == [twin.has_twice(key) for key in asked]
    assert found.has(array)[: len(keys)].all()
    again = [key for key in keys if keys.count(key) > 1]
    assert found.has_twice(np.array(again, np.uint64)).all()


@settings(max_examples=100)
@given(keys=KEYS, seed=st.integers(0, 99), parts=st.integers(1, 4))
def test_neither_the_order_of_keys_nor_their_parts_change_a_bit(keys, seed, parts):
    size = Size(200, 5)
    shuffled = random.Random(seed).sample(keys, len(keys))
    found = Filter.empty(size)
    for part in range(parts):
        found.add(np.array(shuffled[part::parts], np.uint64))
    assert np.array_equal(found.words, made(size, keys).words)


@pytest.mark.parametrize("bits", [64, 65, 1000, 2**31 + 11, 2**40 + 1])
def test_indices_are_reduced_to_every_bit_and_none_beyond(bits):
    """A masked index would leave bits that are never set; the product of large numbers keeps its high half."""
    keys = np.random.default_rng(1).integers(0, 2**64, 500, dtype=np.uint64).tolist()
    found = {place for key in keys for place in reference_bloom.places(key, bits, 20)}
    assert max(found) < bits
    if bits <= 1000:
        filter_ = made(Size(bits, 20), keys)
        assert int(np.bitwise_count(filter_.words[:, 0]).sum()) == bits == len(found)
    else:
        assert max(found) > 0.99 * bits
        assert min(found) < 0.01 * bits


def test_places_of_a_filter_too_large_for_32_bits_are_those_of_the_twin():
    bits = 2**33 + 7
    words = np.lib.stride_tricks.as_strided(
        np.zeros(1, np.uint64), (-(-bits // 64), 2), (0, 0)
    )  # one word, over and over
    keys = [0, 1, 2**64 - 1, 12345678901234567890]
    Filter(Size(bits, 9), words).add(np.array(keys, np.uint64))
    expected = 0
    for key in keys:
        for place in reference_bloom.places(key, bits, 9):
            expected |= 1 << (place & 63)
    assert int(words[0, 0]) == expected


@pytest.mark.parametrize(("rate", "asked"), [(1e-1, 200_000), (1e-2, 1_000_000), (1e-3, 4_000_000)])
@pytest.mark.parametrize("top", [0, 10])
def test_false_positives_are_as_many_as_theory_says(rate, asked, top):
    """Within four standard deviations: of the questions, and of the bits that 20,000 keys happen to set.

    Keys of one of 1,024 partitions have ten bits in common.
    """
    draw, count = np.random.default_rng(3), 20_000
    keys, others = (draw.integers(0, 2**64, n, dtype=np.uint64) >> np.uint64(top) for n in (count, asked))
    filter_ = made(size_for(count, rate), keys)
    theory = rate_of(filter_.size, count)
    load = filter_.size.hashes * count / filter_.size.bits
    of_bits = math.sqrt((math.exp(-load) - (1 + load) * math.exp(-2 * load)) / filter_.size.bits)
    of_rate = theory * filter_.size.hashes * of_bits / (1 - math.exp(-load))
    bound = 4 * math.sqrt(theory * (1 - theory) / asked + of_rate**2)
    assert abs(filter_.has(others).mean() - theory) < bound
    twice = 4 * math.sqrt(theory / count) + 4 * of_rate
    assert abs(filter_.has_twice(keys).mean() - theory) < twice
    assert bound < 0.08 * theory


def test_a_filter_of_a_million_keys_at_a_millionth_errs_as_rarely():
    draw = np.random.default_rng(4)
    filter_ = made(size_for(1_000_000, 1e-6), draw.integers(0, 2**64, 1_000_000, dtype=np.uint64))
    wrong = int(filter_.has(draw.integers(0, 2**64, 8_000_000, dtype=np.uint64)).sum())
    assert wrong < 8 + 4 * math.sqrt(8)


@given(count=st.integers(0, 10**10), rate=st.floats(1e-9, 0.5))
def test_sizes_hold_their_rate(count, rate):
    size = size_for(count, rate)
    assert 1 <= size.hashes <= MOST_HASHES
    assert 64 <= size.bits <= 64 * size.words < size.bits + 64
    assert size.bits <= 64 or size.bits == math.ceil(-count * math.log(rate) / math.log(2) ** 2)
    assert rate_of(size, count) <= 1.25 * rate, "the hashes are a whole number, so the best rate is missed by a little"
    assert rate_of(size, 0) == 0.0


def test_twice_as_many_keys_as_a_filter_is_made_for_are_found_out():
    assert rate_of(size_for(1000, 0.01), 2000) == pytest.approx(0.158, abs=0.002)


def test_settings_are_checked():
    assert DedupSettings.model_validate({"exact": "text", "bloom": None}).bloom == BloomSettings()
    with pytest.raises(ValidationError, match="`bloom` is for what must be equal, `exact` or `url`, not for `minhash`"):
        DedupSettings.model_validate({"minhash": {}, "bloom": {}})
    for wrong in ({"false_positives": 0}, {"capacity": 0}, {"capacity": "all"}, {"passes": 3}, {"passes": "three"}):
        with pytest.raises(ValidationError):
            BloomSettings.model_validate(wrong)
