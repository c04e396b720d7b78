"""How configurations check themselves: every field's type, range and choices, with messages that name the field.

A section is a frozen dataclass whose fields carry their limits; nested tables become nested sections. What a run is
made of stands in `ibtrain.config.fields`.
"""

import dataclasses
import difflib
import functools
import math
import operator
import tomllib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ibtrain.errors import ConfigError
from imeasure.errors import shown

_DOTS = 1000
_LARGEST = 10**300  # whole numbers beyond are no floats


def option(
    default: Any,
    *,
    above: float | None = None,
    minimum: float | None = None,
    below: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """Return a field of a section: its default and its limits.

    Args:
        default: Value where none is given.
        above: What the value must be greater than.
        minimum: What it must be at least.
        below: What it must be less than.
        maximum: What it must be at most.
        choices: What it must be one of; for lists, each of its items, and there is one at least and none twice.
    """
    limits = {"above": above, "minimum": minimum, "below": below, "maximum": maximum, "choices": tuple(choices)}
    return dataclasses.field(default=default, metadata=limits)


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(typing.cast(Any, cls))}


def section_from(cls: type, mapping: object, place: str) -> object:
    """Build a section from nested tables.

    Args:
        cls: Which section.
        mapping: Its values by name.
        place: Its name with a dot behind it, for messages; nothing for the configuration itself.

    Raises:
        ConfigError: If a key is unknown (the nearest one is named), or a value cannot be used.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{place.removesuffix('.') or 'the configuration'} must be a table, not {shown(mapping)}")
    hints = _hints(cls)
    values = {}
    for key, value in mapping.items():
        if key not in hints:
            raise ConfigError(unknown_key(f"{place}{key}", [f"{place}{name}" for name in hints]))
        inner = hints[key]
        nested = isinstance(inner, type) and issubclass(inner, Section)
        values[key] = section_from(inner, value, f"{place}{key}.") if nested else value
    return cls(**values)


def unknown_key(name: str, known: Sequence[str]) -> str:
    """Return the message for a key that does not exist, with the nearest one that does.

    Args:
        name: The key.
        known: Keys that exist.
    """
    near = [key for key in known if key.rpartition(".")[2] == name] or difflib.get_close_matches(name[:100], known, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
    return f"unknown key {shown(name)} in the configuration: {remedy}"


def keys(mapping: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    """Return every key of a configuration, with dots between tables, and where its value stands.

    Args:
        mapping: Nested tables, one level deep.

    Returns:
        Table and last part of the name, for each key.
    """
    places: dict[str, tuple[dict[str, Any], str]] = {}
    for name, value in mapping.items():
        inner = {f"{name}.{key}": (value, key) for key in value} if isinstance(value, dict) else {name: (mapping, name)}
        places.update(inner)
    return places


def read_toml(text: str) -> dict[str, Any]:
    """Read TOML, in time that grows with its length: a key of many parts would take the square of their number.

    Args:
        text: TOML.

    Raises:
        ValueError: If it is none, is nested too deeply, or has a number of thousands of digits.
    """
    if any(line.count(".") > _DOTS for line in text.split("\n")):
        raise ValueError(f"a line has more than {_DOTS} dots")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def toml_value(text: str) -> object:
    """Read a value as TOML does; what is no TOML is a text.

    Args:
        text: The value.
    """
    try:
        return read_toml(f"value = {text}")["value"]
    except ValueError:
        return text


def assignment(key: str, value: object) -> str:
    """Return the option `key=value` that gives a key a value.

    Args:
        key: The key, with dots between tables.
        value: A value of Python's; a text is read as TOML reads it.

    Example:
        >>> assignment("data.augment", True), assignment("network.hidden", (64, 32)), assignment("seed", "1")
        ('data.augment=true', 'network.hidden=[64, 32]', 'seed=1')
    """
    if isinstance(value, bool):
        return f"{key}={str(value).lower()}"
    return f"{key}={list(value) if isinstance(value, tuple) else value}"


def _coerced(value: object, hint: Any, name: str) -> object:
    if isinstance(hint, types.GenericAlias):
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{name} must be a list, not {shown(value)}")
        return tuple(_coerced(item, hint.__args__[0], name) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < _LARGEST else math.inf
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{name} must be {_article(hint.__name__)}, not {shown(value)}")
    return value


def _article(kind: str) -> str:
    return {"int": "a whole number", "float": "a number", "str": "a text"}.get(kind, f"a {kind}")


def _check_range(value: object, limits: Mapping[str, Any], name: str) -> None:
    choices = limits.get("choices")
    if isinstance(value, tuple):
        for item in value:
            _check_range(item, limits, name)
        if choices and not value:
            raise ConfigError(f"{name} names nothing: choose one or several of {', '.join(choices)}")
        if choices and len(set(value)) < len(value):
            raise ConfigError(f"{name} names something twice: {shown(list(value))}")
        return
    if choices and value not in choices:
        near = difflib.get_close_matches(str(value)[:100], choices, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"possible are {', '.join(choices)}"
        raise ConfigError(f"{name} cannot be {shown(value)}: {remedy}")
    if not isinstance(value, (int, float)):
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{name} must be finite, not {shown(value)}")
    tests: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
        ("above", "greater than", operator.gt),
        ("minimum", "at least", operator.ge),
        ("below", "less than", operator.lt),
        ("maximum", "at most", operator.le),
    )
    for key, words, holds in tests:
        limit = limits.get(key)
        if limit is not None and not holds(value, limit):
            raise ConfigError(f"{name} must be {words} {limit}, not {shown(value)}")


class Section:
    """Base of every table of a configuration: checks each field's type and range when it is built.

    Raises:
        ConfigError: If a value has the wrong type, is not finite or is out of range.
    """

    _place: typing.ClassVar[str] = ""

    def __init_subclass__(cls, *, table: str = "") -> None:
        """Note the table's name for the messages.

        Args:
            table: Its name in a configuration; nothing for the configuration itself.
        """
        super().__init_subclass__()
        cls._place = f"{table}." if table else ""

    def __post_init__(self) -> None:
        hints = _hints(typing.cast(Any, type(self)))
        for field in dataclasses.fields(typing.cast(Any, self)):
            name = f"{self._place}{field.name}"
            value = _coerced(getattr(self, field.name), hints[field.name], name)
            _check_range(value, field.metadata, name)
            object.__setattr__(self, field.name, value)
