"""A loss that prints what it computes: a plan of terms, and the module that evaluates exactly these.

The plan is data (coefficients are sympy expressions, terms are entries of `ibtrain.surrogates`); the module adds the
values of the coefficients' parameters. Terms appear in the plan, in `repr` and in `LossValue.terms` in the same order.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import sympy
import torch
from torch import Tensor, is_tensor, nn

from ibtrain.bottlenecks import Latent, check_latent_kind
from ibtrain.errors import ConfigError
from ibtrain.guarantee import Guarantee
from ibtrain.plan import Plan, Term
from ibtrain.reduction import across_processes
from ibtrain.source import source_of
from ibtrain.surrogates import Batch, Surrogate
from imeasure.errors import shown

_TORCH = {"exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt}


class LossValue(NamedTuple):
    """The value of a loss, in nats.

    Args:
        total: The sum of coefficient times term, a scalar.
        terms: The surrogates' own values by name, without coefficients, in the plan's order.
    """

    total: Tensor
    terms: dict[str, Tensor]


class Loss(nn.Module):
    """The sum of a plan's terms, as a module; `compile` makes it.

    Parameters of the coefficients are tensors that can be set before or given with the call, so they can be scheduled,
    and mapped over by `torch.func.vmap`. They are moved and saved with the module. Give either the weight itself or the
    objective's own parameters, from which the weight then follows.

    Surrogates that learn a law of the latent have parameters of their own, in `learned`: give them to the optimiser.

    Args:
        plan: What to compute.
        dimensions: Number K of the latent's dimensions, for surrogates that learn.
        classes: Number C of classes, for surrogates that learn.

    Raises:
        ConfigError: If a surrogate learns and its sizes are not given.
    """

    def __init__(self, plan: Plan, *, dimensions: int | None = None, classes: int | None = None) -> None:
        super().__init__()
        self.plan = plan
        for name, size in (("dimensions", dimensions), ("classes", classes)):
            if size is not None and not _is_size(size):
                raise ConfigError(f"{name} is a whole number from 1 on, not {shown(size)}")
        self.learned = nn.ModuleDict()
        for entry in (term.surrogate for term in plan.terms):
            if entry.learned is not None:
                sizes = _size(entry, dimensions, "dimensions"), _size(entry, classes, "classes")
                self.learned[entry.name] = entry.learned(*sizes)
        symbols = sorted({symbol for term in plan.terms for symbol in _symbols(term.coefficient)}, key=str)
        self._steps = tuple(_step(symbols, term) for term in plan.terms)
        self._names = tuple(str(symbol) for symbol in symbols)
        if "self" in self._names:
            raise ConfigError("a parameter called self cannot be given to a Python module: give it another name")
        self._weight_name = "" if plan.weight_symbol not in symbols else str(plan.weight_symbol)
        origin = sorted(_symbols(plan.weight), key=str) if self._weight_name else []
        self._origin_names = tuple(str(symbol) for symbol in origin if symbol != plan.weight_symbol)
        self._weight = _Function(origin, plan.weight)
        for name in self._names:
            self.register_buffer(f"parameter_{name}", torch.tensor(math.nan))
        self._missing = self._names
        self.register_load_state_dict_post_hook(_note_loaded)

    @property
    def guarantee(self) -> Guarantee | None:
        """The proof that the loss bounds the objective; None where it was compiled without one."""
        return self.plan.guarantee

    def source(self, name: str = "loss") -> str:
        """Return a stand-alone PyTorch function with this loss's values and gradients, as text.

        Args:
            name: What to call the function.

        Raises:
            ConfigError: As `ibtrain.source.source_of`.
        """
        return source_of(self.plan, name)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters that the coefficients contain; all need a value before the loss has one."""
        return self._names

    @property
    def weight_name(self) -> str | None:
        """Name of the regularizer's weight, or None where the objective fixes it."""
        return self._weight_name or None

    @property
    def values(self) -> dict[str, Tensor]:
        """The parameters' present values; not a number where none was set."""
        return {name: getattr(self, f"parameter_{name}") for name in self._names}

    def set(self, /, **parameters: float) -> "Loss":
        """Set parameters, and return the loss itself.

        Args:
            parameters: Numbers by name: the weight, or the objective's own parameters.

        Raises:
            ConfigError: If a name is not a parameter of this loss, the weight is given twice (itself and through the
                objective's parameters), or a value is not finite, a negative weight or against the objective's
                conditions.

        Example:
            >>> from ibtrain import compile
            >>> loss = compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy").set(beta=11)
            >>> round(loss.values[loss.weight_name].item(), 6)
            0.1
        """
        resolved = self._resolved({name: _plain(value) for name, value in parameters.items()})
        for name, value in resolved.items():
            self.get_buffer(f"parameter_{name}").fill_(value)
        self._missing = tuple(name for name in self._missing if name not in resolved)
        return self

    def forward(self, latent: Latent, logits: Tensor, target: Tensor, /, **parameters: float | Tensor) -> LossValue:
        """Evaluate every term once.

        Args:
            latent: Samples S x B x K of the latent and what is known of their law.
            logits: Decoder outputs, S x B x C.
            target: Classes from 0 to C - 1, B.
            parameters: Values that replace those that were set. Numbers are checked as `set` checks them, though under
                torch.compile not against the objective's conditions; tensors may require gradients or be mapped over,
                and their values are not looked at.

        Returns:
            Total and terms, in nats.

        Raises:
            ConfigError: If a parameter has no value, a name is not a parameter of this loss, a number cannot be a value
                of it, a class is not from 0 to C - 1 (as far as the device says so), or the latent is not of the
                kind that the loss is compiled for, as far as shapes and numbers tell.
        """
        values = self._values(parameters)
        check_latent_kind(latent, self.plan.kind)
        for name, value in (("logits", logits), ("target", target)):
            if not is_tensor(value):
                raise ConfigError(f"{name} must be a tensor, not {type(value).__name__}")
        if logits.shape[:-1] != latent.samples.shape[:-1]:
            raise ConfigError(
                f"logits must be S x B x C for samples of shape {tuple(latent.samples.shape)}, S x B x K, not of shape "
                f"{tuple(logits.shape)}: give decoder(latent.samples)"
            )
        batch = Batch(latent, logits, target, across_processes())
        terms: dict[str, Tensor] = {}
        total = None
        for name, evaluate, is_learned, factor in self._steps:
            try:
                value = evaluate(batch._replace(learned=self.learned[name]) if is_learned else batch)
            except (IndexError, RuntimeError):
                _require_classes(target, logits.shape[-1])
                raise
            if not is_tensor(value) or value.ndim or not value.is_floating_point():
                raise ConfigError(f"evaluate of {name} must return a scalar tensor in nats, not {_described(value)}")
            terms[name] = value
            part = value
            if factor is not None:
                part = (values[factor] if isinstance(factor, str) else factor(**values)) * value
            total = part if total is None else total + part
        return LossValue(logits.new_zeros(()) if total is None else total, terms)

    def _values(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        resolved = self._resolved(parameters) if parameters else {}
        if self._missing and (missing := [name for name in self._missing if name not in resolved]):
            raise ConfigError(f"the loss needs a value for {', '.join(missing)}: loss.set({missing[0]}=...)")
        return {**self.values, **resolved} if resolved else self.values

    def extra_repr(self) -> str:
        """Return the formula that `repr` shows."""
        return self.plan.formula if self.guarantee is not None else f"{self.plan.formula}, no guarantee"

    def __repr__(self) -> str:
        """Return the formula, which does not name the surrogates' own modules again."""
        return f"Loss({self.extra_repr()})"

    def _check_names(self, parameters: Mapping[str, object]) -> None:
        known = {*self._names, *self._origin_names}
        for name in parameters:
            if name not in known:
                names = ", ".join(sorted(known)) or "none"
                raise ConfigError(
                    f"{name!r} is not a parameter of the loss {self.plan.formula}; its parameters: {names}"
                )

        implied = [name for name in self._origin_names if name in parameters and name not in self._names]
        if self._weight_name in parameters and implied:
            weight = self._weight_name
            raise ConfigError(f"{weight} follows from {', '.join(implied)}: give {weight} alone, or leave it out")

    def _check_conditions(self, numbers: Mapping[str, float]) -> None:
        conditions = self.plan.form.conditions
        if torch.compiler.is_compiling() or not conditions or not numbers:
            return  # sympy cannot be traced
        condition = conditions.as_sympy()
        known = {symbol: numbers[str(symbol)] for symbol in condition.free_symbols if str(symbol) in numbers}
        if known and condition.subs(known) == sympy.false:
            given = ", ".join(f"{name} = {value}" for name, value in numbers.items())
            raise ConfigError(f"the objective needs {conditions}, but {given} was given")

    def _resolved(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self._check_names(parameters)
        given = {name: _number(name, value) for name, value in parameters.items()}
        self._check_conditions({name: value for name, value in given.items() if not isinstance(value, Tensor)})
        own = {name: value for name, value in given.items() if name in self._names}
        origin = {name: given[name] for name in self._origin_names if name in given}
        if self._weight_name and self._weight_name not in own and origin and len(origin) == len(self._origin_names):
            try:
                own[self._weight_name] = _number(self._weight_name, self._weight(**origin))
            except (ArithmeticError, ValueError):
                values = ", ".join(f"{name} = {value}" for name, value in origin.items())
                raise ConfigError(
                    f"the weight {self._weight_name} = {self.plan.weight} has no value at {values}"
                ) from None
        weight = own.get(self._weight_name)
        if weight is not None and not isinstance(weight, Tensor) and weight < 0:
            raise ConfigError(f"the weight {self._weight_name} must not be negative, but {weight} was given")
        return own


def _require_classes(target: Tensor, classes: int) -> None:
    if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < classes:
        raise ConfigError(
            f"target must hold classes from 0 to {classes - 1}, as many as the logits have, but it holds "
            f"{int(target.min())} to {int(target.max())}; leave out inputs that have no class"
        ) from None


def _described(value: object) -> str:
    return f"{value.dtype} of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)


def _plain(value: object) -> object:
    if not isinstance(value, Tensor):
        return value
    return value.item() if value.numel() == 1 else value.tolist()


def _number(name: str, value: Any) -> float | Tensor:
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"{name} must be a number, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not abs(number) <= torch.finfo(torch.float32).max:
        raise ConfigError(f"{name} must be finite, and within what float32 holds, not {value!r}")
    return number


def _note_loaded(module: nn.Module, incompatible: object) -> None:  # noqa: ARG001 - torch's signature
    if isinstance(module, Loss):
        module._missing = tuple(name for name, value in module.values.items() if value.isnan())


class _Function:
    """A sympy expression as a function of its symbols by name; pickled as the expression.

    Args:
        symbols: What it is a function of.
        expression: What it computes.
    """

    def __init__(self, symbols: Sequence[Any], expression: Any) -> None:
        self._symbols = tuple(symbols)
        self._expression = expression
        self._names = tuple(str(symbol) for symbol in symbols)
        self._compute = sympy.lambdify(self._symbols, expression, modules=[_TORCH, "math"], dummify=False)

    def __call__(self, /, **values: Any) -> Any:
        return self._compute(*(values[name] for name in self._names))

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), (self._symbols, self._expression)


class _Step(NamedTuple):
    """One term of a loss, as a call needs it.

    Args:
        name: The surrogate's name.
        evaluate: Its value.
        is_learned: Whether it has parameters of its own.
        factor: What it is multiplied by: nothing, a parameter by name, or a function of the parameters.
    """

    name: str
    evaluate: Callable[[Batch], Tensor]
    is_learned: bool
    factor: str | _Function | None


def _step(symbols: Sequence[Any], term: Term) -> _Step:
    factor: str | _Function | None = None
    if term.coefficient != 1:
        factor = str(term.coefficient) if term.coefficient in symbols else _Function(symbols, term.coefficient)
    return _Step(term.surrogate.name, term.surrogate.evaluate, term.surrogate.learned is not None, factor)


def _size(entry: Surrogate, size: int | None, name: str) -> int:
    if size is None:
        raise ConfigError(
            f"{entry.name} learns a law of the latent: give its sizes by dimensions=K and classes=C, not {name} = None"
        )
    return size


def _is_size(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= 1


def _symbols(expression: Any) -> set[Any]:
    return set(sympy.sympify(expression, strict=True).free_symbols)
