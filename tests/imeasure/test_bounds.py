import pytest

from imeasure import (
    ConfigError,
    Distribution,
    Model,
    NonlinearError,
    UndefinedQuantityError,
    bounds,
    check,
    conditions,
    hints,
    parse,
    supervised,
)

CHAIN = Model("Y -> X -> Z")


def quantities(side):
    return [bound.quantity for bound in side]


def test_reverse_decoder_uncertainty_lies_between_redundant_information_and_the_latents_entropy():
    found = bounds("H[Z|Y]")
    assert quantities(found.lower)[0] == parse("I[X;Z|Y]")
    assert quantities(found.upper)[0] == parse("H[Z]")
    assert str(found).startswith("I[X;Z|Y] <= H[Z|Y] <= H[Z]")
    assert found.verify()


def test_the_data_processing_inequality_is_a_bound():
    found = bounds("I[Y;Z]")
    assert {parse("I[X;Y]"), parse("I[X;Z]"), parse("H[Y]")} <= set(quantities(found.upper))
    assert parse("H[Y|Z]") not in quantities(found.upper)


def test_a_continuous_latent_has_fewer_bounds():
    lower = quantities(bounds("H[Z|Y]", model=supervised("continuous")).lower)
    assert parse("I[X;Z|Y]") not in lower
    assert parse("I[X;Z|Y]") in quantities(bounds("H[Z|Y]", model=supervised("noisy")).lower)


@pytest.mark.parametrize("quantity", ["H[Z|Y]", "I[Y;Z]", "I[X;Z]", "H[Y|Z]", "I[X;Z|Y]"])
def test_bounds_hold_on_random_distributions_and_tight_ones_come_first(quantity):
    found = bounds(quantity)
    tables = [Distribution.random("Y -> X -> Z", alphabet=3, seed=seed) for seed in range(5)]
    for table in tables:
        value = table.value(quantity)
        assert all(table.value(q) <= value + 1e-9 for q in quantities(found.lower))
        assert all(table.value(q) >= value - 1e-9 for q in quantities(found.upper))
    upper = quantities(found.upper)
    for place, later in enumerate(upper):
        for earlier in upper[:place]:
            below = parse(f"{later} <= {earlier}")
            assert not check(below, model=found.model) or check(parse(f"{earlier} <= {later}"), model=found.model)


def test_only_named_quantities_if_asked():
    found = bounds("H[Y|Z]", among=["CE[Y|Z]", "H[Y]", "H[Y|X]", "H[X]"])
    assert quantities(found.lower) == [parse("H[Y|X]")]
    assert quantities(found.upper) == [parse("CE[Y|Z]"), parse("H[Y]")] or set(quantities(found.upper)) == {
        parse("CE[Y|Z]"),
        parse("H[Y]"),
    }


def test_undefined_quantities_are_refused():
    with pytest.raises(UndefinedQuantityError):
        bounds("I[X;Z]", model=supervised("continuous", "deterministic"))


@pytest.mark.parametrize(
    ("quantity", "model", "text"),
    [
        ("I[Y;Z|X]", None, "I[Y;Z|X] = 0"),
        ("H[B|A]", Model("A -> C; B -> C", assume="H[B|A] = 0"), "H[B|A] = 0"),
        ("I[A;B;C]", "A -> C; B -> C", "I[A;B;C] <= 0"),
        ("-H[Z]", None, "-H[Z] <= 0"),
    ],
)
def test_zero_is_a_bound(quantity, model, text):
    found = bounds(quantity, model=model)
    assert found.verify()
    assert str(found) == text
    assert quantities(found.upper) == [0]


def test_what_is_zero_is_said_at_once_over_many_variables():
    found = bounds("I[A;E|C]", model="A -> B -> C -> D -> E")
    assert (quantities(found.lower), quantities(found.upper)) == ([0], [0])


def test_a_constant_is_compared_with_zero_alone_unless_a_fact_holds_a_number():
    nine = " -> ".join("ABCDEFGJK")
    assert [str(bounds(text, model=nine)) for text in ("5", "-2", "0")] == ["0 <= 5", "-2 <= 0", "0 = 0"]
    found = bounds("5", model=Model(assume="H[Z] <= 5"))
    assert found.verify()
    assert quantities(found.lower) == [parse("H[Z]")]


def test_bounds_stop_in_time():
    found = bounds("H[Z|Y]", seconds=1e-9)
    assert (found.lower, found.upper) == ((), ()) or found.verify()
    with pytest.raises(ConfigError, match="seconds is a positive number"):
        bounds("H[Z|Y]", seconds=0)


def test_coefficients_may_be_of_any_size():
    assert bounds("1e400*H[Z]", among=["H[Z]"]).verify()
    assert check("1e400*I[X;Z] >= I[Y;Z]", model=CHAIN)
    assert conditions("1e400*H[Z] >= I[X;Z]") == ((),)


def texts(found):
    return [[str(fact) for fact in facts] for facts in found]


def test_what_makes_data_processing_true():
    assert texts(conditions("I[X;Z] >= I[Y;Z]"))[0] == ["I[Y;Z|X] = 0"]
    assert conditions("I[X;Z] >= I[Y;Z]", model=CHAIN) == ((),)


@pytest.mark.parametrize(
    "claim",
    ["I[X;Z] >= I[Y;Z]", "I[X;Y;Z] >= 0", "H[X|Y] = H[X|Y,Z] + I[X;Z]", "I[X;Y] = H[X]", "H[X,Y] = H[X] + H[Y]"],
)
def test_every_condition_suffices_and_none_is_idle(claim):
    found = conditions(claim)
    assert found
    for facts in found:
        assert check(claim, given=list(facts))
        for fact in facts:
            assert not check(claim, given=[other for other in facts if other is not fact])


def test_pairs_where_no_single_fact_suffices():
    found = conditions("H[X,Y] <= 0")
    assert found
    assert all(len(facts) == 2 for facts in found)
    assert conditions("H[X] + 1 <= 0", most=5) == ()


def test_hints_find_the_correction_of_equation_ten():
    found = hints("H[X|Y] = H[X|Y,Z] + I[X;Z]", model=CHAIN)
    assert list(map(str, found)) == ["H[X|Y] = H[X|Y,Z] + I[X;Z|Y]"]
    assert hints("H[X|Y] <= H[X]") == ()
    for claim in ("I[X;Z] >= I[Y;Z]", "H[X|Z] <= H[X|Y]"):
        assert all(check(other) for other in hints(claim))
    with pytest.raises(NonlinearError, match="expected a relation"):
        hints("H[X]")


@pytest.mark.parametrize(
    ("claim", "wanted"),
    [
        ("H[A,B,C] = H[A] + H[B,C]", ["I[A;B,C] = 0"]),
        ("I[A;B] = I[A;B,C,D]", ["I[A;C,D|B] = 0"]),
        ("I[A;C,D|B] <= 0", ["I[A;C,D|B] = 0"]),
    ],
)
def test_one_independence_of_groups_may_suffice(claim, wanted):
    assert texts(conditions(claim)) == [wanted]


def test_no_listed_condition_implies_another():
    found = conditions("I[A;B]+I[C;D] <= I[E;F]")
    assert found
    for one in found:
        assert not any(all(check(fact, given=one) for fact in other) for other in found if other is not one)


def test_facts_of_another_kind_are_refused():
    for question in (conditions, hints):
        with pytest.raises(ConfigError, match="given takes a fact or a list of facts"):
            question("I[X;Z] >= I[Y;Z]", given=3)
