"""From a vector to the production function that it tests.

An adapter gets a vector and returns what production computes under the names of the vector's expectations.
It may leave out only what NOT_COMPUTED explains; any other expectation without an answer is a disagreement.
"""

import numpy as np

from model.clearing import TOLERANCE, Clearing
from model.cross_default import closure

NOT_COMPUTED = {
    "fda_rounds": "rounds of the reference solver",
    "n_fixed_points_found": "result of the reference's enumeration",
    "note": "a remark",
}

PENDING = [
    "2 DebtRank linear (Bardoscia 2015)",
    "3 SFC TFM and BSM",
    "4 PE JV waterfall",
    "4 project-finance waterfall",
    "5 first-passage PD",
    "5 loan pricing",
    "5 Minsky",
    "6 power merit order",
    "6 power elastic load",
    "6 power pitfalls",
    "6 power scarcity adder",
    "6 power monthly block price",
    "6 power interconnection queue",
    "7 logit with outside option",
    "7 nested logit pitfalls",
    "7 Bass diffusion",
    "7 Jevons rebound",
    "7 scaling law",
    "7 efficiency leak",
    "7 compound Poisson efficiency",
    "7 hardware economic depreciation",
    "8 Shapley",
    "8 Shapley CRN CI",
    "8 Sobol",
    "9 stress index",
    "9 cash runway",
    "9 coverage",
    "9 early warning",
]
"""Mechanisms that have vectors but no production function yet; the list only shrinks."""


def obligations(inputs: dict) -> tuple[np.ndarray, ...]:
    """Payer, payee, class and amount of each edge, from whichever form the vector has."""
    if "edges" in inputs:
        payer, payee, amount = np.array(inputs["edges"], dtype=np.float64).T
        return payer.astype(int), payee.astype(int), np.zeros(payer.size, dtype=int), amount
    forms = ["liabilities_L"] if "liabilities_L" in inputs else ["senior_L", "junior_L"]
    matrices = np.array([inputs[form] for form in forms], dtype=np.float64)
    seniority, payer, payee = np.nonzero(matrices)
    return payer, payee, seniority, matrices[seniority, payer, payee]


def clearing(vector: dict) -> dict:
    inputs, expected = vector["inputs"], vector["expected"]
    if inputs.get("alpha", 1) != 1 or inputs.get("beta", 1) != 1:
        raise ValueError("the monthly clearing has no deadweight costs: alpha and beta are 1")
    payer, payee, seniority, amount = obligations(inputs)
    cash = np.array(inputs["cash_e"], dtype=np.float64)
    parties = cash.shape[-1]
    cash_worlds_last = np.atleast_2d(cash).T
    due = np.repeat(amount[:, None], cash_worlds_last.shape[1], axis=1)
    network = Clearing(payer, payee, seniority, parties)
    paid = network.clear(cash_worlds_last, due)

    def by(party, values, shape=cash.shape):
        """Add up per party and give back the vector's form, worlds first or absent."""
        sums = np.zeros((parties, values.shape[1]))
        np.add.at(sums, party, values)
        return sums.T.reshape(shape)

    payments, received, owed = by(payer, paid), by(payee, paid), by(payer, due)
    answer = {
        "payments": payments,
        "greatest": payments,
        "received": received,
        "equity": cash + received - payments,
        "default": owed - payments > TOLERANCE * np.maximum(owed, 1.0),
        "shortfall": (owed - payments).sum(-1),
        "bankruptcy_cost": cash.sum(-1) - (cash + received - payments).sum(-1),
        "senior_paid": by(payer, paid * (seniority == 0)[:, None]),
        "junior_paid": by(payer, paid * (seniority == 1)[:, None]),
    }

    def if_fixed_point(payments_by_party):
        """Apply the production map to these payments, split pro rata; a fixed point comes back."""
        guess = due * (np.array(payments_by_party, dtype=np.float64) / owed)[payer][:, None]
        return by(payer, network.response(cash_worlds_last, due, guess))

    if "least" in expected:
        answer["least"] = if_fixed_point(expected["least"])
        answer["unique"] = np.array_equal(answer["least"], payments)
    if "any_t_times" in expected:
        direction = np.array(expected["any_t_times"], dtype=np.float64)
        moved = [if_fixed_point(t * direction) - t * direction for t in (0.0, 0.25, 0.5, 1.0)]
        answer["any_t_times"] = direction + np.abs(moved).max(axis=0)
    return answer


def cross_default(vector: dict) -> dict:
    inputs = vector["inputs"]
    own = np.array(inputs["own_event_of_default"], dtype=bool)[:, None]
    accelerated = closure(own, inputs["cross_ref_i_references_j"], inputs["threshold_met"])
    return {"accelerated": accelerated[:, 0]}


BUILT = {
    "1 clearing Eisenberg-Noe": clearing,
    "1 clearing seniority (Elsinger)": clearing,
    "1 clearing convergence": clearing,
    "1 clearing layered DAG": clearing,
    "4 cross-default closure": cross_default,
}


def disagreements(vector: dict) -> list[str]:
    """Expectations of the vector that production does not meet; raises KeyError for an unknown mechanism."""
    answer, tolerance = BUILT[vector["mechanism"]](vector), vector["tolerance"]
    wrong = []
    for name, expected in vector["expected"].items():
        if name in NOT_COMPUTED:
            continue
        if name not in answer:
            wrong.append(f"{name}: nothing computes it")
            continue
        # Strings stand for what JSON cannot say: "inf", "nan".
        expected, got = np.array(expected, dtype=np.float64), np.asarray(answer[name], dtype=np.float64)
        if expected.shape != got.shape or not np.allclose(
            got, expected, rtol=tolerance, atol=tolerance, equal_nan=True
        ):
            wrong.append(f"{name}: {got.tolist()} instead of {expected.tolist()}")
    return wrong
