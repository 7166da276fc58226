import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.kernels_solvency import spread_default

flags = st.integers(1, 6).flatmap(
    lambda n: st.tuples(hnp.arrays(bool, (n, 3)), hnp.arrays(bool, (n, n, 3)), hnp.arrays(bool, (n, n, 3)))
)


def closure(own, references, threshold_met):
    """Who is in default by clauses that count where the debt in default reaches the amount that they name."""
    default = own.copy()
    spread_default(np.ascontiguousarray(references & threshold_met), default)
    return default


def reachable(own, clause):
    """One world, borrower by borrower."""
    default = set(np.flatnonzero(own))
    waiting = list(default)
    while waiting:
        fallen = waiting.pop()
        for borrower in np.flatnonzero(clause[:, fallen]):
            if borrower not in default:
                default.add(borrower)
                waiting.append(borrower)
    return default


@given(flags)
def test_closure_is_reachability_in_each_world(case):
    own, references, met = case
    default = closure(own, references, met)
    for world in range(3):
        clause = references[:, :, world] & met[:, :, world]
        assert set(np.flatnonzero(default[:, world])) == reachable(own[:, world], clause)


@given(flags)
def test_closure_contains_its_argument_and_is_its_own_closure(case):
    own, references, met = case
    default = closure(own, references, met)
    assert (default >= own).all()
    assert np.array_equal(closure(default, references, met), default)


@given(flags, st.data())
def test_closure_grows_with_each_argument(case, data):
    own, references, met = case
    more = [values | data.draw(hnp.arrays(bool, values.shape)) for values in case]
    default = closure(own, references, met)
    assert (closure(more[0], references, met) >= default).all()
    assert (closure(own, more[1], met) >= default).all()
    assert (closure(own, references, more[2]) >= default).all()


def test_clauses_may_be_the_same_in_all_worlds():
    chain = np.eye(4, k=-1, dtype=bool)[:, :, None]
    own = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], dtype=bool)
    assert closure(own, chain, chain).T.tolist() == [[True] * 4, [False, False, True, True]]
    threshold = np.ones((4, 4, 2), dtype=bool)
    threshold[3, 2, 1] = False
    assert closure(own, chain, threshold).T.tolist() == [[True] * 4, [False, False, True, False]]
