"""Credit: the state of the money market, and every loan and bond.

Interest = balance x rate / 12. Principal follows the loan's profile on its balance, so that draws, refinancing
and write-offs need no schedule to be repaired.
"""

import numpy as np

from agents.worlds import Mechanism, Param, State
from model.contracts import JUNIOR, SECURED, SITE_COMPANIES, UNSECURED
from model.ladder import level_annuity
from model.ledger import CLAIM
from model.opening import DEBT_KINDS
from model.sums import Adder, adder_into, incidence, total

NEVER = 10_000


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
        0.02, "per year", (0.0, 0.1), "Spread at which maturing corporate bonds are rolled in calm."
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

    base_rate = State("per year", "base rate")
    frozen = State("yes/no", "whether credit is frozen", dtype=bool)
    spread_multiple = State("x", "spread over the calm spread", default=1.0)
    openness = State("share", "share of the usual new money that flows", default=1.0)

    measures = ("base_rate", "frozen", "spread_multiple")

    def move(self):
        """Move the base rate (mean reverting) and the regime (two states, two hazards)."""
        rate = np.where(self.model.month == 0, self.base_rate_start, self.base_rate)
        shock = self.base_rate_volatility * np.sqrt(1.0 / 12.0) * self.model.draw("base rate", "normal")
        pull = self.base_rate_reversion / 12.0 * (self.base_rate_start - rate)
        self.base_rate = np.maximum(rate + (pull + shock) * self.enabled, 0.0)
        draw = self.model.draw("credit regime")
        freezes = draw < 1.0 - np.exp(-self.freeze_hazard / 12.0)
        thaws = draw < 1.0 - np.exp(-self.thaw_hazard / 12.0)
        frozen = np.where(self.frozen, ~thaws, freezes) & self.enabled
        forced = self.model.forced_freeze
        self.frozen = frozen | (forced > 0.0)
        multiple = np.where(forced > 0.0, forced, self.freeze_multiple)
        self.spread_multiple = np.where(self.frozen, multiple, 1.0)
        self.openness = np.where(self.frozen, self.freeze_openness, 1.0)


class Loans(Mechanism):
    """Every loan and bond, a row each: drawn balance and commitment apart."""

    group = "loan"

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

    undrawn = line_undrawn = site_undrawn = site_balance = site_rate = None
    interest_due = principal_due = drawn_now = None
    service = service_of_parties = service_of_sites = None

    def __init__(self, model, opening):
        super().__init__(model)
        contracts = [c for c in opening.contracts if c.kind in DEBT_KINDS]
        rows = []
        for contract in contracts:
            second = contract.terms.get("second_lender_share", 0.0)
            rows.append((contract, contract.creditor, 1.0 - second))
            if second:
                rows.append((contract, contract.terms["second_lender"], second))
        sells = [lender in SELLS_DOWN and contract.kind in SITE_LOANS for contract, lender, _ in rows]
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
        self.schedule = np.array([_yearly_principal(t, model.months) for t in terms])
        self.partial_bullets = [
            (row, t["principal_due"], t["principal_due_month"])
            for row, t in enumerate(terms)
            if "principal_due" in t
        ]
        self.of_vehicle = np.array([c.debtor == "Stargate vehicle" for c in self.contracts])[:, None]
        self.in_talks = np.array([c.kind == "site loan in talks" for c in self.contracts])[:, None]
        self.linked = np.array([c.openai_linked for c in self.contracts])
        self.inside = np.array([t.get("interest_in_operating_cash_flow", False) for t in terms])
        self.site = np.array(
            [
                _index(SITE_COMPANIES, c.debtor) if c.debtor != "Meta site company" else 4
                for c in self.contracts
            ]
        )
        self.first_of_site = [int(np.argmax(self.site == site)) for site in range(5)]

    def open_accounts(self, ledger):
        """Open the claims and the legs: interest, principal, bullets, draws."""
        debtors = [c.debtor for c in self.contracts]
        self.debtor = np.array([ledger.index[name] for name in debtors])
        self.lender = np.array([ledger.index[name] for name in self.lenders])
        self.claims = ledger.open_claims("loans", self.names_of_rows, self.lenders, debtors)
        secured = ~(self.is_rolled | self.is_bullet | self.revolving)[:, 0]
        ranks = np.where(secured, SECURED, UNSECURED)
        self.interest = ledger.open_family("interest", debtors, self.lenders, seniority=ranks)
        self.principal = ledger.open_family(
            "principal", debtors, self.lenders, seniority=ranks, nature=CLAIM, claims=self.claims, sign=-1
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
        self.by_debtor = adder_into(self.debtor, len(ledger.parties))
        self.by_site = Adder(incidence(np.where(self.site >= 0, self.site, 5), 6)[:5])
        utilities = np.isin(debtors, ["ERCOT", "PJM", "MISO", "New Mexico"])
        inside = self.opening_drawn * self.coupon[:, 0] / 12.0 * (self.inside | utilities)
        self.interest_inside = self.by_debtor @ inside[:, None]
        self.line_of = np.array([c.id in LINES for c in self.contracts])[:, None]
        self.co_funded = np.isin(debtors, [*SITE_COMPANIES, "Oracle", "CoreWeave", "Stargate vehicle"])[
            :, None
        ]

    def sign(self):
        """Copy margins, coupons and commitments into the loans at month 0."""
        self.margin = self.opening_margin
        self.rate = np.where(self.floating, self.model.credit.base_rate_start + self.margin, self.coupon)
        grows = np.array([c.id in OPEN_ENDED for c in self.contracts])[:, None]
        self.commitment = np.where(grows, 1000.0, self.opening_commitment[:, None])
        self.maturity = np.broadcast_to(self.opening_maturity, self.rate.shape)

    @property
    def balance(self):
        """What is owed on each loan, US$bn."""
        return self.model.ledger.claims[self.claims[0] : self.claims[-1] + 1]

    def measure_room(self):
        """Note what may still be drawn: on each loan, on each party's line, by each site (all US$bn)."""
        month = self.model.month
        open_now = self.signed & ~self.stopped & (self.start <= month) & (month < self.maturity)
        self.undrawn = np.maximum(self.commitment - self.balance, 0.0) * open_now
        self.line_undrawn = self.by_debtor @ (self.undrawn * self.line_of)
        self.site_undrawn = self.by_site @ (self.undrawn * self.is_site)
        self.site_balance = self.by_site @ self.balance
        self.site_rate = np.take(self.rate, self.first_of_site, axis=0)

    def close_talks(self):
        """Decide in the month of signing whether a loan in talks closes; without it the site is not built."""
        month = self.model.month
        signing = self.in_talks & (self.start == month)
        if not signing.any():
            if month == 0:
                self.signed = np.broadcast_to(~(self.in_talks & (self.start > 0)), self.rate.shape)
            return
        credit = self.model.credit
        draw = np.concatenate([self.model.draw(f"closing of {c.id}") for c in self.contracts])
        closes = np.where(credit.enabled, draw < credit.closing_probability, credit.closing_probability > 0.0)
        self.signed = self.signed | (signing & closes)
        fails = (self.by_site @ (signing & ~closes)) > 0.0
        self.model.halls.delay(fails[:4], NEVER)

    def reprice(self):
        """Let floating loans follow the base rate, and rolled bonds drift to the market's coupon."""
        credit = self.model.credit
        market = credit.base_rate + credit.corporate_spread * credit.spread_multiple
        rolled = self.rate + self.rolls / 12.0 * (market - self.rate) * self.is_rolled
        self.rate = np.where(self.floating, credit.base_rate + self.margin, rolled)

    def bill(self):
        """Bill interest, scheduled principal and maturities; keep what each party and site owes this month."""
        ledger, month = self.model.ledger, self.model.month
        balance = self.balance
        overdue = ledger.payable[self.principal.legs] + ledger.payable[self.bullets.legs]
        current = np.maximum(balance - overdue, 0.0)
        interest = balance * self.rate / 12.0
        left = np.maximum(self.maturity - month, 1)
        complete = self._of_site((self.model.halls.ahead_of_sites <= 0.0).astype(float)) > 0.0
        amortises = self.is_site & complete
        n_left = np.maximum(self.profile - self.amortised, 1)
        annuity = level_annuity(current, self.rate / 12.0, n_left) - interest
        scheduled = (
            self.is_level * current / left
            + np.minimum(np.take(self.schedule, [month], axis=1), current)
            + self.by_draw * np.minimum(self.repayment * self._repaying, current)
            + amortises * np.clip(annuity, 0.0, current)
        )
        self.amortised = self.amortised + amortises
        matures = (self.maturity == month) & ~self.is_rolled & ~self.is_level
        rolled_over = np.minimum(self.agreed, current) * matures
        bullet = np.maximum(current - scheduled, 0.0) * matures - rolled_over
        for row, amount, due in self.partial_bullets:
            if due == month:
                bullet[row] += np.minimum(current[row], amount)
        prepaid = np.take(self.model.party_block("prepayment"), self.debtor, axis=0) * self.line_of
        bullet = np.maximum(bullet, np.minimum(prepaid, current - scheduled))
        renewed = matures & (rolled_over > 0.0)
        self._renew(renewed)
        self.interest_due = ledger.bill(self.interest, interest)
        self.principal_due = ledger.bill(self.principal, scheduled)
        ledger.bill(self.bullets, np.maximum(bullet, 0.0))
        self.service = self.interest_due + self.principal_due
        self.service_of_parties = self.by_debtor @ self.service
        self.service_of_sites = self.by_site @ self.service

    @property
    def _repaying(self):
        """Whether drawn vintages are being repaid: the vehicle repays as its orders come into service."""
        live = self.model.compute_contracts.live_share
        return np.where(self.of_vehicle, live, 1.0)

    def _renew(self, renewed):
        """Give refinanced loans a new term at today's margin."""
        credit = self.model.credit
        term = 12 * credit.refinancing_years
        self.maturity = np.where(renewed, self.maturity + term, self.maturity)
        self.margin = np.where(renewed & self.floating, self._new_margin(), self.margin)
        fixed = credit.base_rate + credit.corporate_spread * credit.spread_multiple
        self.rate = np.where(renewed & ~self.floating, fixed, self.rate)
        self.commitment = np.where(renewed, self.agreed, self.commitment)

    def _new_margin(self):
        banks = self.model.banks.spread_add_on
        return self.opening_margin * self.model.credit.spread_multiple + total(banks)[None, :] / len(banks)

    def draw(self, wanted_by_party, wanted_by_site):
        """Draw what firms ask on their lines, sites for building, and clouds for signed chips.

        A share may come as equity of the hyperscalers instead of debt (`hyperscaler.co_investment_share`).
        """
        lines = np.take(wanted_by_party, self.debtor, axis=0) * self.line_of
        site_total = self.by_site @ (self.undrawn * self.is_site)
        share = self.undrawn * self.is_site / np.maximum(self._of_site(site_total), 1e-12)
        sites = share * self._of_site(wanted_by_site)
        chips = np.take(self.model.chip_draws, self.debtor, axis=0) * self.by_draw
        wanted = np.minimum(lines + sites + chips, self.undrawn)
        co_share = self.model.co_investment_share * self.co_funded
        self.model.co_investment.put_in(self.by_debtor @ (wanted * co_share))
        paid = self.model.ledger.pay(self.draws, wanted * (1.0 - co_share))
        self.repayment = self.repayment + paid * self.by_draw / self.draw_term
        self.drawn_now = paid
        return paid

    def _of_site(self, block):
        """Give each loan its site's value; loans of other firms get zero."""
        padded = np.vstack([block, np.zeros((1, self.worlds))])
        return np.take(padded, np.where(self.site >= 0, self.site, 5), axis=0)

    def refinance(self):
        """Agree, twelve months before the bullet, what the market will lend again.

        sites: new loan <= value x loan-to-value, <= CFADS / (DSCR x annuity at today's rate), <= what the lender
        may hold. Firms: all of it while leverage is bearable, times the openness of the market.
        """
        month, credit = self.model.month, self.model.credit
        due = (self.maturity == month + 12) & ~self.is_rolled & ~self.is_level & ~self.by_draw
        if not due.any():
            return
        rate = credit.base_rate + self._new_margin()
        rent = self._of_site(self.model.lease_rent_year)
        value = rent / (credit.base_rate + credit.capitalisation_spread * credit.spread_multiple)
        n_left = np.maximum(self.profile - 12 - self.amortised, 60)
        per_unit = 12.0 * level_annuity(np.ones_like(rate), rate / 12.0, n_left)
        cash_flow = rent * (1.0 - self._of_site(self.model.sites.operating_share))
        affordable = cash_flow / (credit.refinancing_dscr * per_unit)
        site_room = np.minimum(value * credit.loan_to_value, affordable)
        balance = self.balance
        willing = np.take(self.model.refinanceable, self.debtor, axis=0)
        firm_room = balance * willing * credit.openness
        part = balance / np.maximum(self._of_site(self.site_balance), 1e-9)
        room = np.minimum(np.where(self.is_site, site_room * part, firm_room), self._lender_room(balance))
        self.agreed = np.where(due, np.minimum(balance, room), self.agreed)

    def sell_down(self):
        """Let a syndicate sell on part of its site loans to bondholders while credit is calm.

        What is held above `1 - sell_down_share` of a loan is sold evenly over `sell_down_months`.
        """
        bank = self.model.banks
        at = [bank.names.index(self.lenders[row]) for row in self.sellers]
        keep = 1.0 - np.take(bank.sell_down_share, at, axis=0)
        held, sold = np.take(self.balance, self.sellers, axis=0), np.take(self.balance, self.sold, axis=0)
        excess = np.maximum(held - keep * (held + sold), 0.0) / np.take(bank.sell_down_months, at, axis=0)
        alive = ~np.take(self.model.ledger.closed, self.debtor[self.sellers], axis=0)
        paid = self.model.ledger.pay(self.sales, excess * alive * ~self.model.credit.frozen)
        commitment = self.commitment.copy()
        commitment[self.sellers] -= paid
        self.commitment = commitment

    def _lender_room(self, balance):
        """Give what each loan's lender may hold of it beside everything else it has lent; others are not bound."""
        banks, place = self.model.banks, self.model.places["bank"]
        limit = np.minimum(banks.lending_limit - banks.lent, banks.name_limit - banks.exposure_to_openai)
        block = np.full((len(self.model.party_names), self.worlds), 1e6)
        block[place] = limit
        return np.maximum(np.take(block, self.lender, axis=0) + balance, 0.0)

    def extend(self):
        """Use an extension option of 12 months where refinancing falls short and the cover allows it.

        Cover is tested from 12 months after completion; a site that is late is extended untested.
        """
        month = self.model.month
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
        """Stop draws where the borrower or its tenant is in arrears, the covenant is breached, or a party is gone."""
        arrears = self.model.solvency.months_missed > 0
        own = np.take(arrears | self.model.ledger.closed, self.debtor, axis=0)
        site_stop = self.model.sites.breached | self.model.tenant_trouble
        self.stopped = own | (self._of_site(site_stop.astype(float)) > 0.0)

    def accelerate(self, closed):
        """Call the whole balance of borrowers that reached legal default this month."""
        mask = np.take(closed, self.debtor, axis=0)
        called = self.model.ledger.payable[self.principal.legs] + self.model.ledger.payable[self.bullets.legs]
        rest = np.maximum(self.balance - called, 0.0) * mask
        self.model.ledger.file(self.principal, rest)
        self.accelerated = self.accelerated | mask


SITE_LOANS = ("site loan", "site loan in talks")
SELLS_DOWN = ("Japanese bank syndicate",)
"""Who sells on part of its site loans to bondholders (opening: Japanese bank syndicate)."""
LINES = {
    "loan_stargate",
    "revolver_openai",
    "programme_oracle",
    "notes_coreweave",
    "other_debt_softbank",
    "debt_crusoe",
    "debt_vantage",
    "debt_microsoft",
    "debt_alphabet",
    "debt_amazon",
    "debt_meta",
    "debt_ercot",
    "debt_pjm",
    "debt_miso",
    "debt_new_mexico_utility",
}
"""The loan on which each firm's new money is booked."""
OPEN_ENDED = LINES - {"revolver_openai", "programme_oracle"}


def _index(names, name):
    return names.index(name) if name in names else -1


def _yearly_principal(terms, months):
    path = np.zeros(months + 24)
    for year, amount in enumerate(terms.get("principal_yearly", ())):
        path[12 * year : 12 * year + 12] = amount / 12.0
    return path
