"""Numbers as they are written, exact and of bounded length: ``2``, ``0.25``, ``1/3``, ``1e-3``.

An exponent makes a number of any length from a few characters, so what is read from outside has its limits here.
"""

from fractions import Fraction

MAX_CHARACTERS = 1000
"""Most characters of a number before its exponent."""
MAX_EXPONENT = 1000
"""Largest power of ten that a number is multiplied or divided by."""


def read_number(text: str) -> Fraction:
    """Read a number exactly.

    Args:
        text: A whole number, a decimal, with or without an exponent, or a fraction.

    Returns:
        The number.

    Raises:
        ValueError: If it is none, or too long.
        ZeroDivisionError: If the denominator is zero.

    Example:
        >>> read_number("1.5e-1"), read_number("1/3")
        (Fraction(3, 20), Fraction(1, 3))
        >>> read_number("1e999999999")
        Traceback (most recent call last):
        ValueError: the number is too long
    """
    mantissa, _, exponent = text.strip().lower().partition("e")
    if len(mantissa) > MAX_CHARACTERS or len(exponent) > 5 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise ValueError("the number is too long")
    return Fraction(text)
