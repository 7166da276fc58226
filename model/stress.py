"""Stress: what a credit analyst watches, as arithmetic on cash flows and as one index between 0 and 1.

Nothing here decides anything: no agent reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.accounts import OPERATING_KINDS
from model.contagion import debtranks
from model.demand import bass_age, bass_peak
from model.kernels_stress import join_by_correlation, place_in_sample, read_weakness
from model.ladder import level_annuity
from model.opening import LIBRARY
from model.pricing import first_passage_monthly, minsky_class
from model.roles import LAB
from model.sums import total

CAP = 10.0
"""Covers are capped here: "nothing is due"."""
READINGS = ("funding", "coverage", "liquidity", "leverage", "power", "demand")
WEIGHTS = np.full((len(READINGS), 1), 1.0 / len(READINGS))
REFERENCE = LIBRARY.parent / "stress_reference.csv"
"""The frozen sample that readings are placed in; its first lines say where it comes from."""
FLOOR = 1e-6
"""A reading at or below it is at its floor: nothing is amiss."""


@cache
def reference_sample():
    """Give the frozen reference sample, ``(sample, readings)``, each column sorted: worlds of the baseline."""
    sample = np.sort(np.loadtxt(REFERENCE, delimiter=",", comments="#", ndmin=2), axis=0)
    sample.setflags(write=False)
    return sample


@cache
def _reference_rows():
    """Give the same, a row for each reading."""
    return np.ascontiguousarray(reference_sample().T)


class Stress(Mechanism):
    """Six readings that are zero while nothing is amiss, their places in a frozen sample, and one index.

    The index is the root of the composite indicator of systemic stress (Hollo, Kremer and Lo Duca 2012): readings
    count for more when they are high together. `mean` is the same with all correlations at one, so the two agree when
    everything is bad at once. Published decay is 0.93 a *week*; a month has 52/12 weeks, and 0.93^(52/12) = 0.73.
    """

    group = "stress"

    decay = Param(
        0.73,
        "per month",
        (0.3, 0.99),
        "Weight of the past in the correlations of the readings.",
        source="assumed, from Hollo, Kremer and Lo Duca (2012): 0.93 a week, to the power 52/12",
    )
    workout_years = Param(
        1.75, "years", (0.0, 5.0), "Time in which an estate is wound up in life; the model takes a month."
    )
    distressed_return = Param(
        0.2, "per year", (0.0, 0.6), "Return that buyers of defaulted debt ask while they wait for it."
    )

    index = State("0 to 1", "root of the composite indicator: places of the readings, joined by correlation")
    mean = State("0 to 1", "mean place of the readings in the frozen sample")
    funding = State("x", "spread over the calm spread, less one")
    coverage = State("share", "sites of the lab below lock-up cover and partners in arrears or gone, of all")
    liquidity = State("share", "what the lab's runway lacks of twelve months")
    leverage = State(
        "share", "partners' debt above their ceiling, each by how far it is above, of all their debt"
    )
    power = State(
        "share",
        "price of power above that of a calm year, plus the share of data centres cut, mean over regions by load",
    )
    demand = State("log", "the lab's revenue below expectation")
    peak = State("0 to 1", "highest index so far")

    covariance = State(
        "x", "decayed covariances of the readings, each with each", over=len(READINGS), rows=len(READINGS)
    )

    measures = ("index", "mean", *READINGS)

    def read(self):
        """Take the six readings, find their places in the frozen sample, and join them."""
        readings = np.empty((len(READINGS), self.worlds))
        self._read_weakness(readings)
        self.set_rows(READINGS, readings)
        places = percentiles(readings, _reference_rows(), FLOOR)
        if self.model.month == 0:
            self.covariance = np.repeat(np.eye(len(READINGS))[:, :, None] / 12.0, self.worlds, axis=2)
        joined = composite_stress(places, WEIGHTS, self.covariance, self.decay, self.peak)
        self.covariance, _, self.index, self.mean, self.peak = joined

    def _read_weakness(self, readings):
        """Take the six readings, ``(readings, worlds)``.

        Sites of others are left out: their cover is thin by design, and their tenant is not the lab.
        """
        model, lab, sites = self.model, self.model.openai, self.model.sites
        partners, utilities, solvency = model.partners, model.utilities, model.solvency
        read_weakness(
            model.ledger.closed,
            solvency.months_missed,
            solvency.debt,
            lab.place.start,
            sites.place.start,
            partners.place.start,
            model.credit.spread_multiple,
            lab.runway,
            model.demand.revenue_surprise,
            model.halls.rows,
            sites.months_complete,
            sites.dscr,
            sites.lockup_dscr,
            partners.sells_holdings,
            partners.loan_to_value,
            partners.loan_to_value_ceiling,
            partners.leverage,
            partners.leverage_ceiling,
            utilities.price,
            self._calm_price,
            utilities.curtailed,
            utilities.load,
            readings,
        )

    @of_params
    def _calm_price(self):
        """Price of power in a calm year, ``(regions, worlds)``, US$/MWh: the reference price where scarcity is off."""
        power, utilities = self.model.power, self.model.utilities
        return np.where(power.enabled, utilities.calm_price, utilities.reference_price)


# -- arithmetic of the measures: worlds last ------------------------------------------------------------------


def percentiles(readings, reference, floor=-np.inf):
    """Give each reading's place in a frozen reference sample: the share of the sample that is not above it.

    ``readings`` ``(readings, worlds)``; ``reference`` ``(readings, sample)``, each row sorted; gives
    ``(readings, worlds)`` in [0, 1]. A reading at its ``floor`` (nothing is amiss) counts as 0: much of the sample lies
    on the floor, and its share there would make calm look like stress.
    """
    places = np.empty(np.shape(readings))
    place_in_sample(readings, reference, floor, places)
    return places


def composite_stress(places, weights, covariance, decay, highest):
    """Give (covariances after this month, squared indicator, its root, mean, highest root) of percentiles.

    s = z - 1/2;  S' = decay S + (1 - decay) s s^T;  C = correlations of S';  CISS = (w z) C (w z)^T, at most (w z)^2:
    readings that are high together count for more than the same readings apart. Hollo, Kremer and Lo Duca (2012), ECB
    Working Paper 1426. ``places`` ``(n, worlds)``, ``weights`` ``(n, 1)`` adding up to one, ``covariance``
    ``(n, n, worlds)``; decay, the highest root so far and all but the covariances ``(1, worlds)``, in [0, 1].
    """
    row = decay.shape
    found = np.empty(covariance.shape), np.empty(row), np.empty(row), np.empty(row), np.empty(row)
    join_by_correlation(places, weights, covariance, decay, highest, *found)
    return found


def months_of_cash(liquid, flows):
    """Give the runway: months until cash and available committed lines are used up, inf if they never are.

    The first month in which ``liquid`` plus all net flows so far falls below nothing, linear inside the month; with a
    constant burn it is liquid / burn. ``liquid`` ``(..., worlds)`` US$bn, restricted reserves excluded; ``flows``
    ``(months, ..., worlds)`` net cash flow of each month ahead, US$bn. Fridson and Alvarez, *Financial Statement
    Analysis* (cash burn).
    """
    flows = np.asarray(flows, dtype=float)
    after = liquid + np.cumsum(flows, axis=0)
    before = after - flows
    short = after < 0.0
    first = np.argmax(short, axis=0)[None]
    left = np.take_along_axis(before, first, axis=0)[0]
    burn = np.take_along_axis(flows, first, axis=0)[0]
    months = first[0] + np.maximum(left, 0.0) / np.maximum(-burn, 1e-300)
    return np.where(short.any(axis=0), months, np.inf)


def present_value(payments, rate):
    """Give the worth today of payments at the end of each month ahead, discounted at a monthly rate.

    ``payments`` ``(months, ..., worlds)``; ``rate`` a number or ``(..., worlds)``; gives ``(..., worlds)``.
    """
    payments = np.asarray(payments, dtype=float)
    ahead = np.arange(1, len(payments) + 1).reshape(-1, *(1,) * (payments.ndim - 1))
    return np.cumsum(payments * np.exp(-np.log1p(rate) * ahead), axis=0)[-1]


def cover(cash, due, cap=CAP):
    """Give cash over what it must pay, at most ``cap`` ("nothing due"): finite whatever is due."""
    cash, due = np.asarray(cash, dtype=float), np.asarray(due, dtype=float)
    some = due > 1e-9
    return np.where(some, np.clip(cash / np.where(some, due, 1.0), -cap, cap), cap)


def loan_life_cover(cash_flow, debt, rate):
    """Give the LLCR: present value of the cash available for debt service over the loan's life, over the debt.

    Yescombe, *Principles of Project Finance*. ``cash_flow`` ``(months, ..., worlds)``, ``debt`` ``(..., worlds)``.
    """
    return cover(present_value(cash_flow, rate), debt)


def commitment_cover(cash_flow, committed, rate):
    """Give the present value of cash flow over that of committed payments (take-or-pay and debt service)."""
    return cover(present_value(cash_flow, rate), present_value(committed, rate))


def lowest_cover(cash_flow, due):
    """Give the lowest cover of any single period, ``(..., worlds)``."""
    return cover(cash_flow, due).min(axis=0)


# -- what a credit analyst expects: each measure reads the model at the end of a month ---------------------------

NEW_DEBT = ("draw", "loan sale")
NEW_EQUITY = ("equity round", "share issue", "site equity", "capital call", "co-investment", "pledge call")
STEPS = (0.0, 0.01, 0.02, 0.04)


@dataclass(frozen=True)
class Measure:
    """A measure: its unit, a sentence, where it comes from, and the function that takes it.

    ``take(model, year)`` gives {row: ``(worlds,)``}; ``year`` is what flowed through each leg of the Ledger in the last
    twelve months, ``(legs, worlds)``, US$bn.
    """

    unit: str
    sentence: str
    source: str
    take: Callable


MEASURES = {}
"""Every measure by name, in the order in which it is printed."""


def measure(unit, source):
    """Enter a function into `MEASURES`; its docstring is the sentence."""

    def enter(function):
        MEASURES[function.__name__] = Measure(unit, " ".join(function.__doc__.split()), source, function)
        return function

    return enter


def _named(names, block):
    return dict(zip(names, np.broadcast_to(block, (len(names), block.shape[-1])), strict=True))


@measure("US$bn a year", "Fridson and Alvarez, Financial Statement Analysis: sources and uses of funds")
def sources_and_uses(model, year):
    """Cash of the last twelve months by use; the gap is what came from new debt, new equity and savings.

    The rows of a party add up to the change of its cash.
    """
    ledger, rows = model.ledger, {}
    kinds = np.array(ledger.kinds)
    buys = np.zeros(len(kinds), dtype=bool)
    for family in ledger.families.values():
        buys[family.legs] = family.nature == "asset"
    groups = {
        "operations": np.isin(kinds, OPERATING_KINDS),
        "interest": kinds == "interest",
        "repayment": np.isin(kinds, ("principal", "bullet")),
        "new debt": np.isin(kinds, NEW_DEBT),
        "new equity": np.isin(kinds, NEW_EQUITY),
    }
    known = np.logical_or.reduce(list(groups.values()))
    groups["investment"] = buys & ~known
    groups["other"] = ~(known | groups["investment"])
    for group, mask in groups.items():
        net = ledger.net_of(mask.astype(float)) @ year
        for name in (LAB, *model.partners.names):
            rows[f"{name}: {group}"] = net[model.row(name)]
    for name in (LAB, *model.partners.names):
        before = [rows[f"{name}: {group}"] for group in groups if not group.startswith("new")]
        rows[f"{name}: funding gap"] = np.maximum(-total(np.stack(before)), 0.0)
    return rows


@measure("x", "rating agencies' liquidity test: sources over uses of 12 and 24 months")
def liquidity_cover(model, year):
    """Cash, open lines and signed equity of the lab over its minimum payments and staff of 12 and 24 months."""
    lab = model.openai
    liquid = lab.cash + lab.line_undrawn + model.equity_window.signed_total
    return {
        f"OpenAI: {months} months": cover(
            liquid, model.compute_contracts.minimum_due(months) + lab.cost_level * months / 12.0
        )[0]
        for months in (12, 24)
    }


@measure("US$bn", "prospectus practice: debt by maturity; refinanceable amount by loan-to-value and cover")
def maturity_wall(model, year):
    """Site and corporate debt by the year in which it falls due, and what of the sites' debt can be refinanced."""
    loans = model.loans
    left = loans.maturity - model.month
    rows = {}
    for low, high in ((0, 12), (12, 24), (24, 36), (36, 60), (60, 10_000)):
        name = f"due in {low} to {high} months" if high < 10_000 else f"due after {low} months"
        falls = (left > low) & (left <= high) & (loans.balance > 0.0)
        rows[name] = total(loans.balance * falls)
    optional = loans.is_site & (loans.extensions < loans.most_extensions)
    rows["of which with an option to extend"] = total(loans.balance * optional)
    for step in STEPS:
        rows[f"sites: refinanceable at +{round(1e4 * step)} bp"] = total(loans.refinanceable_at(step))
    rows["sites: debt"] = total(loans.by_site @ loans.balance)
    return rows


def _site_cash(model):
    """Cash available for debt service a year at the present rent, ``(sites, worlds)``, US$bn."""
    return model.lease_rent_year * (1.0 - model.sites.operating_share)


def _site_rate(model):
    return np.take(model.loans.rate, model.loans.first_of_site, axis=0)


def _yield(model):
    credit = model.credit
    return credit.base_rate + credit.capitalisation_spread * credit.spread_multiple


AHEAD = 60  # months that a measure looks ahead


def _lab_ahead(model):
    """The lab's cash before minimum payments, and these, of each month ahead, ``(months, worlds)`` each, US$bn.

    Revenue grows at an even pace to what the adoption curve gives at the planning lead, and then stays.
    """
    lab, accounts = model.openai, model.accounts
    months = np.arange(1, AHEAD + 1)[:, None]
    part = np.minimum(months / lab.planning_lead, 1.0)
    revenue = lab.revenue * np.exp(np.log(model.demand.curve_growth) * part) / 12.0
    shared = accounts.revenue_share * (model.month + months < accounts.share_until)
    due = np.concatenate([model.compute_contracts.minimum_due(ahead) for ahead in range(AHEAD + 1)])
    return revenue * (1.0 - shared) - lab.cost_level / 12.0, np.diff(due, axis=0)


@measure("months", "Fridson and Alvarez, Financial Statement Analysis: cash burn")
def months_to_live(model, year):
    """Months until cash, open lines and signed equity of the lab are used up by its minimum payments and staff.

    Without new money, revenue growing along its curve; 60 also stands for longer.
    """
    cash, due = _lab_ahead(model)
    lab = model.openai
    liquid = lab.cash + lab.line_undrawn + model.equity_window.signed_total
    return {LAB: np.minimum(months_of_cash(liquid[0], cash - due), AHEAD)}


@measure("x", "Yescombe, Principles of Project Finance: loan-life cover; the same for minimum payments")
def life_cover(model, year):
    """Present value of cash over what it must pay: of sites to their loan's end, of the lab for 60 months.

    Sites in service, at the present rent and their loan's rate: below 1 where a bullet must be lent again. The lab's
    cash before minimum payments at a tenth a year, and its lowest month.
    """
    loans = model.loans
    debt = loans.by_site @ loans.balance
    left = np.take(loans.maturity, loans.first_of_site, axis=0) - model.month
    months = np.arange(1, int(max(left.max(), 1)) + 1)[:, None, None]
    flow = _site_cash(model) / 12.0 * (months <= left)
    covers = loan_life_cover(flow, debt, _site_rate(model) / 12.0)
    rows = _named(model.sites.names, np.where(model.sites.months_complete > 0, covers, CAP))
    cash, due = _lab_ahead(model)
    rows["OpenAI: minimum payments"] = commitment_cover(cash, due, 0.1 / 12.0)
    rows["OpenAI: lowest month"] = lowest_cover(cash, due)
    return rows


@measure("share", "Black and Cox (1976), barrier tested once a month (Broadie, Glasserman and Kou 1997)")
def chance_of_breach(model, year):
    """Chance that the value of a site in service falls to its loan-to-value covenant in a year, as pricing sees it."""
    debt = model.loans.by_site @ model.loans.balance
    value = model.lease_rent_year / _yield(model)
    pricing = model.loan_pricing
    barrier = np.maximum(debt, 1e-9) / model.sites.default_loan_to_value
    chance = first_passage_monthly(value, barrier, pricing.site_drift, pricing.site_volatility, 1.0)
    return _named(model.sites.names, chance * ((debt > 1e-9) & (model.sites.months_complete > 0)))


@measure("years", "Bass (1969), Management Science 15")
def fastest_adoption(model, year):
    """Years until adoption of each segment is at its fastest at this world's speed; negative: it is past."""
    customers, pace = model.customers, model.demand.speed * model.demand.growth_level
    innovation, imitation = customers.innovation * pace, customers.imitation * pace
    peak, _ = bass_peak(innovation, imitation)
    return _named(list(customers.names), peak - bass_age(customers.adopted, innovation, imitation))


@measure("x", "Yescombe, Principles of Project Finance")
def debt_service_cover(model, year):
    """DSCR of sites and partners: trailing; of sites also forward, interest alone, and at today's rate refinanced.

    Lock-up below 1.20, default below 1.05; at most 10, which also stands for no debt due.
    """
    sites, loans = model.sites, model.loans
    cash, balance = _site_cash(model), loans.by_site @ loans.balance
    interest = loans.by_site @ (loans.balance * loans.rate)
    n_left = np.full(balance.shape, 252)
    fresh = 12.0 * level_annuity(balance, _site_rate(model) / 12.0, n_left)
    service = 12.0 * loans.service_of_sites
    rows = {}
    for word, block in (
        ("trailing", sites.dscr),
        ("forward", cover(cash, service)),
        ("interest only", cover(cash, interest)),
        ("refinanced", cover(cash, fresh)),
    ):
        rows |= _named([f"{name}: {word}" for name in sites.names], block)
    return rows | _named([f"{name}: trailing" for name in model.partners.names], model.partners.dscr)


@measure("share", "Yescombe; lenders' loan-to-cost and loan-to-value, with the tenant and dark")
def loan_to_value(model, year):
    """Debt of each site over its cost (debt and equity paid in), over its value let, and over its value dark."""
    loans, sites, leases = model.loans, model.sites, model.leases
    debt = loans.by_site @ loans.balance
    cost = debt + model.site_equity.by_site @ model.site_equity.paid_in
    value = model.lease_rent_year / _yield(model)
    wait = np.exp(-np.log1p(_yield(model)) * leases.relet_delay / 12.0)
    rows = {}
    for word, worth in (
        ("cost", cost),
        ("value let", value),
        ("value dark", value * leases.relet_share * wait),
    ):
        rows |= _named([f"{name}: to {word}" for name in sites.names], cover(debt, worth) * (debt > 1e-9))
    return rows


@measure("x", "project-finance term sheets: contract tail against debt tail")
def contract_cover(model, year):
    """Months of lease left over months of loan left per site, and the share of each cloud's sales that the lab pays."""
    loans, leases, month = model.loans, model.leases, model.month
    lease = np.maximum(leases.start + leases.tenor - month, 0)[:, None] * np.ones((1, model.worlds))
    loan = np.maximum(np.take(loans.maturity, loans.first_of_site, axis=0) - month, 0)
    rows = _named([f"{name}: lease over loan" for name in model.sites.names], cover(lease, loan))
    billed = model.compute_contracts
    for name in model.opening.roles.clouds:
        of_lab = billed.of_openai & (billed.seller == model.row(name))
        paid = total(billed.price * billed.used * of_lab[:, None]) / 12.0
        sold = model.partners.compute_revenue[model.partners.names.index(name)]
        rows[f"{name}: share of sales from OpenAI"] = np.minimum(cover(paid, sold) * (sold > 1e-9), 1.0)
    return rows


@measure("x", "rating agencies: debt adjusted for leases and purchase commitments")
def leverage(model, year):
    """Debt over earnings as reported, and with leases and the lab's minimum payments of five years as debt."""
    rows = _named([f"{name}: reported" for name in model.partners.names], model.partners.leverage)
    leases, firms = model.leases, model.partners
    rent = 12.0 * leases.rent_due
    years = np.maximum(leases.start + leases.tenor - model.month, 0)[:, None] / 12.0
    worth = rent * -np.expm1(-0.06 * years) / 0.06
    for row, name in enumerate(firms.names):
        mine = (leases.tenant == model.row(name))[:, None]
        debt = firms.debt[row] + total(worth * mine)
        earned = np.maximum(firms.earnings[row] + total(rent * mine), 0.05)
        rows[f"{name}: with leases"] = np.minimum(debt / earned, 20.0)
    lab = model.openai
    earned = np.maximum(lab.earnings, 0.05)
    rows["OpenAI: reported"] = np.minimum(lab.debt / earned, 20.0)[0]
    owed = model.compute_contracts.minimum_due(60)
    rows["OpenAI: with take-or-pay"] = np.minimum((lab.debt + owed) / np.maximum(lab.revenue, 0.05), 20.0)[0]
    return rows


@measure("US$bn", "look-through exposure: Basel large-exposures framework (LEX 20)")
def exposure_to_openai(model, year):
    """What each lender has lent on the lab's payments: directly, to sites, to clouds, against its shares.

    The wrong-way share is that part of it whose collateral is itself a promise or a share of the lab: all but sites.
    """
    loans, rows = model.loans, {}
    debtor = np.array([model.party_names[row] for row in loans.debtor])
    ways = {
        "direct": debtor == LAB,
        "site": loans.is_site[:, 0],
        "equity-backed": debtor == model.opening.roles.holding,
    }
    ways["cloud"] = ~np.logical_or.reduce(list(ways.values()))
    linked = loans.balance * (loans.linked | ways["equity-backed"])[:, None]
    for name in (*model.banks.names, *model.lenders.names, "Bondholders"):
        mine = (loans.lender == model.row(name))[:, None]
        parts = {way: total(linked * mine * mask[:, None]) for way, mask in ways.items()}
        rows |= {f"{name}: {way}": amount for way, amount in parts.items()}
        whole = total(linked * mine)
        wrong = cover(whole - parts["site"], whole) * (whole > 1e-9)
        rows[f"{name}: wrong-way share"] = np.maximum(wrong, 0.0)
    return rows


@measure("US$bn", "loss distribution by holder; the mean is the expected loss, the 95% point the tail")
def losses(model, year):
    """Written off by each holder so far; shareholders' paid-in equity in parties that are gone comes first."""
    ledger = model.ledger
    equity = np.array([name in ("shares", "site equity", "pledged equity") for name in ledger.instruments])
    gone = np.take(ledger.closed, ledger.issuers, axis=0) * equity[:, None]
    rows = {"equity in parties that are gone": total(ledger.claims * gone)}
    return rows | _named([f"{name}: written off" for name in model.party_names], model.solvency.loss)


@measure("share", "break-even analysis to a cover of 1.0")
def break_even(model, year):
    """How far rent may fall before a site's cover is 1.0, how far a cloud's sales, and which rate a site can bear."""
    sites, loans, partners = model.sites, model.loans, model.partners
    cash, service = _site_cash(model), 12.0 * loans.service_of_sites
    rows = _named(
        [f"{name}: fall of rent" for name in sites.names], 1.0 - 1.0 / np.maximum(cover(cash, service), 0.1)
    )
    balance = loans.by_site @ loans.balance
    low, high = np.zeros_like(balance), np.full_like(balance, 0.5)
    for _ in range(30):
        middle = 0.5 * (low + high)
        bears = 12.0 * level_annuity(balance, middle / 12.0, np.full(balance.shape, 252)) <= cash
        low, high = np.where(bears, middle, low), np.where(bears, high, middle)
    rows |= _named([f"{name}: refinancing rate" for name in sites.names], low)
    for name in model.opening.roles.clouds:
        row = partners.names.index(name)
        slack = partners.earnings[row] - partners.debt_service[row]
        rows[f"{name}: fall of compute sales"] = np.clip(
            slack / np.maximum(12.0 * partners.compute_revenue[row], 0.05), -1.0, 1.0
        )
    return rows


@measure("US$ per US$", "Moody's: trading price a month after default beside ultimate recovery")
def recovery(model, year):
    """What a dollar of called loans got back, and its price a month after default; 1 where nothing was called.

    price = recovery x (1 + distressed return)^-workout years: whoever buys waits for the estate, which the model winds
    up within that month. Loans of a borrower together, bonds (unsecured) apart.
    """
    loans, stress = model.loans, model.stress
    known = model.solvency.default_month < model.month
    discount = np.exp(-np.log1p(stress.distressed_return[0]) * stress.workout_years[0])
    rows = {}
    for word, some in (("loans", ~loans.unsecured), ("bonds", loans.unsecured)):
        claimed, lost = (loans.by_debtor @ (block * some) for block in (loans.claimed, loans.lost))
        called = known & (claimed > 1e-9)
        back = 1.0 - np.where(called, lost / np.maximum(claimed, 1e-9), 0.0)
        price = np.where(called, back * discount, 1.0)
        for name in (LAB, *model.partners.names, *model.sites.names):
            row = model.row(name)
            if loans.has_debt(row, some):
                rows |= {f"{name}: recovery of {word}": back[row], f"{name}: price of {word}": price[row]}
    return rows


@measure("share of worlds", "Moody's project finance: cumulative default of 6.7% in ten years")
def failed_so_far(model, year):
    """Whether a party has reached legal default, or a distressed exchange, by now: the mean is the probability."""
    rows, solvency, month = {}, model.solvency, model.month
    for word, state in (
        ("default", solvency.default_month),
        ("distressed exchange", solvency.distressed_month),
    ):
        names = (LAB, *model.partners.names, *model.sites.names)
        rows |= {f"{name}: {word}": (state[model.row(name)] <= month) * 1.0 for name in names}
    return rows


@measure("share", "lenders' draw certificates: share drawn against share complete")
def draw_against_completion(model, year):
    """Share of each site's loan that is drawn, and share of its load that is energised."""
    loans, sites = model.loans, model.sites
    whole = loans.by_site @ (loans.opening_commitment[:, None] * loans.is_site * np.ones((1, model.worlds)))
    drawn = cover(loans.by_site @ (loans.balance * loans.is_site), whole) * (whole > 1e-9)
    done = np.minimum(sites.energised / model.leases.full_gw[:, None], 1.0)
    rows = _named([f"{name}: drawn" for name in sites.names], drawn)
    return rows | _named([f"{name}: complete" for name in sites.names], done)


@measure("class", "Minsky (1992), Levy Economics Institute Working Paper 74")
def minsky(model, year):
    """0 hedge, 1 speculative, 2 Ponzi, of the last year; for the lab also with take-or-pay counted as debt service."""
    ledger = model.ledger
    kinds = np.array(ledger.kinds)
    out = {
        word: -(ledger.net_of(np.isin(kinds, names).astype(float)) @ year)
        for word, names in (
            ("interest", ("interest",)),
            ("principal", ("principal",)),
            ("pledge", ("take-or-pay", "renewal")),
        )
    }
    operating = ledger.net_of(np.isin(kinds, OPERATING_KINDS).astype(float)) @ year
    rows = {}
    for name in (LAB, *model.partners.names):
        at = model.row(name)
        due = [np.maximum(out[word][at], 0.0) for word in ("interest", "principal")]
        rows[name] = minsky_class(operating[at], *due) * 1.0
    at, pledge = model.row(LAB), np.maximum(out["pledge"][model.row(LAB)], 0.0)
    due = [np.maximum(out[word][at], 0.0) for word in ("interest", "principal")]
    rows["OpenAI: take-or-pay as debt"] = minsky_class(operating[at] + pledge, due[0], due[1] + pledge) * 1.0
    return rows


@measure("yes/no", "weak form of the trap; a firm that could not pay its next year from operations")
def needs_new_money(model, year):
    """Whether another year like the last would use up its cash without new money; whether it was ever trapped."""
    gap = sources_and_uses(model, year)
    rows = {}
    for name in (LAB, *model.partners.names):
        at = model.row(name)
        rows[f"{name}: needs new money"] = (
            gap[f"{name}: funding gap"] > np.maximum(model.ledger.cash[at], 0.0)
        ) * 1.0
        rows[f"{name}: trapped so far"] = model.solvency.trapped[at] * 1.0
    return rows


@measure("0 to 1", "Hollo, Kremer and Lo Duca (2012), ECB Working Paper 1426")
def stress(model, year):
    """The stress index and, beside it, the mean place of its readings."""
    return {"index": model.stress.index[0], "mean": model.stress.mean[0]}


@measure("GW", "Ledger of compute: what stands ready against what is used")
def compute_unused(model, year):
    """Compute that the lab has and does not use, that nobody rents, and that it lacks to serve demand."""
    contracts, lab = model.compute_contracts, model.openai
    pool = np.maximum(contracts.peak - contracts.available, 0.0)
    lacking = lab.inference_need * (1.0 - lab.served_share)
    return {
        "idle at the lab": lab.idle[0],
        "stranded: neither renewed nor let": total(
            np.maximum(pool - contracts.renewed - contracts.relet, 0.0)
        ),
        "unserved for want of compute": lacking[0],
    }


@measure("index", "household bills over those of the start")
def household_bill(model, year):
    """What other users pay for power in each region, over the start."""
    return _named(list(model.utilities.names), model.utilities.household_bill)


@measure("share of all equity", "Bardoscia et al. (2015), PLoS ONE 10:e0130406")
def debtrank(model, year):
    """Equity that others lose when one party's is gone, if claims were written down as its equity falls.

    Claims are loans at a recovery of 0.45, damages as filed if take-or-pay contracts were rejected today, and shares of
    the lab at its valuation; equity is net worth, and at least US$0.05bn.
    """
    loans, contracts, shares = model.loans, model.compute_contracts, model.shares
    _, damages = contracts.worth_of_floors()
    held = np.maximum(shares.market_value, 0.0)
    parties = np.arange(len(held))
    lab = np.full(len(held), model.row(LAB))
    lender = np.concatenate([loans.lender, contracts.seller, parties])
    debtor = np.concatenate([loans.debtor, contracts.buyer, lab])
    claim = np.vstack([loans.balance * 0.55, damages, held])
    equity = np.maximum(model.ledger.net_worth(), 0.05)
    roles = model.opening.roles
    seeds = [model.row(name) for name in (LAB, *roles.clouds, roles.holding)]
    own = [model.party_names[row] for row in seeds]
    return _named(own, debtranks(lender, debtor, claim, equity, seeds))
