"""Files as nobody should have written them: cut off, flipped, doubled, and strewn with what readers stumble over."""

import random
import signal
from contextlib import contextmanager

import pytest

PIECES = [
    b"",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\x1b[31m",
    b"\r\n",
    b"\n\n",
    b'"',
    b"'",
    b",",
    b"NaN",
    b"-1",
    b"1e999",
    b"1e999999999",
    b"9" * 5000,
    b"0x" + b"f" * 5000,
    b"null",
    b"true",
    b"[" * 2000,
    b'{"a":' * 2000,
    b"H[X" * 3000,
    b"x" * 200_000,
    "β′٣\u2028".encode(),
]


def mutations(content, count, seed=0):
    """Yield so many spoiled forms of a file's content."""
    generator = random.Random(seed)
    for _ in range(count):
        spoiled = bytearray(content)
        for _ in range(generator.choice((1, 1, 1, 2, 5))):
            start = generator.randint(0, len(spoiled))
            stop = min(len(spoiled), start + generator.choice((0, 1, 4, 20, 200)))
            match generator.randrange(6):
                case 0:
                    del spoiled[start:]
                case 1:
                    del spoiled[start:stop]
                case 2:
                    spoiled[start:start] = spoiled[start:stop]
                case 3 if start < len(spoiled):
                    spoiled[start] ^= 1 << generator.randrange(8)
                case _:
                    spoiled[start:stop] = generator.choice(PIECES)
        yield bytes(spoiled)


@contextmanager
def watched(what, seconds=60):
    """Fail on what is still going on after a time in which nothing of the kind should."""

    def stop(*_):
        pytest.fail(f"not done in time: {what!r}"[:300])

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
