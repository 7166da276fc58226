"""Every Param changes what happens: in the baseline, or in a case that is named for it.

All Params are tried in one run: worlds with the same luck, each with one Param at one end of its range, beside a world
in which none is moved. Worlds do not touch one another (`test_worlds_identical.py`), so what differs is that Param's.
"""

import numpy as np
import pytest

from model import DebtTrapModel
from model.stress import MEASURES
from scenarios.schema import load

POOR = {"hyperscaler.other_cash_flow": -50.0, "utility.other_cash_flow": -50.0, "loan.lab_borrows": 1.0}
BREACHED = {
    "site_company.default_dscr": 1.5,
    "site_company.equity_cures": 0,
    "site_company.liquidation_value": 1.0,
}
OWN_TURBINES = {"power.turbine_lead": 24, "power.queue_level": 3.0, "power.turbine_orders": 0.0}
RENTS_HOLD = {"compute_market.decline": 0.0, "compute_market.obsolescence": 0.0, "halls.chip_price": 25.0}
CREDIT = ("borrowing_cap", "leverage_ceiling", "value_multiple", "value_volatility")
MUST_RUN = ("wind", "solar", "hydro", "nuclear")
VENTURE = (
    *("reading", "direction", "month", "ticket", "partner_capital", "preferred_return", "carry", "catch_up"),
    "fee_yield",
)

ELSEWHERE = [
    ("credit_freeze", {}, ["lease.relet_delay", "lease.relet_share", "lease.claim_cap_share"]),
    ("credit_freeze", {}, ["loan_pricing.rations", "site_company.equity_cures"]),
    ("credit_freeze", {}, [f"compute_market.{name}" for name in ("fire_sale_depth", "absorption")]),
    ("credit_freeze", {}, [f"hardware.{name}" for name in ("enabled", "book_life", "physical_life", "discount_rate")]),
    ("baseline", RENTS_HOLD, ["hardware.refreshes"]),
    ("credit_freeze", {}, ["infrastructure_partner.liquidation_value", "compute_contract.discount_rate"]),
    ("credit_freeze", {}, ["stress.workout_years", "stress.distressed_return"]),
    ("energy_crunch", {}, ["power.own_power_price", "commission.delay_at", "commission.refuse_at"]),
    ("announced", {}, ["power.queue_attrition"]),
    ("announced", OWN_TURBINES, ["power.turbine_cost"]),
    ("baseline", {"utility.peak_load": 5.0}, [f"utility.cost_{kind}" for kind in MUST_RUN]),
    ("jv_seed", {}, [f"joint_venture.{name}" for name in VENTURE]),
    ("jv_seed", {"solvency.rescue": "none", "demand.growth_level": 0.5}, ["joint_venture.ip_lien"]),
    ("jv_reported", {}, ["joint_venture.guaranteed_return", "joint_venture.market_yield"]),
    ("baseline", {"loan_pricing.enabled": False}, ["credit.corporate_spread"]),
    ("hsbc_2025", {}, [f"equity_investors.committed_{year}" for year in range(2026, 2031)]),
    ("own_balance_sheet", {}, ["openai.liquidation_value", "openai.renegotiates", "openai.renegotiation_cut"]),
    ("own_balance_sheet", {}, ["openai.leverage_ceiling", "compute_market.second_use", "solvency.cross_acceleration"]),
    ("own_balance_sheet", {}, ["solvency.rescue", "solvency.survival_if_granted", "solvency.estate_multiple"]),
    ("own_balance_sheet", {}, ["solvency.expected_recovery"]),
    ("fibre_1996", {"loan.lab_borrows": 1.0}, ["openai.depreciation"]),
    ("growth_disappoints", {"solvency.rescue": "public backstop"}, ["solvency.backstop_cap"]),
    ("baseline", BREACHED, ["site_company.accelerates", "site_company.cure_months"]),
    ("baseline", POOR, [f"hyperscaler.{name}" for name in (*CREDIT, "equity_issue_cap")]),
    ("baseline", POOR, [f"utility.{name}" for name in (*CREDIT, "equity_issue_cap")]),
    ("baseline", POOR, ["openai.value_volatility"]),
    ("efficiency_shock", {}, ["small_model_builder.equity_issue_cap"]),
    ("baseline", {"small_model_builder.mature_training_share": 0.4}, ["small_model_builder.training_maturity"]),
]  # fmt: skip
"""(scenario, what is set in it, Params that matter there)."""

NOT_IN_THESE_BOOKS = {
    **{f"{who}.{name}": "has no line and no loan" for who in ("rival_lab", "small_model_builder") for name in CREDIT},
    **{
        f"{who}.{name}": "owns no assets of its own"
        for who in ("rival_lab", "small_model_builder")
        for name in ("depreciation", "liquidation_value")
    },
    "rival_lab.mature_training_share": "a rival follows its growth plan",
    "rival_lab.training_maturity": "a rival follows its growth plan",
    "hyperscaler.liquidation_value": "none is ever wound up",
    "utility.liquidation_value": "none is ever wound up",
    "openai.value_multiple": "its valuation is worth more than its earnings",
    "loan_pricing.secured_loss": "secured loans are all signed; none is priced anew",
    "credit.crowding_out": "banks have room to spare",
    "private_equity_lender.memory_half_life": "Brookfield, whose will counts, has nothing to lose",
    "private_equity_lender.walk_away_loss": "Brookfield, whose will counts, has nothing to lose",
}  # fmt: skip
"""Params that rules read, and that change nothing with the parties and contracts of the end of 2025: why."""


class Varied(DebtTrapModel):
    """A run in which each of `trials`, (path, value), is set in worlds of its own, beside one that is left alone."""

    def __init__(self, trials, luck, setting):
        self.trials = trials
        DebtTrapModel.__init__(self, np.repeat(luck, len(trials) + 1), 1, 96, setting, record=False)

    def _set_params(self):
        DebtTrapModel._set_params(self)
        for at, (path, value) in enumerate(self.trials):
            self.set_param(path, value, np.arange(self.worlds) % (len(self.trials) + 1) == at)

    def moved(self):
        """The paths of the trials that ended otherwise than their neighbour of the same luck."""
        self.run_for(96)
        ledger, solvency = self.ledger, self.solvency
        seen = [
            ledger.cash,
            ledger.claims,
            ledger.real_assets,
            solvency.default_month,
            solvency.loss,
            solvency.trapped,
        ]
        seen += [
            self.stress.index,
            self.stress.peak,
            np.stack(list(MEASURES["recovery"].take(self, None).values())),
        ]
        differs = np.zeros(len(self.trials), dtype=bool)
        for block in seen:
            by_luck = np.asarray(block).reshape(
                -1, self.worlds // (len(self.trials) + 1), len(self.trials) + 1
            )
            differs |= (by_luck[..., :-1] != by_luck[..., -1:]).any(axis=(0, 1))
        return {path for (path, _), each in zip(self.trials, differs, strict=True) if each}


def ends(setting, paths=None):
    """Both ends of the range of every Param, or of some; all values of a choice or a switch."""
    model, found = DebtTrapModel(worlds=1, setting=setting, record=False), []
    for group, param in model.declared():
        values = param.choices or ((param.low, param.high) if param.low is not None else (False, True))
        if paths is None or f"{group}.{param.name}" in paths:
            found += [(f"{group}.{param.name}", value) for value in values]
    return found


@pytest.fixture(scope="module")
def in_the_baseline():
    trials = ends(load("baseline"))
    return {path for path, _ in trials}, Varied(trials, (0, 1, 2), load("baseline")).moved()


def test_every_parameter_matters_in_the_baseline_or_where_it_is_said_to(in_the_baseline):
    declared, moved = in_the_baseline
    elsewhere = {path for _, _, paths in ELSEWHERE for path in paths}
    assert declared - moved - elsewhere - set(NOT_IN_THESE_BOOKS) == set()


def test_what_is_said_to_change_nothing_exists_and_changes_nothing(in_the_baseline):
    declared, moved = in_the_baseline
    assert set(NOT_IN_THESE_BOOKS) <= declared
    assert set(NOT_IN_THESE_BOOKS) & moved == set()


@pytest.mark.parametrize(("scenario", "sets", "paths"), ELSEWHERE)
def test_a_parameter_that_is_idle_in_the_baseline_matters_where_it_is_said_to(scenario, sets, paths):
    setting = load(scenario).with_set(sets)
    assert Varied(ends(setting, paths), (0, 1, 2, 3, 4, 5), setting).moved() == set(paths)
