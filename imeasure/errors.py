"""Every error of the two packages, as one tree.

::

    InformationError
    ├── ParseError                 text that is not in the language
    ├── UnknownVariableError       a variable, quantity or name that is not there
    ├── ModelError                 a model or distribution that contradicts itself
    ├── NonlinearError             an expression that is not linear in its quantities
    ├── UndefinedQuantityError     a quantity that the assumptions leave without a value
    ├── DegenerateObjectiveError   an objective without a sensible minimiser
    ├── DerivationError            a derivation or certificate that does not hold
    ├── ConfigError                an option or a file that cannot be used
    └── UnsoundLossError           a loss without a proof that it bounds its objective
"""

import reprlib
from collections.abc import Iterable
from difflib import get_close_matches


class InformationError(Exception):
    """Root of all errors that imeasure and ibtrain raise on purpose."""


class ParseError(InformationError):
    """Text that is not in the language; the message shows the text with a caret under the spot.

    Args:
        problem: What is wrong, and what was expected.
        text: The whole text.
        start: First character of the spot.
        stop: One past its last character.
    """

    def __init__(self, problem: str, text: str, start: int, stop: int | None = None) -> None:
        stop = max(start + 1, start + 1 if stop is None else stop)
        line_start = text.rfind("\n", 0, start) + 1
        line_stop = text.find("\n", start)
        line = text[line_start : len(text) if line_stop < 0 else line_stop]
        cut = max(0, start - line_start - 80)
        line = line[cut : cut + 120]
        column = start - line_start - cut
        width = min(stop - start, max(1, len(line) - column))
        marker = " " * column + "^" + "~" * (width - 1)
        super().__init__(f"{problem}\n    {line}\n    {marker}")
        self.problem, self.text, self.start, self.stop = problem, text, start, stop

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.problem, self.text, self.start, self.stop)


class UnknownVariableError(InformationError):
    """A variable, quantity or name that the model, the distribution or the catalogue does not know."""


class ModelError(InformationError):
    """A model or a distribution that contradicts itself or cannot be built."""


class NonlinearError(InformationError):
    """An expression that is not linear in its information quantities."""


class UndefinedQuantityError(InformationError):
    """A quantity that the assumptions leave without a value; the message says what to assume or add."""


class DegenerateObjectiveError(InformationError):
    """An objective whose minimiser is trivial, or that has no loss term; the message names the coefficient."""


class DerivationError(InformationError):
    """A derivation, a canonical form or a certificate that does not hold."""


class ConfigError(InformationError):
    """A configuration, an option or a file that cannot be used; the message names it and the remedy."""


class UnsoundLossError(InformationError):
    """A loss that is not proved to bound its objective.

    Args:
        term: The term of the objective that has no proved bound.
        missing: The fact that a proof would need.
        remedy: What to do.
    """

    def __init__(self, term: str, missing: str, remedy: str) -> None:
        super().__init__(f"no proof that the loss bounds {term}: {missing}; {remedy}")
        self.term, self.missing, self.remedy = term, missing, remedy

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.term, self.missing, self.remedy)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_NAMED = 100


def shown(value: object) -> str:
    r"""Return a value as messages quote it: as Python writes it, cut short where it is long or deep.

    Args:
        value: Anything, as read from a file.

    Returns:
        One line of at most a few hundred characters.

    Example:
        >>> print(shown("two\nlines"), shown([[[[[[[[]]]]]]]]), len(shown("x" * 10**6)))
        'two\nlines' [[[[[[[...]]]]]]] 80
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes no number of more than some thousand digits
        return "a number of very many digits"


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that is not known, with the nearest known one.

    Args:
        what: What the name should name.
        name: The name.
        known: The known names.

    Returns:
        A sentence.

    Example:
        >>> print(unknown("variable", "Yhta", ["X", "Yhat"]))
        unknown variable 'Yhta'; did you mean 'Yhat'? Known: X, Yhat
    """
    known = list(known)
    listed = [*map(_quoted, known[:_NAMED]), *([f"and {len(known) - _NAMED} more"] if len(known) > _NAMED else [])]
    nearest = get_close_matches(name, known[:_NAMED], 1, 0.5) or get_close_matches(name.lower(), known[:_NAMED], 1, 0.5)
    hint = f"; did you mean '{_quoted(nearest[0])}'?" if nearest else "."
    return f"unknown {what} '{_quoted(name)}'{hint} Known: {', '.join(listed) or 'none'}"


def _quoted(name: str) -> str:
    """Return a name as it stands between quotation marks: letters that do not print escaped, the rest cut off."""
    short = name if len(name) <= _NAMED else f"{name[:_NAMED]}..."
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in short)
