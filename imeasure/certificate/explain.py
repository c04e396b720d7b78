"""Certificates in words: each step as a quantity with its multiplier, as text and as LaTeX.

A reader can add the lines up: each names the inequality, the fact or the constant that it stands on.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from imeasure.certificate.problem import Problem
from imeasure.certificate.rows import magnitude
from imeasure.certificate.steps import Combination, Key, step_text
from imeasure.certificate.targets import targets
from imeasure.errors import DerivationError, InformationError
from imeasure.parser import parse
from imeasure.printing import to_latex

REASONS = {
    "I": "Shannon",
    "H": "Shannon",
    "fact": "fact",
    "one": "constant",
    "KL": "divergence",
    "Jensen": "Jensen",
    "ZY": "Zhang-Yeung",
}
"""What each sort of step is called."""


def describe(key: Key, problem: Problem) -> tuple[str, str]:
    """Return a step's statement and the reason why it is true.

    Args:
        key: The step.
        problem: The problem.

    Returns:
        Such as ``("I[X;Z|Y] >= 0", "Shannon")``.
    """
    known = key[0] != "fact" or 0 <= key[1] < len(problem.facts)
    return (step_text(key, problem) if known else f"fact {key[1]}"), REASONS[key[0]]


def explain(problem: Problem, parts: Iterable[Combination], style: str = "text") -> str:
    """Return a proof in words.

    Args:
        problem: The claim with its facts.
        parts: The combination of each part.
        style: ``"text"`` or ``"latex"``.

    Returns:
        One line for each step, after a line that says what they sum to.

    Raises:
        DerivationError: If the style is unknown.
    """
    if style not in ("text", "latex"):
        raise DerivationError(f"unknown style '{style}'; choose 'text' or 'latex'")
    latex = style == "latex"
    blocks = [
        (_latex_block if latex else _block)(target.text(problem.names), combination, problem)
        for target, combination in zip(targets(problem), parts, strict=True)
    ]
    if latex:
        return "$$\\begin{aligned}\n" + " \\\\\n".join(blocks) + "\n\\end{aligned}$$"
    facts = f"\ngiven {'; '.join(problem.given)}" if problem.given else ""
    model = f"\nin the model {problem.model}" if problem.model is not None else ""
    return f"Proof of {problem.claim}{facts}{model}\n" + "\n".join(blocks)


def _block(target: str, combination: Combination, problem: Problem) -> str:
    if not combination:
        return f"{target}: both sides are the same sum of joint entropies."
    lines = []
    for key, multiplier in combination.items():
        statement, reason = describe(key, problem)
        source = f", from {problem.facts[key[1]].source}" if reason == "fact" else ""
        source = "" if source == f", from {statement}" else source
        lines.append(f"  {_signed(multiplier)} * ({statement})   [{reason}{source}]")
    return "\n".join([f"{target} is the sum of", *lines])


def _signed(multiplier: int | Fraction) -> str:
    return f"{'-' if multiplier < 0 else '+'} {magnitude(multiplier)}"


def _latex_block(target: str, combination: Combination, problem: Problem) -> str:
    left = target.split(" >= 0", maxsplit=1)[0]
    lines = [rf"{_latex(left, problem)} ={{}}&{'' if combination else ' 0'}"]
    for key, multiplier in combination.items():
        statement, reason = describe(key, problem)
        size = magnitude(multiplier)
        factor = "" if size == 1 else rf"\tfrac{{{size.numerator}}}{{{size.denominator}}}"
        factor = str(size) if size != 1 and size.denominator == 1 else factor
        sign = "-" if multiplier < 0 else "+"
        body = rf"\text{{{statement}}}" if reason in ("Zhang-Yeung",) else _statement_latex(statement, problem)
        lines.append(rf"& {sign} {factor} \underbrace{{{body}}}_{{\text{{{reason}}}}}")
    return " \\\\\n".join(lines)


def _statement_latex(statement: str, problem: Problem) -> str:
    for operator, sign in (("<=", r"\leq"), (">=", r"\geq"), ("=", "=")):
        if operator in statement and "->" not in statement:
            left, _, right = statement.partition(operator)
            return rf"{_latex(left, problem)} {sign} {_latex(right, problem)}"
    return rf"\text{{{statement}}}"


def _latex(text: str, problem: Problem) -> str:
    try:
        expression = parse(text, functionals=problem.functionals)
    except InformationError:
        return rf"\text{{{text}}}"
    return to_latex(expression)
