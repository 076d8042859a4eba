"""Convolution and spectra in plain Python, small enough to read."""

import cmath


def convolve(a, b):
    """Full discrete convolution of two sequences."""
    if not a or not b:
        return []
    out = [0] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def spectrum(samples):
    """Discrete Fourier transform by the radix-2 method of Cooley and Tukey; the length must be a power of two."""
    n = len(samples)
    if n == 1:
        return list(samples)
    if n == 0 or n % 2:
        raise ValueError(f"the length must be a power of two, not {n}")
    even, odd = spectrum(samples[0::2]), spectrum(samples[1::2])
    turned = [cmath.exp(-2j * cmath.pi * k / n) * odd[k] for k in range(n // 2)]
    return [e + t for e, t in zip(even, turned)] + [e - t for e, t in zip(even, turned)]
