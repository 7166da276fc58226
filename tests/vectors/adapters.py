"""From a vector to the production function that it tests.

An adapter gets a vector and returns what production computes under the names of the vector's expectations.
It may leave out only what NOT_COMPUTED explains; any other expectation without an answer is a disagreement.
"""

import numpy as np

from agents.lab import reducible_loss, scaling_exponent
from model.clearing import TOLERANCE, Clearing
from model.contagion import debtrank, spectral_radius
from model.demand import bass_peak, bass_step, nested_logit, rebound
from model.hardware import UserCost
from model.kernels_hardware import impairment, month_of_wear
from model.kernels_solvency import spread_default
from model.ledger import ASSET, CLAIM, INCOME, Ledger
from model.pricing import MINSKY_NAMES, first_passage, first_passage_monthly, minsky_class, quote
from model.stack import clear_market, connection_queue, merit_order, month_mean, scarcity_adder, stack_price
from model.stress import (
    commitment_cover,
    composite_stress,
    loan_life_cover,
    lowest_cover,
    months_of_cash,
    percentiles,
)
from model.tape import poisson
from model.technology import compute_optimal, gain_size, lead, leak
from model.waterfall import private_equity_waterfall, project_finance_cascade
from scenarios.experiments.attribution import means_over_worlds, pair_interactions, shapley_values
from scenarios.experiments.scoring import auroc, relative_usefulness
from scenarios.experiments.sensitivity import design, sobol_indices

NOT_COMPUTED = {
    "closed_form_if_no_default": "a remark",
    "fda_rounds": "rounds of the reference solver",
    "highs_returned": "which price of a tie the reference solver returned",
    "monthly_euler_N": "the approximation that production avoids",
    "n_fixed_points_found": "result of the reference's enumeration",
    "note": "a remark",
}

PENDING = []
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
    clauses = np.array(inputs["cross_ref_i_references_j"], dtype=bool) & np.array(
        inputs["threshold_met"], dtype=bool
    )
    accelerated = own.copy()
    spread_default(clauses[:, :, None], accelerated)
    return {"accelerated": accelerated[:, 0]}


class Books:
    """The parties, claims and transactions of a vector, opened on a Ledger of one world.

    A transaction is (kind, payer, payee, amount, claim or None); a claim is (instrument, holder, issuer, +1 or
    -1). What a party pays itself only changes a claim: no cash moves.
    """

    def __init__(self, inputs: dict):
        self.agents, self.transactions = inputs["agents"], inputs["tx"]
        opening = {tuple(key.split("|")): value for key, value in inputs["opening"].items()}
        cash = [opening.get((agent, "cash"), 0.0) for agent in self.agents]
        in_debt = [agent for agent, amount in zip(self.agents, cash, strict=True) if amount < 0.0]
        self.ledger = Ledger(self.agents, in_debt, in_debt[0])
        claims = self._open_claims(inputs["instruments"], opening)
        self.families = [self._open_family(row) for row in self.transactions]
        self.ledger.close_topology()
        self.ledger.allocate(1, cash, claims, inputs["capital0"])

    def _open_claims(self, instruments, opening):
        """Open every claim that is held or traded; who holds, holds of the instrument's one issuer."""
        self.claims, balances = {}, []
        traded = [tuple(row[4][:3]) for row in self.transactions if row[4]]
        for instrument in instruments:
            held = {agent: amount for (agent, name), amount in opening.items() if name == instrument}
            issuers = [agent for agent, amount in held.items() if amount < 0.0]
            if instrument == "cash" or not (held or any(name == instrument for name, _, _ in traded)):
                continue
            if len(issuers) > 1:
                raise ValueError(f"{instrument}: the opening does not say who owes whom")
            pairs = [(agent, issuer) for issuer in issuers for agent in held if held[agent] > 0.0]
            pairs += [pair for name, *pair in traded if name == instrument and tuple(pair) not in pairs]
            for holder, issuer in dict.fromkeys(map(tuple, pairs)):
                row = self.ledger.open_claims(instrument, [f"{holder}'s"], [holder], [issuer])
                self.claims[instrument, holder, issuer] = row
                balances.append(held.get(holder, 0.0))
        return balances

    def _open_family(self, row):
        kind, payer, payee, _, claim = row
        if payer == payee:
            return None
        if claim is None:
            nature = ASSET if kind == "capex" else INCOME
            return self.ledger.open_family(kind, [payer], [payee], nature=nature)
        rows, sign = self.claims[tuple(claim[:3])], claim[3]
        return self.ledger.open_family(kind, [payer], [payee], nature=CLAIM, claims=rows, sign=sign)

    def play(self):
        """Pay new money at once and in order, as phase 9 does; bill the rest and clear it, as 8 and 10 do."""
        for (_, _, _, amount, claim), family in zip(self.transactions, self.families, strict=True):
            if family is None:
                self.ledger.change_claims(self.claims[tuple(claim[:3])], claim[3] * amount)
            elif family.nature == CLAIM and family.sign > 0:
                self.ledger.pay(family, np.array([[amount]]))
            else:
                self.ledger.bill(family, np.array([[amount]]))
        self.ledger.settle()


def ledger(vector: dict) -> dict:
    inputs = vector["inputs"]
    books = Books(inputs)
    one, opening_worth = books.ledger, books.ledger.net_worth()[:, 0]
    books.play()
    income = one.income()[:, 0]  # of the vector: before the wear and the mark of real assets
    worn = np.array(inputs["revaluation"], dtype=float) - np.array(inputs["depreciation"], dtype=float)
    one.change_real_assets(worn[:, None])
    kinds, flows = one.transaction_flows(0)
    rows, sheet = one.balance_sheet(0)
    sheet = dict(zip(rows, sheet, strict=True)) | {"payable": sheet[rows.index("payables")]}
    nothing = np.zeros(len(books.agents))
    worth = one.net_worth()[:, 0]
    proven = one.prove()[0] < 1e-9 and abs(worth.sum() - one.real_assets.sum()) < 1e-9
    return {
        "closing_balance": np.array([sheet.get(name, nothing) for name in inputs["instruments"]]).T,
        "closing_capital": sheet["real assets"],
        "net_worth_open": opening_worth,
        "net_worth_close": worth,
        "income": income,
        "tfm_rows": {
            kind: flows[kinds.index(kind)] if kind in kinds else nothing for kind, *_ in books.transactions
        },
        "sum_net_worth_equals_sum_real_capital": proven,
    }


def waterfall(vector: dict) -> dict:
    inputs = vector["inputs"]
    terms = {
        "preferred_return": inputs["pref_annual"],
        "carry": inputs["carry"],
        "catch_up": inputs["catch_up"],
    }
    capital, due, preferred, catch_up, months = 0.0, 0.0, 0.0, 0.0, []
    for paid_in, paid_out in zip(inputs["contributions"], inputs["distributions"], strict=True):
        tiers = private_equity_waterfall(capital, due, preferred, catch_up, paid_in, paid_out, **terms)
        capital, due = tiers.unreturned, tiers.unpaid_preferred
        preferred, catch_up = preferred + tiers.preferred, catch_up + tiers.catch_up
        months.append(tiers)
    names = {"roc": "returned", "pref": "preferred", "catchup": "catch_up", "lp_split": "split_investors"}
    names |= {"gp_split": "split_manager", "lp": "investors", "gp": "manager"}
    names |= {"unreturned_capital": "unreturned", "unpaid_pref": "unpaid_preferred"}
    return {short: np.array([getattr(tiers, name) for tiers in months]) for short, name in names.items()}


def cascade(vector: dict) -> dict:
    """Run the months one by one. Cash is reported as cash less what operations are owed and could not be paid."""
    inputs = vector["inputs"]
    terms, state = inputs["params"], inputs["opening"]
    left = {
        "cash": max(state["cash"], 0.0),
        "payable": max(-state["cash"], 0.0),
        "reserve": state["dsra"],
        "debt": state["debt"],
        "interest_arrears": state["arrears_int"],
        "principal_arrears": state["arrears_prin"],
    }
    months = []
    for cash_flow in inputs["cfads"]:
        done = project_finance_cascade(
            cash_flow,
            **left,
            interest=left["debt"] * terms["rate"] / 12.0,
            principal=terms["sched"],
            rate=terms["rate"],
            reserve_months=terms["dsra_months"],
            value=terms["value"],
            lockup_dscr=terms["lockup"],
            default_dscr=terms["default_dscr"],
            lockup_loan_to_value=terms["ltv_lock"],
            default_loan_to_value=terms["ltv_default"],
            sweep=terms["sweep"],
            sweep_in_lockup=terms["sweep_lock"],
        )
        left = {name: getattr(done, name) for name in left}
        months.append(done)
    names = {"ltv": "loan_to_value", "dsra_draw": "reserve_draw", "dsra_topup": "reserve_top_up"}
    names |= {"dsra_release": "reserve_release", "lockup": "locked_up", "covenant_breach": "breached"}
    names |= {"end_debt": "debt", "end_dsra": "reserve", "end_arrears_int": "interest_arrears"}
    names |= {"end_arrears_prin": "principal_arrears"}
    names |= {same: same for same in ("dscr", "interest", "principal", "sweep", "equity", "payment_default")}
    table = {short: [getattr(done, name) for done in months] for short, name in names.items()}
    return {"months": table | {"end_cash": [done.cash - done.payable for done in months]}}


def first_passage_pd(vector: dict) -> dict:
    inputs = vector["inputs"]
    given = [inputs[name] for name in ("V", "barrier", "mu", "sigma", "T")]
    return {
        "PD_continuous": first_passage(*given),
        "PD_monthly_monitored_BGK_approx": first_passage_monthly(*given),
    }


def loan_pricing(vector: dict) -> dict:
    inputs = vector["inputs"]
    names = {"operating_cost": "opex_a", "capital_share": "k", "hurdle": "hurdle"}
    names |= {"leverage": "lev", "leverage_free": "lev0", "leverage_slope": "bL"}
    names |= {"cover": "icr", "cover_free": "icr0", "cover_slope": "bC"}
    names |= {"concentration": "share", "concentration_free": "lim", "concentration_slope": "bS"}
    terms = {name: inputs[short] for name, short in names.items()}
    quoted = quote(inputs["pd_a"], inputs["lgd"], inputs["cof_a"], **terms)
    return {
        "monthly_PD": quoted.monthly_default_probability,
        "fair_monthly_rate": quoted.fair_monthly_rate,
        "EL_spread_annual": quoted.expected_loss,
        "UL_charge": quoted.capital_charge,
        "behavioural_addon": quoted.add_on,
        "quoted_annual_rate": quoted.rate,
    }


def minsky(vector: dict) -> dict:
    inputs = vector["inputs"]
    names = ("cfo_before_interest", "interest_due", "scheduled_principal")
    classes = minsky_class(*(np.array(inputs[name], dtype=float) for name in names))
    return {"cls": [MINSKY_NAMES[each] for each in classes]}


def bass(vector: dict) -> dict:
    inputs = vector["inputs"]
    if "p" in inputs:
        years, adopted = bass_peak(inputs["p"], inputs["q"])
        return {"peak_years": years, "F_at_peak": adopted}
    adopted, path = 0.0, [0.0]
    for _ in range(max(inputs["months"])):
        adopted = bass_step(adopted, inputs["p_annual"], inputs["q_annual"], 1.0 / 12.0)
        path.append(adopted)
    return {"exact_N": inputs["m"] * np.array([path[month] for month in inputs["months"]])}


def nests_of(inputs: dict, dissimilarity: str) -> tuple[list, list]:
    """The choices of each nest, and its lambda."""
    nest = np.array(inputs["nest"])
    names = sorted(set(inputs["nest"]))
    scales = [inputs[dissimilarity][str(name)] for name in names]
    return [np.flatnonzero(nest == name) for name in names], scales


def elasticities(
    utility: np.ndarray, weight: np.ndarray, step: float = 1e-5
) -> tuple[np.ndarray, np.ndarray]:
    """Own and cross price elasticities of the plain logit, by the slope of production's shares in the log price."""

    def log_shares(row: int, way: float) -> np.ndarray:
        moved = utility.copy()
        moved[row] -= weight[row] * np.expm1(way * step)
        return np.log(nested_logit(moved, [slice(None)], [1.0], np.zeros(1))[0][:, 0])

    rows = range(len(utility))
    slopes = np.array([(log_shares(row, 1.0) - log_shares(row, -1.0)) / (2.0 * step) for row in rows])
    return np.diag(slopes), np.array([slopes[row, row - 1] for row in rows])


def choice(vector: dict) -> dict:
    inputs = vector["inputs"]
    price = np.array(inputs["price"])[:, None]
    quality = np.array(inputs["quality"])[:, None]
    utility = inputs["const"] + inputs["alpha_q"] * quality - inputs["beta_p"] * price
    nothing = np.zeros(1)
    nests, scales = nests_of(inputs, "lambda_by_nest")
    one_nest = nested_logit(utility, [slice(None)], [1.0], nothing)
    shares, outside, logsum = nested_logit(utility, nests, scales, nothing)
    own, cross = elasticities(utility, inputs["beta_p"] * price)
    return {
        "logit_shares": one_nest[0][:, 0],
        "logit_outside": one_nest[1][0],
        "logit_own_price_elasticity": own,
        "logit_cross_elasticity_of_any_k_wrt_price_j": cross,
        "nested_shares": shares[:, 0],
        "nested_outside": outside[0],
        "logsum_logit": one_nest[2][0],
        "logsum_nested": logsum[0],
    }


def substitutes(vector: dict) -> dict:
    nests, scales = nests_of(vector["inputs"], "lam")
    utility = np.array(vector["inputs"]["V"], dtype=np.float64)[:, None]
    return {"shares_conditional": nested_logit(utility, nests, scales)[0][:, 0]}


def jevons(vector: dict) -> dict:
    inputs = vector["inputs"]
    gain = np.log(inputs["efficiency_multiple"])
    answer = rebound(gain, inputs["price_elasticity_abs"], inputs["pass_through"])
    return {
        "price_mult": answer["price"],
        "token_mult": answer["use"],
        "compute_mult": answer["compute"],
        "revenue_mult": answer["revenue"],
        "rebound_fraction": answer["rebound"],
        "backfire": answer["compute"] > 1.0,
    }


def scaling(vector: dict) -> dict:
    inputs = vector["inputs"]
    fit = [inputs[name] for name in ("E", "A", "B", "alpha", "beta")]
    size, data, loss = compute_optimal(inputs["C_flop"], *fit)
    exponent = scaling_exponent(inputs["alpha"], inputs["beta"])
    return {
        "N_opt": size,
        "D_opt": data,
        "loss": loss,
        "loss_at_10x_compute": inputs["E"] + (loss - inputs["E"]) * reducible_loss(10.0, exponent),
        "reducible_exponent_gamma": exponent,
        "reducible_ratio_per_10x": reducible_loss(10.0, exponent),
    }


def efficiency_leak(vector: dict) -> dict:
    inputs = vector["inputs"]
    labs, lag = inputs["labs"], inputs["lag"]
    efficiency, pending = np.zeros((labs, 1)), np.zeros((lag + 1, labs, 1))
    path, leads = [], []
    for month in range(inputs["T"]):
        own, others = np.zeros((labs, 1)), np.zeros((labs, 1))
        for when, lab, size in inputs["events_month_lab_loggain"]:
            if when == month:
                own[lab] += size
                others[np.arange(labs) != lab] += inputs["phi"] * size
        gain, pending = leak(pending, month, own, others, np.array([[lag]]))
        efficiency = efficiency + gain
        path.append(efficiency[:, 0])
        leads.append(lead(efficiency)[0])
    return {"log_eff": np.array(path), "lead": np.array(leads)}


def chances_of_counts(rate: float, most: int) -> np.ndarray:
    """The probability of each number of events, from where the inversion of a uniform jumps."""
    below, above = np.zeros(most), np.ones(most)
    for _ in range(60):
        middle = 0.5 * (below + above)
        reached = poisson(middle, rate, most) <= np.arange(most)
        below, above = np.where(reached, middle, below), np.where(reached, above, middle)
    return np.diff(np.concatenate([[0.0], above, [1.0]]))


def compound_poisson(vector: dict) -> dict:
    """Moments of the sum of all gains: of the counts and sizes that production draws, by quadrature."""
    inputs = vector["inputs"]
    chance = chances_of_counts(inputs["rate_per_year"] / 12.0, 12)
    count = np.arange(13)
    mean_count = (chance * count).sum()
    variance_of_count = (chance * count**2).sum() - mean_count**2
    luck, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    size = gain_size(inputs["log_gain_lognormal_median"], inputs["log_gain_sigma"], luck)
    mean, square = (weight * size).sum(), (weight * size**2).sum()
    return {
        "mean_log_eff": inputs["months"] * mean_count * mean,
        "var_log_eff": inputs["months"] * (mean_count * (square - mean**2) + variance_of_count * mean**2),
        "prob_no_event": chance[0] ** inputs["months"],
    }


def depreciation(vector: dict) -> dict:
    inputs, months = vector["inputs"], np.array(vector["inputs"]["months"])
    decline, rate, hours = inputs["monthly_decline"], inputs["monthly_r"], inputs["hours_per_month"]
    rent = inputs["rent0_per_hr"] * hours
    cost = inputs["cash_opex_per_hr"] * hours
    worth = UserCost(decline, rate)
    value = worth.value(rent * (1.0 - decline) ** months, cost)
    books = [inputs["cost"]]
    for _ in range(int(months.max())):
        books.append(books[-1] - month_of_wear(inputs["cost"], books[-1], inputs["straight_line_months"]))
    book = np.array(books)[months]
    return {
        "economic_value": value,
        "book": book,
        "impairment": np.array([impairment(*each) for each in zip(book, value, strict=True)]),
        "shutdown_month": worth.months_of_life(rent, cost) + 1.0,
        "NPV_at_purchase": worth.value(rent, cost) - inputs["cost"],
    }


def contagion(vector: dict) -> dict:
    inputs = vector["inputs"]
    claims = np.array(inputs["A_lender_borrower"], dtype=float)
    lender, debtor = np.nonzero(claims)
    equity = np.array(inputs["E0"], dtype=float)[:, None]
    network = (lender, debtor, claims[lender, debtor][:, None], equity)
    found = debtrank(*network, np.array(inputs["shock_abs"], dtype=float)[:, None])
    return {
        "h": found.loss[:, 0],
        "spectral_radius_leverage": spectral_radius(*network)[0],
        "total_relative_loss": found.share_lost(equity)[0],
    }


def shapley(vector: dict) -> dict:
    values = vector["inputs"]["v_bitmask"]
    return {"phi": shapley_values(values), "pair_interaction": pair_interactions(values)}


def shapley_over_worlds(vector: dict) -> dict:
    each = shapley_values(vector["inputs"]["v_bitmask_by_world"])
    means = means_over_worlds(each)
    return {
        "per_world_phi": each,
        "phi_mean": means.mean,
        "se": means.error,
        "ci95_halfwidth": means.reach,
    }


def sobol(vector: dict) -> dict:
    inputs = vector["inputs"]
    bounds = dict.fromkeys(("x1", "x2", "x3"), (-np.pi, np.pi))
    points = design(bounds, inputs["N"])
    one, two, three = points.T
    indices = sobol_indices(
        bounds, np.sin(one) + inputs["a"] * np.sin(two) ** 2 + inputs["b"] * three**4 * np.sin(one)
    )
    return {
        "S1": indices.first,
        "ST": indices.total,
        "shapley_effects": indices.shapley,
        "n_model_runs": len(points),
    }


def stress_index(vector: dict) -> dict:
    inputs = vector["inputs"]
    sample = np.sort(np.array(inputs["reference_sample"], dtype=float), axis=0)
    reference = np.ascontiguousarray(sample.T)
    decay, highest = np.array([[inputs["lam"]]]), np.zeros((1, 1))
    weights = np.array(inputs["weights"])[:, None]
    covariance = np.eye(len(weights))[:, :, None] / 12.0
    places, squared = [], []
    for month in np.array(inputs["raw"], dtype=float):
        place = percentiles(month[:, None], reference)
        covariance, value, _, _, highest = composite_stress(place, weights, covariance, decay, highest)
        places.append(place[:, 0])
        squared.append(value[0, 0])
    mean = np.array(places) @ weights[:, 0]
    return {
        "percentiles": np.array(places),
        "ciss": squared,
        "sqrt_ciss": np.sqrt(squared),
        "mean_percentile": mean,
        "upper_bound_m_squared": mean**2,
    }


def cash_runway(vector: dict) -> dict:
    cases = vector["inputs"]
    return {
        "months": [
            months_of_cash(case["cash"] + case["undrawn_committed"], np.array(case["net_flows"])[:, None])[0]
            for case in cases
        ]
    }


def coverage(vector: dict) -> dict:
    inputs = vector["inputs"]
    cash, committed = (np.array(inputs[name])[:, None] for name in ("cfads", "committed_payments"))
    rate = inputs["monthly_r"]
    return {
        "commitment_coverage": commitment_cover(cash, committed, rate)[0],
        "LLCR": loan_life_cover(cash, inputs["debt"], rate)[0],
        "min_period_cover": lowest_cover(cash, committed)[0],
    }


def early_warning(vector: dict) -> dict:
    inputs = vector["inputs"]
    cases = inputs["signal"], inputs["crisis_within_h"]
    return {
        "auroc": auroc(*cases),
        "relative_usefulness": relative_usefulness(*cases, inputs["threshold"], inputs["mu"]),
    }


def market(vector: dict) -> dict:
    """The units sorted as production does, the load and its bidders, and the price that clears them."""
    inputs = vector["inputs"]
    capacity, cost = _column(inputs["cap_MW"]), _column(inputs["mc"])
    position = np.arange(len(cost), dtype=float)[:, None]
    cost, capacity, position = merit_order(cost, capacity, position)
    bids = np.array(inputs.get("elastic_blocks_MW_bid", []), dtype=float).reshape(-1, 2)
    load = np.array([inputs.get("firm_load_MW", inputs.get("load_MW", inputs.get("load")))], dtype=float)
    cap = inputs.get("voll", cost.max())
    got = clear_market(capacity, cost, cap, load, bids[:, :1], bids[:, 1:])
    dispatch = got.dispatch[np.argsort(position[:, 0]), 0]
    served = got.served[:, 0]
    return {
        "price": got.price[0],
        "our_convention": got.price[0],
        # Every price from the last one at which the load is served to the next step supports an exact tie.
        "lp_dual_interval": [
            got.price[0],
            stack_price(np.cumsum(capacity, axis=0), cost, load + 1e-6, cap)[0],
        ],
        "dispatch": dispatch,
        "shed": got.shed[0],
        "firm_shed_MW": got.shed[0],
        "elastic_served_MW": served[0] if len(served) == 1 else served,
        "gas_MW": dispatch[2] if len(dispatch) > 2 else np.nan,
        "oil_MW": dispatch[3] if len(dispatch) > 3 else np.nan,
    }


def scarcity(vector: dict) -> dict:
    inputs = vector["inputs"]
    terms = [inputs[name] for name in ("voll", "reserves_MW", "min_contingency_MW", "mu", "sigma")]
    price, (cap, reserve, *rest) = inputs["energy_lambda"], terms
    adder = scarcity_adder(price, cap, reserve, *rest)
    least = price + scarcity_adder(price, cap, inputs["min_contingency_MW"], *rest)
    return {"adder": adder, "price": price + adder, "at_or_below_mcl_price": least}


def month_of_blocks(vector: dict) -> dict:
    inputs = vector["inputs"]
    weight, load = np.array(inputs["blocks_weight_load"], dtype=float).T
    capacity, cost = _column(inputs["cap"]), _column(inputs["mc"])
    thermal = np.arange(len(cost)) > 0
    peak = np.arange(len(load)) == len(load) - 1
    answer = {}
    for name, hot in (("base", False), ("heat", True)):
        left = (
            np.where(thermal[:, None] & peak & hot, inputs["thermal_derate_on_units_1plus"], 1.0) * capacity
        )
        asked = np.where(peak & hot, inputs["heat_load_mult"], 1.0) * load
        price = stack_price(np.cumsum(left, axis=0), cost, asked, inputs["voll"])
        answer[f"block_prices_{name}"] = price
        answer[f"avg_{name}"] = month_mean(weight[:, None], price[:, None])[0]
    return answer


def queue(vector: dict) -> dict:
    inputs = vector["inputs"]
    got = connection_queue(
        inputs["requested_MW"], _column(inputs["stage_completion_prob"]), _column(inputs["stage_months"])
    )
    return {
        "survival": got.survival[:, 0],
        "expected_energised_MW": got.connected[0],
        "median_months_if_survive": got.months[0],
    }


def _column(values):
    return np.array(values, dtype=float)[:, None]


BUILT = {
    "1 clearing Eisenberg-Noe": clearing,
    "1 clearing seniority (Elsinger)": clearing,
    "1 clearing convergence": clearing,
    "1 clearing layered DAG": clearing,
    "3 SFC TFM and BSM": ledger,
    "4 PE JV waterfall": waterfall,
    "4 project-finance waterfall": cascade,
    "5 first-passage PD": first_passage_pd,
    "5 loan pricing": loan_pricing,
    "5 Minsky": minsky,
    "4 cross-default closure": cross_default,
    "6 power merit order": market,
    "6 power elastic load": market,
    "6 power pitfalls": market,
    "6 power scarcity adder": scarcity,
    "6 power monthly block price": month_of_blocks,
    "6 power interconnection queue": queue,
    "7 Bass diffusion": bass,
    "2 DebtRank linear (Bardoscia 2015)": contagion,
    "8 Shapley": shapley,
    "8 Shapley CRN CI": shapley_over_worlds,
    "8 Sobol": sobol,
    "9 stress index": stress_index,
    "9 cash runway": cash_runway,
    "9 coverage": coverage,
    "9 early warning": early_warning,
    "7 logit with outside option": choice,
    "7 nested logit pitfalls": substitutes,
    "7 Jevons rebound": jevons,
    "7 scaling law": scaling,
    "7 efficiency leak": efficiency_leak,
    "7 compound Poisson efficiency": compound_poisson,
    "7 hardware economic depreciation": depreciation,
}


def flat(table: dict) -> dict:
    """Give a table without tables in it: what is called b in a table a is called "a b".

    A list of tables is a table of lists.
    """
    rows = {}
    for name, value in table.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = {key: [each[key] for each in value] for key in value[0]}
        rows |= (
            {f"{name} {key}": each for key, each in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return rows


def disagreements(vector: dict) -> list[str]:
    """Expectations of the vector that production does not meet; raises KeyError for an unknown mechanism."""
    answer, tolerance = flat(BUILT[vector["mechanism"]](vector)), vector["tolerance"]
    wrong = []
    for name, expected in flat(vector["expected"]).items():
        if name in NOT_COMPUTED:
            continue
        if name not in answer:
            wrong.append(f"{name}: nothing computes it")
            continue
        if np.array(expected).dtype.kind == "U" and not {"inf", "-inf", "nan"} & set(np.ravel(expected)):
            if not np.array_equal(expected, answer[name]):
                wrong.append(f"{name}: {answer[name]} instead of {expected}")
            continue
        # Strings stand for what JSON cannot say: "inf", "nan".
        expected, got = np.array(expected, dtype=np.float64), np.asarray(answer[name], dtype=np.float64)
        if expected.shape != got.shape or not np.allclose(
            got, expected, rtol=tolerance, atol=tolerance, equal_nan=True
        ):
            wrong.append(f"{name}: {got.tolist()} instead of {expected.tolist()}")
    return wrong
