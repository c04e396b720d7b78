"""A sequence whose elements are computed when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

T = TypeVar("T")


class Deferred(Sequence[T]):
    """A tuple that is built on first use.

    Args:
        build: Returns the elements; called once, when the first of them or their number is asked for.

    Example:
        >>> squares = Deferred(lambda: (i * i for i in range(3)))
        >>> squares[2], len(squares), squares == (0, 1, 4)
        (4, 3, True)
    """

    def __init__(self, build: Callable[[], Iterable[T]]) -> None:
        self._build: Callable[[], Iterable[T]] | None = build
        self._elements: tuple[T, ...] = ()

    def _all(self) -> tuple[T, ...]:
        if self._build is not None:
            self._elements, self._build = tuple(self._build()), None
        return self._elements

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple | Deferred) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self._all(),)
