"""Credit: the state of the money market, and every loan and bond.

Interest = balance x rate / 12. Principal follows the loan's profile on its balance, so that draws, refinancing
and write-offs need no schedule to be repaired. What new money costs comes from `model.pricing`.
"""

from dataclasses import replace

import numpy as np

from agents.worlds import Mechanism, Param, State, of_params
from model.contracts import JUNIOR, SECURED, UNSECURED
from model.kernels_credit import (
    add_by_site,
    add_losses,
    add_service,
    add_vintages,
    call_loans,
    fall_due,
    find_room,
    find_stopped,
    grow_of_others,
    hand_over,
    judge_borrowers,
    left_by_rounding,
    level_terms,
    look_at_borrowers,
    matures_in,
    move_credit,
    move_rates,
    price_new_money,
    quote_loans,
    ration_new_lending,
    rent_if_relet,
    room_with_lenders,
    share_draws,
    share_prepayment,
    share_to_sell,
    terms_of_renewal,
    value_sites,
)
from model.ladder import level_annuity
from model.ledger import CLAIM
from model.opening import DEBT_KINDS
from model.pricing import (
    advance,
    capital_part,
    first_passage,
    monthly_probability,
    monthly_rate,
    yearly_from_term,
)
from model.roles import LAB
from model.sums import Adder, adder_into, incidence, total

NEVER = 10_000
LOWEST_YIELD = 0.01
"""Yield at which a leased site is valued when money costs nothing and nobody asks for a premium, per year."""


class Credit(Mechanism):
    """The regime of the money market: calm, or a freeze in which spreads widen and new money is scarce."""

    group = "credit"

    enabled = Param(True, "yes/no", None, "Off: no freezes, a constant base rate, all signed talks close.")
    base_rate_start = Param(
        0.036, "per year", (0.0, 0.1), "Base rate (SOFR) at the start.", source="calibration: riskfree_sofr"
    )
    base_rate_volatility = Param(0.007, "per year", (0.0, 0.03), "Yearly volatility of the base rate.")
    base_rate_reversion = Param(
        0.2, "per year", (0.0, 2.0), "Speed at which the base rate returns to its start."
    )
    freeze_hazard = Param(0.1, "per year", (0.0, 1.0), "Rate at which credit freezes.")
    thaw_hazard = Param(1.0, "per year", (0.1, 6.0), "Rate at which a freeze ends.")
    freeze_multiple = Param(
        2.5,
        "x",
        (1.0, 6.0),
        "Spread in a freeze over the spread in calm.",
        source="calibration: coreweave_cds_oct2025 to coreweave_cds_peak (360 to 881)",
    )
    freeze_openness = Param(0.2, "share", (0.0, 1.0), "Share of the usual new money that flows in a freeze.")
    corporate_spread = Param(
        0.02,
        "per year",
        (0.0, 0.1),
        "Spread at which maturing corporate bonds are rolled in calm where lenders do not price by risk.",
    )
    closing_probability = Param(
        0.85, "probability", (0.0, 1.0), "Chance that each of the two loans in talks (38 in all) is signed."
    )
    loan_to_value = Param(
        0.75, "share", (0.3, 0.95), "Most that is lent on a site when it is refinanced.",
        source="calibration: dc_ltc_conservative",
    )  # fmt: skip
    refinancing_dscr = Param(
        1.2, "x", (1.0, 1.6), "Cover that a refinanced site must keep at today's rate.",
        source="calibration: dscr_covenant_contracted",
    )  # fmt: skip
    capitalisation_spread = Param(0.03, "per year", (0.0, 0.1), "Yield of a leased site over the base rate.")
    refinancing_years = Param(5, "years", (1, 15), "Term of a refinanced loan.", whole=True)
    profile_within_lease = Param(
        False, "yes/no", None, "Whether a refinanced site must repay in full before its lease ends."
    )
    sponsor_support = Param(
        0.25,
        "share of equity paid in",
        (0.0, 1.0),
        "Most that owners add to a site whose refinancing falls short (0: nothing, the neutral value).",
    )
    crowding_out = Param(
        0.2,
        "share",
        (0.0, 1.0),
        "Share of banks' limits taken by other borrowers once their debt has doubled (0: none, neutral); it tells once "
        "a limit binds.",
    )

    base_rate = State("per year", "base rate")
    frozen = State("yes/no", "whether credit is frozen", dtype=bool)
    spread_multiple = State("x", "spread over the calm spread", default=1.0)
    openness = State("share", "share of the usual new money that flows", default=1.0)

    measures = ("base_rate", "frozen", "spread_multiple")

    def move(self):
        """Move the base rate (mean reverting) and the regime (two states, two hazards)."""
        rate = self.base_rate_start if self.model.month == 0 else self.base_rate
        row = self.base_rate.shape
        base_rate, multiple, openness = np.empty(row), np.empty(row), np.empty(row)
        frozen = np.empty(row, dtype=bool)
        move_credit(
            self.enabled,
            rate,
            self.base_rate_start,
            self.monthly_reversion,
            self.monthly_volatility,
            self.model.draw("base rate", "normal"),
            self.frozen,
            self.model.draw("credit regime"),
            self.monthly_freeze,
            self.monthly_thaw,
            self.model.forced_freeze,
            self.freeze_multiple,
            self.freeze_openness,
            base_rate,
            frozen,
            multiple,
            openness,
        )
        self.base_rate, self.frozen = base_rate, frozen
        self.spread_multiple, self.openness = multiple, openness

    @of_params
    def monthly_volatility(self):
        """Volatility of the base rate in a month."""
        return self.base_rate_volatility * np.sqrt(1.0 / 12.0)

    @of_params
    def monthly_reversion(self):
        """Share of the gap to its start that the base rate closes in a month."""
        return self.base_rate_reversion / 12.0

    @of_params
    def monthly_freeze(self):
        """Chance that calm credit freezes in a month."""
        return 1.0 - np.exp(-self.freeze_hazard / 12.0)

    @of_params
    def monthly_thaw(self):
        """Chance that a freeze ends in a month."""
        return 1.0 - np.exp(-self.thaw_hazard / 12.0)


class LoanPricing(Mechanism):
    """What lenders ask of each borrower for new money: one row per party, renewed each quarter.

    Default probability: first passage of the value of what is financed through its debt over `horizon`
    (Black and Cox 1976). Sites are valued at the capitalised rent, with a volatility that leads from a
    loan-to-value of 0.62 to the 6-7% of project finance that default within ten years; firms at a multiple of
    earnings or, where that is more, at book value and holdings (what is built does not earn yet; the lab at what
    investors think it is worth). Leverage and cover count earnings in the same way. The quote takes last
    quarter's probability, never this one's rate. Off: new money costs what it cost in the opening books, bonds
    roll at `credit.corporate_spread`.
    """

    group = "loan_pricing"

    enabled = Param(True, "yes/no", None, "Whether lenders price by risk.")
    site_loss = Param(
        0.2, "share", (0.0, 0.8), "Loss given default of loans to sites.",
        source="calibration: project_finance_recovery_mean",
    )  # fmt: skip
    secured_loss = Param(
        0.28, "share", (0.0, 0.8), "Loss given default of secured loans to firms, for those that are priced anew.",
        source="calibration: first_lien_recovery",
    )  # fmt: skip
    unsecured_loss = Param(
        0.53, "share", (0.0, 1.0), "Loss given default of unsecured debt.",
        source="calibration: senior_unsecured_recovery",
    )  # fmt: skip
    operating_cost = Param(0.004, "per year", (0.0, 0.02), "A lender's cost of work.")
    capital_share = Param(0.09, "share", (0.0, 0.2), "Capital held against a loan.")
    hurdle = Param(0.1, "per year", (0.0, 0.2), "What that capital must earn over the cost of funds.")
    leverage_free = Param(
        4.0, "debt / EBITDA", (0.0, 12.0), "Leverage of firms up to which nothing is added."
    )
    leverage_slope = Param(0.0035, "per year per turn", (0.0, 0.02), "Added for each turn above it.")
    cover_free = Param(2.5, "x", (1.0, 6.0), "Interest cover down to which nothing is added.")
    cover_slope = Param(0.006, "per year per turn", (0.0, 0.05), "Added for each turn below it.")
    concentration_free = Param(
        0.15, "share", (0.0, 1.0), "Share of a bank's limit that may hang on the lab before it asks more."
    )
    concentration_slope = Param(0.02, "per year", (0.0, 0.2), "Added per unit of that share above it.")
    site_volatility = Param(
        0.1, "per year", (0.03, 0.4), "Volatility of the value of leased sites.",
        source="assumed, from calibration: project_finance_10y_default",
    )  # fmt: skip
    site_drift = Param(0.02, "per year", (-0.05, 0.05), "Growth of that value: the rent's escalator.")
    tenant_weight = Param(
        0.5, "share", (0.0, 1.0), "Share of the tenant's default probability that a site's lender counts."
    )
    horizon = Param(5.0, "years", (1.0, 10.0), "Horizon of the default probability.")
    worst = Param(0.5, "per year", (0.05, 0.9), "Most that a default probability is taken for.")
    rations = Param(
        True,
        "yes/no",
        None,
        "Whether lenders also limit what they lend to firms anew, by value, cover and room; needs pricing by risk.",
    )
    firm_loan_to_value = Param(
        0.75, "share", (0.3, 1.0), "Most that a firm's debt may be of the value that its lenders see."
    )
    firm_cover = Param(
        1.5, "x", (1.0, 4.0), "Earnings over interest at today's rate that a firm must keep to borrow anew."
    )

    default_probability = State(
        "per year", "default probability that lenders assume; 0 for who cannot borrow"
    )
    most_debt = State("US$bn", "debt up to which lenders lend to a firm anew", default=1e6)

    def __init__(self, model, parties):
        super().__init__(model)
        self.rows, self.party_names = len(parties), tuple(parties)

    def quote(self):
        """Renew default probabilities and quotes, each quarter."""
        if self.model.month % 3 == 0 and self.enabled.any():
            self._judge()

    def _judge(self):
        model, loans, debt = self.model, self.model.loans, self.model.solvency.debt
        rent = loans.full_rent * (1.0 - model.sites.operating_share)
        first_site = model.places["site_company"].start
        earnings, value = np.empty(debt.shape), np.empty(debt.shape)
        worth, owed, drift, volatility = (np.empty((len(loans.borrowers), self.worlds)) for _ in range(4))
        look_at_borrowers(
            model.ledger.real_assets,
            model.shares_held,
            model.row(LAB),
            model.equity_window.valuation,
            model.party_block("value_multiple"),
            model.party_block("earnings"),
            rent,
            loans.site_value(rent),
            first_site,
            model.party_block("value_volatility"),
            self.site_volatility,
            self.site_drift,
            debt,
            loans.borrowers,
            earnings,
            value,
            worth,
            owed,
            drift,
            volatility,
        )
        term = first_passage(worth, owed, drift, volatility, self.horizon)
        probability, leverage, cover = np.empty(debt.shape), np.empty(debt.shape), np.empty(debt.shape)
        counted = np.empty(worth.shape)
        judge_borrowers(
            yearly_from_term(term, self.horizon),
            self.worst,
            loans.borrowers,
            model.leases.tenant,
            self.tenant_weight,
            first_site,
            loans.balance,
            loans.rate,
            loans.debtor,
            earnings,
            debt,
            probability,
            counted,
            leverage,
            cover,
        )
        self.default_probability = probability
        loans.price(self, counted, leverage, cover)
        self._ration(value, earnings, debt)

    def _ration(self, value, earnings, debt):
        """Set up to which debt lenders lend to a firm anew, at the rate that they have just quoted.

        The least of loan-to-value x value, earnings / (cover x rate), and debt plus what a bank may and can add.
        """
        loans, debtors = self.model.loans, self.default_probability.shape
        rate, room, liquidity, most = (np.zeros(debtors) for _ in range(4))
        balance = loans.balance
        ration_new_lending(
            self.model.credit.base_rate,
            loans.market_margin(),
            balance,
            loans.may_hold(balance),
            loans.new_money,  # what is committed may be drawn
            loans.by_banks,
            loans.debtor,
            loans.lender,
            self.model.ledger.cash,
            debt,
            value,
            self.firm_loan_to_value,
            earnings,
            self.firm_cover,
            self.rations & self.enabled,
            UNBOUNDED,
            rate,
            room,
            liquidity,
            most,
        )
        self.most_debt = most


class Loans(Mechanism):
    """Every loan and bond, a row each: drawn balance and commitment apart."""

    group = "loan"

    lab_borrows = Param(
        0.0,
        "share",
        (0.0, 1.0),
        "Share of the chips for its halls that the lab itself borrows for; Oracle's price then loses the part "
        "that repays them, at equal present value (0: the partners borrow, the neutral value).",
    )
    lab_revolver = Param(
        4.0,
        "US$bn",
        (0.0, 200.0),
        "Bank line of the lab, undrawn at the start.",
        source="opening: revolver_openai",
    )

    rate = State("per year", "interest rate")
    margin = State("per year", "margin over the base rate (floating loans)")
    commitment = State("US$bn", "most that may be drawn")
    maturity = State("month", "month in which the rest falls due", dtype=int)
    extensions = State("count", "extensions used", dtype=int)
    amortised = State("months", "months of the level profile behind it", dtype=int)
    repayment = State("US$bn", "monthly repayment of drawn vintages")
    agreed = State("US$bn", "refinancing agreed for the maturity ahead")
    signed = State("yes/no", "whether the loan is signed", dtype=bool, default=True)
    stopped = State("yes/no", "whether draws are stopped", dtype=bool)
    accelerated = State("yes/no", "whether the whole balance has been called", dtype=bool)
    quoted = State("per year", "margin that the lender would ask today in a calm market")
    claimed = State("US$bn", "balance called at legal default")
    lost = State("US$bn", "written off of what was called")
    drawn_now = State("US$bn", "drawn this month; next month at the rate of new money")

    undrawn = line_undrawn = undrawn_on_chips = site_undrawn = site_balance = site_rate = None
    interest_due = principal_due = None
    site_service = site_owed = site_appraisal = None
    service = service_of_parties = service_of_sites = None

    def __init__(self, model, opening):
        super().__init__(model)
        contracts = [c for c in opening.contracts if c.kind in DEBT_KINDS]
        roles, sites = opening.roles, opening.roles.sites
        (model_loan,) = [c for c in contracts if c.terms.get("new_money") and c.debtor == roles.vehicle]
        terms = {term: value for term, value in model_loan.terms.items() if term not in TERMS_OF_LINES}
        contracts.append(replace(model_loan, id=LAB_LOAN, debtor=LAB, openai_linked=True, terms=terms))
        sells_down = [
            bank.name for bank in opening.parties_of_kind("bank") if "sell_down_share" in bank.terms
        ]
        rows = []
        for contract in contracts:
            second = contract.terms.get("second_lender_share", 0.0)
            rows.append((contract, contract.creditor, 1.0 - second))
            if second:
                rows.append((contract, contract.terms["second_lender"], second))
        sells = [lender in sells_down and contract.kind in SITE_LOANS for contract, lender, _ in rows]
        self.sellers = np.flatnonzero(sells)
        self.sold = np.arange(len(rows), len(rows) + len(self.sellers))
        rows += [(rows[row][0], "Bondholders", 0.0) for row in self.sellers]
        self.contracts = [contract for contract, _, _ in rows]
        self.lenders = [lender for _, lender, _ in rows]
        self.share = np.array([share for _, _, share in rows])
        self.rows = len(rows)
        self.names_of_rows = [
            c.id if share > 0.99 or lender == c.creditor else f"{c.id} ({lender})"
            for c, lender, share in rows
        ]
        terms = [c.terms for c in self.contracts]
        kinds = np.array([t.get("repayment", "revolving") for t in terms])
        self.opening_drawn = np.array([c.drawn for c in self.contracts]) * self.share
        self.opening_commitment = np.array([c.amount for c in self.contracts]) * self.share
        self.floating = np.array([bool(c.base) for c in self.contracts])[:, None]
        self.opening_margin = np.array([c.margin for c in self.contracts])[:, None]
        self.coupon = np.array([c.price for c in self.contracts])[:, None]
        self.start = np.array([c.start_month for c in self.contracts])[:, None]
        ends = [
            t.get("bullet_month", c.start_month + c.tenor_months)
            for t, c in zip(terms, self.contracts, strict=True)
        ]
        self.opening_maturity = np.array(ends)[:, None]
        self.is_level = (kinds == "level principal")[:, None]
        self.is_rolled = (kinds == "rolled")[:, None]
        self.is_bullet = (kinds == "bullet")[:, None]
        self.by_draw = (kinds == "level principal by draw")[:, None]
        self.is_site = (kinds == "level debt service")[:, None]
        self.matures = ~self.is_rolled & ~self.is_level & ~self.by_draw
        self.revolving = (kinds == "revolving")[:, None]
        self.draw_term = np.array([t.get("draw_term_months", 60) for t in terms])[:, None]
        self.profile = np.array([12 * t.get("profile_years", 21) for t in terms])[:, None]
        self.full_month = np.array(
            [t.get("full_month", t.get("interest_paid_until_month", 0)) for t in terms]
        )[:, None]
        self.most_extensions = np.array([t.get("extensions", 0) for t in terms])[:, None]
        self.rolls = np.array(
            [
                t.get("rolls_yearly", 0.0) / max(c.drawn, 1.0)
                for t, c in zip(terms, self.contracts, strict=True)
            ]
        )[:, None]
        schedule = np.array([_yearly_principal(t, model.months) for t in terms])
        once = np.zeros(schedule.shape)
        for row, t in enumerate(terms):
            if t.get("principal_due_month", schedule.shape[1]) < schedule.shape[1]:
                once[row, t["principal_due_month"]] = t["principal_due"]
        self.schedule, self.due_once = (np.ascontiguousarray(each.T)[:, :, None] for each in (schedule, once))
        self.of_vehicle = np.array([c.debtor == roles.vehicle for c in self.contracts])[:, None]
        self.in_talks = np.array([c.kind == "site loan in talks" for c in self.contracts])[:, None]
        self.months_of_signing = set(self.start[self.in_talks].tolist())
        self.linked = np.array([c.openai_linked for c in self.contracts])
        self.opening_of_others = np.cumsum(np.where(self.linked, 0.0, self.opening_drawn))[-1]
        self.inside = np.array([t.get("interest_in_operating_cash_flow", False) for t in terms])
        self.site = np.array([_index(sites, c.debtor) for c in self.contracts])
        leases = opening.contracts_of_kind("lease")
        ends = np.array([lease.start_month + lease.tenor_months for lease in leases] + [0])
        self.lease_end = ends[np.where(self.site >= 0, self.site, len(sites))][:, None]
        self.first_of_site = np.array([np.argmax(self.site == site) for site in range(len(sites))])
        self._spread_in_full = np.ones((len(sites), model.worlds))

    def open_accounts(self, ledger):
        """Open the claims and the legs: interest, principal, bullets, draws."""
        debtors = [c.debtor for c in self.contracts]
        self.debtor = np.array([ledger.index[name] for name in debtors])
        self.lender = np.array([ledger.index[name] for name in self.lenders])
        self.borrowers, self.borrower = np.unique(self.debtor, return_inverse=True)
        self.claims = ledger.open_claims("loans", self.names_of_rows, self.lenders, debtors)
        secured = ~(self.is_rolled | self.is_bullet | self.revolving)[:, 0]
        ranks = np.where(secured, SECURED, UNSECURED)
        self.claim_rows = slice(int(self.claims[0]), int(self.claims[-1]) + 1)
        # A site's cascade pays interest before principal; it owes nothing else of that rank.
        after_interest = np.where(self.is_site[:, 0], UNSECURED, ranks)
        self.interest = ledger.open_family("interest", debtors, self.lenders, seniority=ranks)
        self.principal = ledger.open_family(
            "principal",
            debtors,
            self.lenders,
            seniority=after_interest,
            nature=CLAIM,
            claims=self.claims,
            sign=-1,
        )
        self.bullets = ledger.open_family(
            "bullet", debtors, self.lenders, seniority=JUNIOR, nature=CLAIM, claims=self.claims, sign=-1
        )
        self.draws = ledger.open_family(
            "draw", self.lenders, debtors, nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )
        self.sales = ledger.open_family(
            "loan sale",
            ["Bondholders"] * len(self.sold),
            [self.lenders[row] for row in self.sellers],
            nature=CLAIM,
            claims=self.claims[self.sold],
            sign=1,
            given_up=self.claims[self.sellers],
            cleared=False,
        )
        self.site_rows = np.flatnonzero(self.is_site[:, 0])
        self.place_of_site_rows = np.full(self.rows, -1)
        self.place_of_site_rows[self.site_rows] = np.arange(len(self.site_rows))
        self.bank_of_sellers = np.array(
            [self.model.banks.names.index(self.lenders[row]) for row in self.sellers]
        )
        self.sweeps = ledger.open_family(
            "prepayment",
            [debtors[row] for row in self.site_rows],
            [self.lenders[row] for row in self.site_rows],
            nature=CLAIM,
            claims=self.claims[self.site_rows],
            sign=-1,
            cleared=False,
        )
        self.by_debtor = adder_into(self.debtor, len(ledger.parties))
        self.by_site = self._adder_by_site()
        utilities = np.isin(debtors, self.model.utilities.names)
        inside = self.opening_drawn * self.coupon[:, 0] / 12.0 * (self.inside | utilities)
        self.interest_inside = self.by_debtor @ inside[:, None]
        new_money, committed = self._flags("new_money"), self._flags("committed_margin")
        self.line_of, self.new_money = new_money, new_money & ~committed
        self.of_lab_build = np.array([c.id == LAB_LOAN for c in self.contracts])[:, None]
        self.by_banks = np.isin(self.lenders, self.model.banks.names)[:, None]
        self.is_secured = secured[:, None] & ~self.is_site
        self.co_funded = np.isin(debtors, self.model.co_investment.funded)[:, None]

    def _adder_by_site(self):
        """Give what adds up loans by site; those of other debtors are left out."""
        sites = self.model.sites.rows
        return Adder(incidence(np.where(self.site >= 0, self.site, sites), sites + 1)[:-1])

    def _flags(self, term):
        """Which loans have a term in the opening books, ``(loans, 1)``."""
        return np.array([c.terms.get(term, False) for c in self.contracts])[:, None]

    def sign(self):
        """Copy margins, coupons and commitments into the loans at month 0."""
        self.margin = self.opening_margin
        self.rate = np.where(self.floating, self.model.credit.base_rate_start + self.margin, self.coupon)
        self.commitment = np.where(self._flags("open_ended"), 1000.0, self.opening_commitment[:, None])
        lines_of_lab = np.array([c.debtor == LAB and c.kind == "revolver" for c in self.contracts])[:, None]
        self.commitment = np.where(lines_of_lab, self.lab_revolver, self.commitment)
        self.maturity = np.broadcast_to(self.opening_maturity, self.rate.shape)
        self._let_lab_borrow()

    def _let_lab_borrow(self):
        """Take out of the cloud's price what the lab's own loan repays, so that present values are equal.

        No price falls below nothing: where terms are too short to earn the chips back, the cloud delivers for less.
        """
        if not self.lab_borrows.any():
            return
        halls, contracts = self.model.halls, self.model.compute_contracts
        capital = np.where(halls.chips.start >= 0, halls.chips.amount, 0.0) * self.lab_borrows
        rate = np.compress(self.of_lab_build[:, 0], self.rate, axis=0)
        ladder = halls.ladder
        part = capital_part(capital, halls.chips.start, ladder.amount, ladder.start, ladder.tenor, rate)
        contracts.agree_on(np.maximum(contracts.price - contracts.on_halls[:, None] * part, 0.0))

    @property
    def balance(self):
        """What is owed on each loan, US$bn."""
        claims, balance = self._balance
        if claims is not self.model.ledger.claims:
            claims = self.model.ledger.claims
            balance = claims[self.claim_rows]
            self._balance = claims, balance
        return balance

    _balance = None, None

    def measure_room(self):
        """Note what may still be drawn: on each loan, on each party's line and chips, by each site (all US$bn)."""
        parties, sites = self.model.ledger.cash.shape, (self.model.sites.rows, self.worlds)
        undrawn, of_lines, on_chips = np.empty(self.rate.shape), np.zeros(parties), np.zeros(parties)
        of_sites, owed = np.zeros(sites), np.zeros(sites)
        find_room(
            self.model.month,
            self.signed,
            self.stopped,
            self.start,
            self.maturity,
            self.commitment,
            self.balance,
            self.line_of,
            self.by_draw,
            self.is_site,
            self.debtor,
            self.site,
            undrawn,
            of_lines,
            on_chips,
            of_sites,
            owed,
        )
        self.undrawn, self.line_undrawn, self.undrawn_on_chips = undrawn, of_lines, on_chips
        self.site_undrawn, self.site_balance = of_sites, owed

    def close_talks(self):
        """Decide in the month of signing whether a loan in talks closes; without it the site is not built."""
        month = self.model.month
        if month not in self.months_of_signing:
            if month == 0:
                self.signed = np.broadcast_to(~(self.in_talks & (self.start > 0)), self.rate.shape)
            return
        credit, signing = self.model.credit, self.in_talks & (self.start == month)
        surely, chance = ~credit.enabled & (credit.closing_probability > 0.0), credit.closing_probability
        closes = np.zeros(self.rate.shape, dtype=bool)
        for row in np.flatnonzero(signing[:, 0]):
            draw = self.model.draw(f"closing of {self.contracts[row].id}")
            closes[row] = (surely | (credit.enabled & (draw < chance)))[0]
        self.signed = self.signed | (signing & closes)
        fails = (self.by_site @ (signing & ~closes)) > 0.0
        if fails.any():
            self.model.halls.delay(fails[: self.model.halls.rows], NEVER)

    def reprice(self):
        """Let floating loans follow the base rate, and rolled bonds drift to the market's coupon."""
        margin, rate = np.empty(self.rate.shape), np.empty(self.rate.shape)
        move_rates(
            self.model.credit.base_rate,
            self.market_margin(),
            self.model.loan_pricing.enabled,
            self.floating,
            self.new_money,
            self.drawn_now,
            self.balance,
            self.is_rolled,
            self.rolls,
            self.margin,
            self.rate,
            margin,
            rate,
        )
        self.margin, self.rate = margin, rate

    def bill(self):
        """Bill interest, scheduled principal and maturities; keep what each party and site owes this month."""
        ledger, month, balance = self.model.ledger, self.model.month, self.balance
        shape, partners = balance.shape, self.model.partners
        interest, scheduled, bullet = np.empty(shape), np.empty(shape), np.empty(shape)
        rolled_over, amortised = np.empty(shape), np.empty(shape, dtype=np.int64)
        ahead = self.model.halls.ahead_of_sites
        some_rolled_over = fall_due(
            month,
            balance,
            ledger.payable,
            self.principal.legs.start,
            self.bullets.legs.start,
            self.rate,
            self.maturity,
            self.is_level,
            self.is_rolled,
            self.schedule[month],
            self.due_once[month],
            self.by_draw,
            self.repayment,
            self.of_vehicle,
            self.model.compute_contracts.live_share,
            ahead,
            self.site,
            self.place_of_site_rows,
            *self._level_terms(ahead),
            self.agreed,
            partners.prepayment,
            partners.first_row,
            self.line_of,
            self.debtor,
            self.amortised,
            interest,
            scheduled,
            bullet,
            rolled_over,
            amortised,
        )
        self.amortised = amortised
        if some_rolled_over:
            self._renew(rolled_over > 0.0, rolled_over)
        self.interest_due = ledger.bill(self.interest, interest)
        self.principal_due = ledger.bill(self.principal, scheduled)
        ledger.bill(self.bullets, bullet)
        parties, sites = np.zeros(ledger.cash.shape), np.zeros(ahead.shape)
        service, site_rate, where = np.empty(shape), np.empty(ahead.shape), (self.debtor, self.site)
        loans = self.interest_due, self.principal_due, *where, self.rate, self.first_of_site
        add_service(*loans, service, parties, sites, site_rate)
        self.service, self.service_of_parties, self.service_of_sites = service, parties, sites
        self.site_rate = site_rate

    def _level_terms(self, ahead):
        """Give monthly rate, payments left and (1 + rate)^-payments - 1 of sites' loans, ``(site loans, worlds)`` each.

        The last only once some site is complete: until then, with halls `ahead` everywhere, nobody asks for it.
        """
        shape = len(self.site_rows), self.worlds
        monthly, payments = np.empty(shape), np.empty(shape)
        terms = self.rate, self.profile, self.amortised, self.site, ahead
        complete = level_terms(self.site_rows, *terms, monthly, payments)
        discount = np.expm1(-payments * np.log1p(monthly)) if complete else payments
        return monthly, payments, discount

    def _round_off(self):
        """Set to nothing what rounding has left below nothing on a loan that was repaid in several parts."""
        back = np.empty(self.rate.shape)
        if left_by_rounding(self.balance, ROUNDING, back):
            self.model.ledger.change_claims(self.claim_rows, back)

    def note_service(self):
        """Note after the clearing what each site was billed, has paid and still owes, and what it is worth.

        `site_service`: interest and principal that were billed, then paid, then left, ``(6, sites, worlds)``.
        """
        ledger, leases, sites = self.model.ledger, self.model.leases, self.site_rate.shape
        self._round_off()
        service, owed, rent = np.zeros((6, *sites)), np.zeros(sites), np.empty(sites)
        add_by_site(
            self.interest_due,
            self.principal_due,
            ledger.flow,
            ledger.payable,
            self.interest.legs.start,
            self.principal.legs.start,
            self.bullets.legs.start,
            self.balance,
            self.site,
            service,
            owed,
        )
        rent_if_relet(leases.rent_due, leases.relet_share, leases.tenant, ledger.closed, rent)
        appraisal = self.site_value(rent, self.model.sites.appraisal_cyclicality)
        self.site_service, self.site_owed, self.site_appraisal = service, owed, appraisal

    def _renew(self, renewed, rolled_over):
        """Give refinanced loans a new term at today's margin."""
        credit = self.model.credit
        term = 12 * credit.refinancing_years
        self.maturity = np.where(renewed, self.maturity + term, self.maturity)
        margin = self.market_margin()
        self.margin = np.where(renewed & self.floating, margin, self.margin)
        self.rate = np.where(renewed & ~self.floating, credit.base_rate + margin, self.rate)
        self.commitment = np.where(renewed, rolled_over, self.commitment)

    def price(self, terms, default_probability, leverage, cover):
        """Quote every loan by the production formula, from what is known of each party, ``(parties, worlds)``.

        `default_probability` has a row for each of the `borrowers`.
        """
        banks, place = self.model.banks, self.model.places["bank"]
        hanging = np.zeros(leverage.shape)
        hanging[place] = banks.exposure_to_openai / banks.lending_limit
        base = self.model.credit.base_rate
        funds, quoted = monthly_rate(base), np.empty(self.rate.shape)
        quote_loans(
            monthly_probability(default_probability),
            leverage,
            cover,
            hanging,
            funds,
            terms.capital_share * terms.hurdle,
            self.is_site,
            self.is_secured,
            self.linked,
            self.borrower,
            self.debtor,
            self.lender,
            terms.site_loss,
            terms.secured_loss,
            terms.unsecured_loss,
            terms.operating_cost,
            terms.leverage_free,
            terms.leverage_slope,
            terms.cover_free,
            terms.cover_slope,
            terms.concentration_free,
            terms.concentration_slope,
            12.0 * funds,
            quoted,
        )
        self.quoted = quoted

    def market_margin(self):
        """Give the margin of new money on each loan today, ``(loans, worlds)``.

        The quote of a calm market (or, with pricing off, the opening books') x the spread regime + what the
        lender adds for losses that it remembers.
        """
        credit, asked = self.model.credit, np.empty(self.rate.shape)
        price_new_money(
            self.floating,
            self.opening_margin,
            credit.corporate_spread,
            self.model.loan_pricing.enabled,
            self.quoted,
            credit.spread_multiple,
            self.model.party_block("spread_add_on"),
            self.lender,
            asked,
        )
        return asked

    @of_params
    def full_rent(self):
        """Yearly rent of each site once it is complete, ``(sites, worlds)``, US$bn."""
        leases = self.model.leases
        return leases.full_rent[:, None] * leases.rent_level

    def site_value(self, rent_year, cyclicality=None):
        """Value a leased site at its yearly rent over a yield: base rate + spread, wider in a freeze, 1% at least.

        `cyclicality`: share of the widening that the valuation follows, ``(sites, worlds)`` (an appraisal); without it
        all of it (the market).
        """
        credit, value = self.model.credit, np.empty(rent_year.shape)
        followed = self._spread_in_full if cyclicality is None else cyclicality
        spread = credit.capitalisation_spread, credit.spread_multiple, followed
        value_sites(rent_year, credit.base_rate, *spread, LOWEST_YIELD, value)
        return value

    @property
    def growth_of_others(self):
        """Growth of the debt that the lab's payments do not serve, since month 0, 0 to 1, ``(1, worlds)``."""
        growth = np.empty((1, self.worlds))
        grow_of_others(self.balance, self.linked, self.opening_of_others, growth)
        return growth

    def draw(self, wanted_by_party, wanted_by_site):
        """Draw what firms ask on their lines, sites for building, and clouds for signed chips.

        A share may come as equity of the hyperscalers instead of debt (`hyperscaler.co_investment_share`).
        """
        wanted = np.empty(self.rate.shape)
        share_draws(
            self.undrawn,
            self.site_undrawn,
            wanted_by_party,
            wanted_by_site,
            self.model.chip_draws,
            self.line_of,
            self.is_site,
            self.by_draw,
            self.debtor,
            self.site,
            wanted,
        )
        share = self.model.co_investment.share
        if share is not None:
            self.model.co_investment.put_in(self.by_debtor @ (wanted * (share * self.co_funded)))
            wanted = wanted * (1.0 - share * self.co_funded)
        paid = self.model.ledger.pay(self.draws, wanted)
        repayment = self.repayment.copy()
        add_vintages(paid, self.by_draw, self.draw_term, repayment)
        self.repayment, self.drawn_now = repayment, paid
        return paid

    def _of_site(self, block):
        """Give each loan its site's value; loans of other firms get zero."""
        padded = np.concatenate([block, np.zeros((1, self.worlds))])
        return np.take(padded, np.where(self.site >= 0, self.site, len(block)), axis=0)

    def refinance(self):
        """Agree, twelve months before the bullet, what the market will lend again.

        sites: new loan <= value x loan-to-value, <= CFADS / (DSCR x annuity at today's rate), <= what the lender
        may hold and has; nothing when the lease ends before the new loan. Firms: all of it while leverage is
        bearable, times the openness of the market. Owners promise equity for part of a site's gap.
        """
        month = self.model.month + 12
        if not matures_in(month, self.maturity, self.matures):
            return
        balance, agreed = self.balance, self.agreed.copy()
        due = (self.maturity == month) & self.matures
        rows = np.flatnonzero(np.logical_or.reduce(due, axis=1))
        room = self.may_hold(balance).take(rows, axis=0)
        agreed[rows] = np.where(due[rows], self._advance(rows, 0.0, room), agreed[rows])
        self.agreed = agreed
        gap = self.by_site @ ((balance - agreed) * (due & self.is_site))
        self.model.site_equity.promise(gap)

    def _advance(self, rows, points, room):
        """Give what would be lent again on the loans of some `rows` at today's rate + `points` per year."""
        model, credit, firms = self.model, self.model.credit, self.model.firms
        shape = len(rows), self.worlds
        request = np.empty(shape)
        value = np.empty(shape)
        cash_flow = np.empty(shape)
        liquidity = np.empty(shape)
        monthly, payments, rent = np.empty(shape), np.empty(shape), model.lease_rent_year
        terms_of_renewal(
            rows,
            model.month,
            self.balance,
            self.is_site,
            self.site,
            self.lease_end,
            self.profile,
            self.amortised,
            credit.profile_within_lease,
            credit.refinancing_years,
            credit.base_rate,
            self.market_margin(),
            points,
            rent,
            model.sites.operating_share,
            self.site_value(rent),
            firms.first_row,
            firms.leverage,
            firms.leverage_ceiling,
            model.solvency.months_missed,
            model.ledger.closed,
            credit.openness,
            self.debtor,
            self.by_banks,
            self.lender,
            model.ledger.cash,
            UNBOUNDED,
            request,
            value,
            cash_flow,
            monthly,
            payments,
            liquidity,
        )
        return advance(
            request,
            value=value,
            loan_to_value=credit.loan_to_value,
            owed=0.0,
            cash_flow=cash_flow,
            cover=credit.refinancing_dscr,
            annuity=12.0 * level_annuity(1.0, monthly, payments),
            name_room=room,
            liquidity=liquidity,
        )

    def refinanceable_at(self, points):
        """Give what each site could refinance of its balance today at rates higher by `points` (0.01: 100 bp).

        ``(sites, worlds)``, US$bn; before lenders' room, which does not depend on the rate.
        """
        lent = np.zeros(self.rate.shape)
        lent[self.site_rows] = self._advance(self.site_rows, points, UNBOUNDED)
        return self.by_site @ lent

    def maturity_wall(self, years, extended=False):
        """Give what falls due at once in each coming year, ``(years, worlds)``: bullets at today's balances.

        `extended`: with every extension option of 12 months used.
        """
        last = self.maturity + 12 * (self.most_extensions - self.extensions) * extended
        year = (last - self.model.month) // 12
        return np.stack([total(self.balance * (self.matures & (year == k))) for k in range(years)])

    def sell_down(self):
        """Let a syndicate sell on part of its site loans to bondholders while credit is calm.

        What is held above `1 - sell_down_share` of a loan is sold evenly over `sell_down_months`. Nobody buys a loan of
        which principal is overdue: what has been billed to the debtor belongs to whoever was the lender then.
        """
        bank, ledger = self.model.banks, self.model.ledger
        wanted = np.empty((len(self.sellers), self.worlds))
        if not share_to_sell(
            self.balance,
            ledger.payable,
            self.principal.legs.start,
            self.bullets.legs.start,
            self.sellers,
            self.sold,
            self.bank_of_sellers,
            bank.sell_down_share,
            bank.sell_down_months,
            self.debtor,
            ledger.closed,
            self.model.credit.frozen,
            wanted,
        ):
            return
        commitment = self.commitment.copy()
        hand_over(ledger.pay(self.sales, wanted), self.sellers, commitment)
        self.commitment = commitment

    def may_hold(self, balance):
        """Give what each loan's lender may hold of it beside everything else it has lent; others are not bound."""
        banks, room = self.model.banks, np.empty(balance.shape)
        limits = banks.limit, banks.lent, banks.name_limit, banks.exposure_to_openai
        room_with_lenders(balance, self.lender, banks.first_row, *limits, UNBOUNDED, room)
        return room

    def extend(self):
        """Use an extension option of 12 months where refinancing falls short and the cover allows it.

        Cover is tested from 12 months after completion; a site that is late is extended untested.
        """
        month = self.model.month
        if not matures_in(month + 1, self.maturity, self.is_site):
            return
        young = self.model.sites.months_complete < 12
        cover = self._of_site(np.where(young, 10.0, self.model.sites.dscr))
        short = (self.maturity == month + 1) & self.is_site & (self.agreed < self.balance * (1.0 - 1e-6))
        may = (
            short
            & (cover >= self._of_site(self.model.sites.lockup_dscr))
            & (self.extensions < self.most_extensions)
            & ~self.stopped
        )
        self.maturity = np.where(may, self.maturity + 12, self.maturity)
        self.extensions = self.extensions + may
        self.agreed = np.where(may, 0.0, self.agreed)

    def stop_draws(self):
        """Stop draws: borrower or tenant in arrears, covenant breached, cross-default, or a party gone."""
        solvency, stopped = self.model.solvency, np.empty(self.rate.shape, dtype=bool)
        find_stopped(
            solvency.months_missed,
            solvency.cross_defaulted,
            self.model.ledger.closed,
            self.model.sites.breached,
            self.model.leases.tenant,
            self.debtor,
            self.site,
            stopped,
        )
        self.stopped = stopped

    def accelerate(self, closed):
        """Call the whole balance of borrowers that reached legal default this month."""
        ledger, claimed, rest = self.model.ledger, np.empty(self.rate.shape), np.empty(self.rate.shape)
        accelerated = np.empty(self.rate.shape, dtype=bool)
        if not call_loans(
            closed,
            self.debtor,
            self.balance,
            ledger.payable,
            self.principal.legs.start,
            self.bullets.legs.start,
            self.accelerated,
            self.claimed,
            rest,
            accelerated,
            claimed,
        ):
            return
        ledger.file(self.principal, rest)
        self.accelerated, self.claimed = accelerated, claimed

    def note_losses(self, estates):
        """Note, loan by loan, what the estates ``(parties, worlds)`` leave unpaid, before it is written off."""
        lost = np.empty(self.lost.shape)
        add_losses(estates, self.debtor, self.balance, self.lost, lost)
        self.lost = lost

    @property
    def unsecured(self):
        """Which loans rank as unsecured debt, ``(loans, 1)``."""
        return ~(self.is_secured | self.is_site)

    def has_debt(self, row, some):
        """Whether the party in a row owes any of some loans, ``(loans, 1)``."""
        return bool((some[:, 0] & (self.debtor == row)).any())

    @property
    def recovery(self):
        """Share of each called loan that its holder got back, 1 where nothing was called, ``(loans, worlds)``."""
        return 1.0 - self.lost / np.where(self.claimed > 0.0, self.claimed, 1.0)

    def sweep(self, amounts):
        """Prepay the loans of each site, ``(sites, worlds)``, pro rata to what it owes; give what was paid.

        No loan is paid more than is owed on it: shares of a whole may add up to a hair more than the whole.
        """
        parts = np.empty((len(self.site_rows), self.worlds))
        if share_prepayment(amounts, self.balance, self.site_rows, self.site, parts):
            self.model.ledger.pay(self.sweeps, parts)
        return amounts


ROUNDING = 1e-9
"""US$bn: what rounding may leave of a loan that is repaid; more than that is no rounding, and is left to be seen."""
UNBOUNDED = 1e6
"""US$bn: a limit that never binds."""
LAB_LOAN = "loan_lab_build"
"""The loan by which the lab itself borrows for chips; its terms are those of the loan of the vehicle."""
TERMS_OF_LINES = ("new_money", "open_ended", "committed_margin")
"""But for these: it is drawn for chips alone, and the lab's new money is booked on a line of its own."""
SITE_LOANS = ("site loan", "site loan in talks")


def _index(names, name):
    return names.index(name) if name in names else -1


def _yearly_principal(terms, months):
    path = np.zeros(months + 24)
    for year, amount in enumerate(terms.get("principal_yearly", ())):
        path[12 * year : 12 * year + 12] = amount / 12.0
    return path
