import math

import pytest

from signals import spectrum


def test_a_constant_has_only_its_mean():
    bins = spectrum([3.0] * 8)
    assert abs(bins[0] - 24) < 1e-9
    assert all(abs(value) < 1e-9 for value in bins[1:])


@pytest.mark.parametrize("frequency", [1, 2, 3])
def test_a_sine_shows_at_its_frequency(frequency):
    bins = spectrum([math.sin(2 * math.pi * frequency * k / 16) for k in range(16)])
    loudest = max(range(9), key=lambda k: abs(bins[k]))
    assert loudest == frequency


def test_odd_lengths_are_refused():
    with pytest.raises(ValueError, match="power of two"):
        spectrum([1, 2, 3])
