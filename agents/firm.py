"""What every firm has: money, bills, a buffer, and a way of raising what it is short of.

A firm's cash, arrears and default live in blocks that span all parties (the Ledger's and the solvency rule's);
a firm reads its own rows of them.
"""

import numpy as np

from agents.kernels import as_rows
from agents.kernels_firms import find_need, track_earnings, use_credit
from agents.worlds import Actor, Param, State, of_params


class Party(Actor):
    """Somebody with an account: one row of the Ledger."""

    measures = ()
    place = None
    """Where it stands in blocks over all parties: a row, or the rows of a cohort."""
    first_row = None
    """The first of these rows, for kernels that read blocks over all parties."""

    def months_before(self, block):
        """Give the months of the horizon, from 0 on, along an axis in front of a block's."""
        return np.arange(self.model.months).reshape(-1, *(1,) * block.ndim)

    def rows_of(self, block):
        """Give this party's own rows of a block over all parties, ``(parties, worlds)``."""
        return block[self.place]

    @property
    def cash(self):
        """Money in the bank, US$bn; only Ledger transfers change it."""
        return self.model.ledger.cash[self.place]

    @property
    def debt(self):
        """Loans and bonds drawn, US$bn."""
        return self.model.solvency.debt[self.place]

    @property
    def closed(self):
        """Whether legal default has taken the party out of the market."""
        return self.model.ledger.closed[self.place]

    @property
    def alive(self):
        """1 while the party is in the market, 0 once legal default has taken it out."""
        return self.model.alive[self.place]

    @property
    def outgoing(self):
        """What the party must pay in this month's clearing, arrears included, US$bn."""
        return self.model.outgoing[self.place]

    @property
    def expected_incoming(self):
        """What others owe it this month, times the share that they paid of last month's bills, US$bn."""
        return self.model.expected_incoming[self.place]


class Firm(Party):
    """A party that runs a business, borrows, and can fail."""

    minimum_cash = Param(0.0, "US$bn", (0, 100), "Cash that the firm wants to hold after the month's bills.")
    leverage_ceiling = Param(
        4.25,
        "debt / EBITDA",
        (0.5, 20),
        "Debt over earnings above which no new unsecured debt is sold.",
        source="assumed, from calibration: oracle_sp_downgrade_trigger",
    )
    value_multiple = Param(
        12.0, "x earnings", (1.0, 30.0), "Value that lenders see in it, over its earnings."
    )
    value_volatility = Param(0.25, "per year", (0.02, 0.8), "Volatility of that value that lenders assume.")
    depreciation = Param(0.1, "per year", (0, 0.6), "Yearly loss of book value of its real assets.")
    liquidation_value = Param(
        0.45,
        "share",
        (0.0, 1.0),
        "Share of book value that its assets fetch in a liquidation, before costs.",
        source="calibration: senior_unsecured_recovery",
    )

    measures = ("cash", "debt", "closed")

    funding_need = State("US$bn", "cash missing to pay this month's bills and keep the buffer")
    line_draw = State("US$bn", "drawn on its committed line or programme this month")
    share_issue = State("US$bn", "new shares sold this month")
    operating_cash = State("US$bn a month", "receipts less operating costs of the month, before debt service")
    earnings = State("US$bn a year", "operating cash of the last twelve months (smoothed)")
    leverage = State("debt / EBITDA", "debt over yearly operating cash, at most 20")

    @property
    def planned_outlay(self):
        """What the firm means to spend this month beyond its bills, US$bn; nothing, unless a kind of firm says so."""
        return np.zeros(self.minimum_cash.shape)

    def find_need(self):
        """Ask what is missing: buffer + bills + plans - expected receipts - cash, never less than nothing."""
        model, ledger, minimum_cash = self.model, self.model.ledger, self.minimum_cash
        need = np.empty(minimum_cash.shape)
        of_all = model.outgoing, model.expected_incoming, ledger.cash, ledger.closed
        find_need(self.first_row, *of_all, *as_rows(minimum_cash, self.planned_outlay, need))
        self.funding_need = need

    @property
    def line_undrawn(self):
        """What its committed line or programme still allows, US$bn."""
        return self.model.loans.line_undrawn[self.place]

    def track_earnings(self):
        """Smooth operating cash over about a year, and set debt against it."""
        before = self.earnings
        earnings, leverage = np.empty(before.shape), np.empty(before.shape)
        given = self.operating_cash, before, earnings, leverage
        track_earnings(self.first_row, self.model.solvency.debt, *as_rows(*given))
        self.earnings, self.leverage = earnings, leverage


class Issuer(Firm):
    """A firm that markets lend to and that sells shares to them; the lab sells equity only through its rounds."""

    borrowing_cap = Param(
        0.0, "US$bn a year", (0, 200), "New unsecured money that markets lend it in a year."
    )
    equity_issue_cap = Param(0.0, "US$bn a year", (0, 100), "New shares that it can sell in a year.")

    borrowed_year = State("US$bn", "unsecured money borrowed since January")
    issued_year = State("US$bn", "shares sold since January")

    @property
    def debt_room(self):
        """Unsecured debt that it could sell next month, US$bn: what `use_credit` would let it draw."""
        model, january = self.model, self.model.month % 12 == 11
        borrowed = np.zeros(self.borrowed_year.shape) if january else self.borrowed_year
        left = np.maximum(self.borrowing_cap * model.credit.openness - borrowed, 0.0)
        bearable = np.maximum(self.rows_of(model.loan_pricing.most_debt) - self.debt, 0.0)
        willing = (self.rows_of(model.solvency.months_missed) <= 0) & (self.leverage <= self.leverage_ceiling)
        return np.where(willing, np.minimum(np.minimum(left, bearable), self.line_undrawn), 0.0)

    def use_credit(self):
        """Borrow what is missing while the market is open to it; sell shares for what it will not lend.

        Unsecured debt: at most the yearly cap, only below the leverage ceiling and outside a credit freeze, and not
        beyond what lenders bear for its value, its cover and their room (`LoanPricing.most_debt`).
        """
        model, need = self.model, self.funding_need
        line_draw, share_issue = np.empty(need.shape), np.empty(need.shape)
        borrowed, issued = np.empty(need.shape), np.empty(need.shape)
        solvency = model.solvency
        of_all = solvency.months_missed, solvency.debt, model.loan_pricing.most_debt, model.loans.line_undrawn
        given = (
            need,
            self.leverage,
            self.leverage_ceiling,
            self.borrowing_cap,
            self.equity_issue_cap,
            self.borrowed_year,
            self.issued_year,
        )
        made = as_rows(*given, line_draw, share_issue, borrowed, issued)
        use_credit(model.month % 12 == 0, self.first_row, *of_all, model.credit.openness, *made)
        self.line_draw, self.share_issue = line_draw, share_issue
        self.borrowed_year, self.issued_year = borrowed, issued


class Conglomerate(Issuer):
    """A firm with another business beside compute, whose cash flow it invests and pays out."""

    other_cash_flow = Param(
        0.0, "US$bn a year", (-50, 400), "Yearly cash flow of its other business, before interest."
    )
    other_cash_flow_growth = Param(0.0, "per year", (-0.2, 0.4), "Growth of that other cash flow.")
    own_investment_share = Param(
        0.0, "share", (0, 1.5), "Share of the other cash flow that it invests itself."
    )
    payout = Param(0.0, "US$bn a year", (0, 150), "Dividends and buybacks, paid while cash allows it.")

    other_cash = State("US$bn", "cash flow of the other business this month")

    @of_params
    def grown_by_month(self):
        """How many times its opening size the other business is, in every month of the horizon, its months first."""
        growth = self.other_cash_flow_growth
        return np.exp(growth * self.months_before(growth) / 12.0)
