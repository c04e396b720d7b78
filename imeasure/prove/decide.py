"""``check``: is a relation of information quantities true? Proved, refuted, or undecided, each with its evidence.

The search may use floats and heuristics; a proof is returned only after its exact sum was compared with the claim, and
a counterexample only after its facts were checked (R. W. Yeung, "A Framework for Linear Information Inequalities",
1997).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import partial

from imeasure.certificate import Certificate
from imeasure.certificate.problem import Problem, Statement, read_problem
from imeasure.certificate.proof import same
from imeasure.certificate.rows import ONE, Row, add, exact
from imeasure.certificate.steps import Combination, total
from imeasure.certificate.targets import Target, targets
from imeasure.errors import ConfigError, ModelError
from imeasure.model import Model
from imeasure.prove.combine import combine
from imeasure.prove.dag import Dag
from imeasure.prove.findings import code_table, refutation
from imeasure.prove.large import is_extreme, rescale
from imeasure.prove.limits import LimitReached, Limits, read_limits
from imeasure.prove.rays import Face, find_face
from imeasure.prove.refute import Refuter
from imeasure.prove.search import Search, violation
from imeasure.prove.verdict import Verdict

VARIABLES = 300
"""Most variables of a problem that is searched."""


def check(
    relation: Statement,
    *,
    model: Model | str | None = None,
    given: Statement | Iterable[Statement] = (),
    functionals: Iterable[str] = (),
    seconds: float = 60.0,
    max_sets: int = 5000,
    non_shannon: bool = False,
    numerical: bool = True,
) -> Verdict:
    """Decide whether a relation follows from Shannon's inequalities and the facts.

    Args:
        relation: A relation (chains allowed), a Markov chain or an independence, as text or object.
        model: What is known of the variables; the text of a graph is read too.
        given: More facts: relations, Markov chains, independences.
        functionals: Names of real-valued functionals beyond ``CE`` and ``KL`` that occur, such as ``LogVar``; nothing
            is known of them but what the facts say.
        seconds: Time after which the verdict is ``"undecided"``.
        max_sets: Most joint entropies in a linear program.
        non_shannon: Whether a proof may use Zhang-Yeung inequalities as well.
        numerical: Whether a distribution is searched for by descent where everything else failed.

    Returns:
        The verdict; true if and only if proved.

    Raises:
        ParseError: If a text is not in the language.
        ModelError: If the facts contradict each other.
        UnknownVariableError: If the model has a graph and a variable is not in it.
        UndefinedQuantityError: If a quantity has no value under the model.
        NonlinearError: If a fact has a parameter, or a denominator's sign is not known.
        ConfigError: If a limit or an option is not of its kind.

    Example:
        >>> print(check("I[X;Z] <= I[X;Y]", given=["X -> Y -> Z"]).certificate)
        Proof of I[X;Z] <= I[X;Y]
        given X -> Y -> Z
        -H[Z] + H[X,Z] + H[Y] - H[X,Y] >= 0 is the sum of
          + 1 * (I[X;Y|Z] >= 0)   [Shannon]
          - 1 * (I[X;Z|Y] = 0)   [fact, from X -> Y -> Z]
    """
    limits = read_limits(seconds, max_sets)
    for name, value in (("non_shannon", non_shannon), ("numerical", numerical)):
        if not isinstance(value, bool):
            raise ConfigError(f"{name} is True or False, not {value!r}")
    problem = read_problem(relation, model, given, functionals)
    if len(problem.names) > VARIABLES:
        return Verdict("undecided", problem, wording=f"more than {VARIABLES} variables are involved")
    if is_extreme(problem, [target.row for target in targets(problem)]):
        return _rescaled(problem, targets(problem), limits)
    return decide(problem, limits, non_shannon=non_shannon, numerical=numerical)


def decide(problem: Problem, limits: Limits, *, non_shannon: bool = False, numerical: bool = True) -> Verdict:
    """Decide a problem that has been read.

    Args:
        problem: The problem.
        limits: Limits of the search.
        non_shannon: Whether to add Zhang-Yeung inequalities.
        numerical: Whether to search numerically for a distribution.

    Returns:
        The verdict.

    Raises:
        ModelError: If the facts contradict each other.
    """
    wanted = targets(problem)
    if not non_shannon and (face := find_face(problem, [target.row for target in wanted])) is not None:
        verdict = _on_face(problem, wanted, face, partial(Refuter, problem, limits, numerical=numerical))
        if verdict is not None:
            return verdict
    search = Search(problem, [target.row for target in wanted], limits, non_shannon=non_shannon)
    refuter = Refuter(problem, limits, numerical=numerical)
    try:
        if any(ONE in fact.row for fact in problem.facts):
            _require_consistent(problem, search)
        parts = [search.quick(target.row) for target in wanted]
        for target, part in zip(wanted, parts, strict=True):
            if part is None and (found := refuter.quick(target)) is not None:
                return Verdict("refuted", problem, refutation=found)
        proofs: list[Combination] = []
        for target, part in zip(wanted, parts, strict=True):
            proof = search.prove(target.row, first=True) if part is None else part
            if proof is None and not search.once:
                if (found := Refuter(problem, limits, numerical=False).thorough(target, search.dag)) is not None:
                    return Verdict("refuted", problem, refutation=found)
                proof = search.prove(target.row)
            if proof is None:
                broken = partial(violation, dict(search.point), problem) if search.point else None
                return _unproved(problem, target, refuter, search.dag, broken=broken, non_shannon=non_shannon)
            proofs.append(proof)
    except LimitReached as limit:
        for target in wanted if limits.left > 0 else ():
            if (found := refuter.thorough(target, search.dag)) is not None:
                return Verdict("refuted", problem, refutation=found)
        return Verdict("undecided", problem, wording=str(limit))
    return Verdict("proved", problem, Certificate(problem, tuple(proofs)))


def _rescaled(problem: Problem, wanted: tuple[Target, ...], limits: Limits) -> Verdict:
    """Decide a problem of very large or small numbers: by proofs in another unit of entropy, and by small codes."""
    near = rescale(problem, [target.row for target in wanted])
    rows = [near.row(target.row) for target in wanted]
    reason = "a coefficient or constant is too large or too small for a search of distributions; divide by it"
    try:
        search = Search(near.problem, rows, limits)
        if any(ONE in fact.row for fact in problem.facts):
            _require_consistent(near.problem, search)
        found = [_near_proof(search, row) for row in rows]
        proofs = [near.proof(proof) for proof in found if proof is not None]
        if len(proofs) == len(wanted) and all(
            same(total(proof, problem), target.row) for proof, target in zip(proofs, wanted, strict=True)
        ):
            return Verdict("proved", problem, Certificate(problem, tuple(proofs)))
        refuter = Refuter(problem, limits, numerical=False)
        for target, proof in zip(wanted, found, strict=True):
            if proof is None and (broken := refuter.quick(target)) is not None:
                return Verdict("refuted", problem, refutation=broken)
    except LimitReached as limit:
        reason = str(limit)
    except (OverflowError, ZeroDivisionError):
        pass
    return Verdict("undecided", problem, wording=reason)


def _near_proof(search: Search, row: Row) -> Combination | None:
    """Return a proof of a row, or of what a fact and a constant leave of it."""
    for position, fact in enumerate(search.problem.facts):
        for column in (column for column in row if column != ONE and column in fact.row):
            factor = exact(Fraction(row[column]) / fact.row[column])
            rest = add(dict(row), fact.row, -factor)
            constant = rest.pop(ONE, 0)
            if constant >= 0 and (factor > 0 or fact.equality) and (short := search.quick(rest)) is not None:
                known: Combination = {("fact", position): factor} | ({("one",): constant} if constant else {})
                return combine(known, short)
    return search.quick(row) or search.prove(row)


def _on_face(
    problem: Problem, wanted: tuple[Target, ...], face: Face, refuter: Callable[[], Refuter]
) -> Verdict | None:
    """Decide on the extreme rays; None where it is not seen how a target fails."""
    valued = face.wanted or []
    missed: tuple[Target, int] | None = None
    for target, (values, _) in zip(wanted, valued, strict=True):
        ray = face.broken(values)
        if ray is None:
            continue
        code = face.code(ray, len(problem.names))
        if code is None:
            missed = missed or (target, ray)
            continue
        rank = face.known.vectors[ray].tolist().__getitem__ if face.sets is None else code.rank
        found = refutation(problem, target, code_table(problem, code, rank))
        return Verdict("refuted", problem, refutation=found) if found is not None else None
    if missed is not None and face.sets is not None:
        return None
    if missed is not None:
        target, ray = missed
        vector = face.known.vectors[ray].tolist()
        broken = partial(violation, dict(enumerate(vector[1:], 1)), problem)
        return _unproved(problem, target, refuter(), broken=broken)
    proofs = [face.prove(values, scale) for values, scale in valued]
    checked = [
        proof
        for target, proof in zip(wanted, proofs, strict=True)
        if proof is not None and same(total(proof, problem), target.row)
    ]
    return Verdict("proved", problem, Certificate(problem, tuple(checked))) if len(checked) == len(wanted) else None


def _require_consistent(problem: Problem, search: Search) -> None:
    proof = search.prove({ONE: -1})
    if proof is not None:
        facts = dict.fromkeys(problem.facts[key[1]].text for key in proof if key[0] == "fact")
        raise ModelError(f"the facts contradict each other: {', '.join(facts)}; nothing can obey them all")


def _unproved(
    problem: Problem,
    target: Target,
    refuter: Refuter,
    dag: Dag | None = None,
    *,
    broken: Callable[[], Mapping[str, Fraction]] | None = None,
    non_shannon: bool = False,
) -> Verdict:
    found = refuter.thorough(target, dag)
    if found is not None:
        return Verdict("refuted", problem, refutation=found)
    if not target.exact:
        return Verdict("undecided", problem, wording=partial(_insufficient, target, problem))
    kind = "Shannon's and Zhang-Yeung's inequalities" if non_shannon else "Shannon's inequalities"
    return Verdict("undecided", problem, wording=partial(_unfound, target, problem, kind), broken=broken)


def _insufficient(target: Target, problem: Problem) -> str:
    return f"a sufficient condition, {target.text(problem.names)}, does not follow from Shannon's inequalities"


def _unfound(target: Target, problem: Problem, kind: str) -> str:
    wanted = target.text(problem.names)
    start = f"{wanted} does not follow from {kind} and the facts"
    return f"{start}, and no distribution breaks it as far as was searched"
