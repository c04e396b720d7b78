"""Whatever text is read, what comes out is a statement or an InformationError, soon and in little memory."""

import random
import sys
from contextlib import suppress

import pytest
from mutations import watched

from imeasure import InformationError, objectives, parse
from imeasure.expressions import MAX_DIGITS, MAX_HEIGHT, MAX_TERMS, MAX_VARIABLES
from imeasure.syntax import read

SEEDS = [
    *(entry.statement for entry in objectives.values()),
    "X,W -> Y -> Z",
    "X - Y - Z",
    "X _||_ Y,W | Z",
    "H[X] <= H[X,Y] = H[Y,X] >= 0",
    "1/2*H(X|Y) - 0.25e-3 I(X;Y;Z|W,V) + (beta - 1)^3*CE[Y|Z]/(1 + gamma^2)",
    r"\mathbb{I}[X; Z] - \beta\,\mathrm{H}_{\theta}[\hat{Y}_1 \mid Z] + \frac{1}{\beta-1} \frac12 H[X]",
    r"\operatorname*{arg\,min}_{p(z|x)} I[X;Z] - \beta I[Y;Z]",
    r"\underset{\theta}{\max} {1 \over 2} H[X] $ \perp\!\!\!\perp \left( \right] \leq \to",
    "β·H[Ŷ′] − λ₂ H[X₁] ≥ 0",
]
PIECES = [
    *"HIXYZWbβŶ₁′'_^*/+-–=<>|,;:()[]{}\\$~&. \t\n\0٣²½ﷺ\U0001d4d0", "CE[", "KL[", "min ", "max", "argmin", "->", "<->",
    "_||_", "⊥", "**", "<=", ">=", "==", "≥", "0", "00", "1e999", "9e-999", "1/0", "1.", ".5", "9" * 40, "^64", "^(-8)",
    "2^64", "0^-1", r"\frac", r"\frac12", r"\hat{", r"\mathrm{", r"\underset{", r"\operatorname*{", r"\perp", r"\left",
    r"\beta", r"\foo", "_{max}", "_{1}", "{ 1 \\over 2 }", "arg\\,", "H[X|Y]", "I[X;Y|Z]", "(a+b)", "1/(a-a)",
]  # fmt: skip


def texts(count, seed):
    """Statements with random edits: cut, doubled, spliced, pumped up, and strewn with pieces of the language."""
    generator = random.Random(seed)
    for _ in range(count):
        text = generator.choice(SEEDS) if generator.random() < 0.9 else ""
        for _ in range(generator.choice((1, 1, 2, 3, 6))):
            start = generator.randint(0, len(text))
            stop = min(len(text), start + generator.randint(0, 12))
            match generator.randrange(6):
                case 0:
                    text = text[:start] + text[stop:]
                case 1:
                    text = text[:stop] + text[start:]
                case 2:
                    other = generator.choice(SEEDS)
                    text = text[:start] + other[generator.randint(0, len(other)) :]
                case 3 if generator.random() < 0.02:
                    times = generator.choice((10, 70, 500))
                    text = text[:start] + (text[start:stop] or generator.choice(PIECES)) * times + text[stop:]
                case _:
                    text = text[:start] + generator.choice(PIECES) + text[stop:]
        yield text


def fuzz(count, seed):
    accepted = 0
    for number, text in enumerate(texts(count, seed)):
        with watched(text), suppress(InformationError):
            read(text)
            accepted += 1
            if number % 10 == 0:
                str(parse(text))
    return accepted


def test_edited_statements_are_read_or_refused():
    assert fuzz(2000, seed=1) > 100


PARTS = 8


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_million_edited_statements_are_read_or_refused(part):
    """In parts, so that several processes share the work; each may keep as much memory as is its share of 300 MiB."""
    resource = pytest.importorskip("resource")
    fuzz(5_000, seed=2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert fuzz(1_000_000 // PARTS, seed=3 + part) > 50_000 / PARTS
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300 / PARTS * 2 ** (20 if sys.platform == "darwin" else 10)


def nested(start, times):
    text = f"({start})^8"
    for _ in range(times):
        text = f"({text}+1)^8"
    return text


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (nested("1+1", 8) + "*H[X]", f"more than {MAX_TERMS} terms"),
        (nested("a+b", 2) + "*H[X]", f"more than {MAX_TERMS} terms"),
        ("*".join(f"(a{i}+b{i})" for i in range(30)) + "*H[X]", f"more than {MAX_TERMS} terms"),
        ("+".join(f"H[X]/(a{i}+b{i})" for i in range(30)), f"more than {MAX_TERMS} terms"),
        ("+".join(f"1/(3e900+{i})" for i in range(5000)), f"more than {MAX_DIGITS} digits together"),
        ("*".join(["(" + "*".join(["9e999"] * 299) + ")"] * 40), f"more than {MAX_DIGITS} digits together"),
        ("(" * 50 + "b" + ("*b" * 250 + ")") * 50 + "*H[X]", f"nested deeper than {MAX_HEIGHT} operations"),
        ("H[" + ",".join(f"X{i}" for i in range(2000)) + "]", f"more than {MAX_VARIABLES} variables"),
        ("->".join(f"X{i}" for i in range(2000)), f"more than {MAX_VARIABLES} variables"),
        ("H[X" + "1" * 90_000 + "]", "a name is longer than 100 characters"),
        ("x" + "₁" * 5000, "a name is longer than 100 characters"),
        ("9" * 2000, "the number is too long"),
        ("1e999999999*H[X]", "the number is too long"),
        ("9^9^9", "expected"),
        ("9^9999", "an integer exponent up to 64"),
        (f"I[{';'.join('ABCDEFGJKLMNO')}] >= 0", "a quantity has more than 12 groups"),
        (f"beta*I[{';'.join('ABCDEFGJKLMNO')}]", "a quantity has more than 12 groups"),
        ("H[X]" * 30_000, "longer than 100000 characters"),
    ],
)
def test_limits_are_named(text, limit):
    with watched(text), pytest.raises(InformationError, match=limit.replace("^", r"\^")):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        " " * 99_000,
        " " * 2_900 + "?",
        "H[X]" + " " * 2_900 + "?",
        "[mimi" + " " * 2_900 + r"\underset{",
        "2 / 3 *" + " " * 2_900 + "?" + " " * 50,
        "H[X]" + " " * 90_000 + "1.1.1",
        r"X \perp" + " " * 90_000 + "Y",
        r"X \perp" + r"\!" * 45_000 + "Y",
        "arg" + r"\," * 40_000,
        r"\underset{" + "{a}" * 30_000,
        "{" * 90_000,
        "a_{" * 30_000,
        "H[X]" + ". " * 40_000,
        "<=".join(["H[X]"] * 1000),
    ],
    ids=range(14),
)
def test_long_texts_are_read_in_a_time_that_grows_with_their_length(text):
    with watched(text), suppress(InformationError):
        parse(text)
