"""What holds of every verdict."""


def assert_sound(verdict):
    if verdict.status == "proved":
        assert verdict.certificate.verify()
    if verdict.status == "refuted":
        assert_breaks(verdict)


def assert_breaks(verdict):
    """The table itself, evaluated by the distribution's own code, obeys the facts and breaks the claim."""
    table, problem = verdict.counterexample, verdict.problem
    entropies = table.entropies()
    place = {problem.names.index[name]: 1 << i for i, name in enumerate(table.names) if name in problem.names.index}

    def value(row):
        masks = {m: sum(own for bit, own in place.items() if m & bit) for m in row if m}
        return sum(float(c) * (entropies[masks[m]] if m else 1.0) for m, c in row.items())

    for fact in problem.facts:
        assert value(fact.row) > -1e-12
        if fact.equality:
            assert abs(value(fact.row)) < 1e-12
    slacks = [(link.operator, value(link.row)) for link in problem.links if link.row is not None]
    bad = [
        (op == "<=" and slack > 1e-9) or (op == ">=" and slack < -1e-9) or (op == "=" and abs(slack) > 1e-9)
        for op, slack in slacks
    ]
    assert any(bad) or (not slacks and verdict.refutation.parameters)
