"""The Ledger alone, on small topologies: what must balance, and that what does not is noticed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ledger import ASSET, ASSET_SALE, CLAIM, INCOME, Ledger

PARTIES = ("Lab", "Cloud", "Bank", "Fund", "World")
LAB, CLOUD, BANK, FUND, WORLD = range(5)
WORLDS = 3
PROVEN = 1e-12


class Books:
    """A lab that pays a cloud, whom a bank and a fund have lent to; one leg of every nature."""

    def __init__(self, cash=(50.0, 12.0, 80.0, 10.0, -152.0), loan=60.0, bond=20.0, assets=100.0):
        self.ledger = ledger = Ledger(PARTIES, ["World"], "World")
        self.claims = ledger.open_claims("loan", ["loan"], ["Bank"], ["Cloud"])
        self.bonds = ledger.open_claims("bond", ["bond"], ["Fund"], ["Cloud"])
        self.sales = ledger.open_family("sales", ["World"], ["Lab"], cleared=False)
        self.bills = ledger.open_family("take-or-pay", ["Lab", "Lab"], ["Cloud", "Fund"], seniority=[0, 1])
        self.interest = ledger.open_family("interest", ["Cloud", "Cloud"], ["Bank", "Fund"], seniority=[0, 1])
        self.principal = ledger.open_family(
            "principal", ["Cloud"], ["Bank"], seniority=1, nature=CLAIM, claims=self.claims, sign=-1
        )
        self.draws = ledger.open_family(
            "draw", ["Bank"], ["Cloud"], nature=CLAIM, claims=self.claims, sign=1, cleared=False
        )
        self.capex = ledger.open_family("capex", ["Cloud"], ["World"], nature=ASSET, cleared=False)
        self.disposal = ledger.open_family("disposal", ["World"], ["Cloud"], nature=ASSET_SALE, cleared=False)
        self.loan_sale = ledger.open_family(
            "loan sale",
            ["Fund"],
            ["Bank"],
            nature=CLAIM,
            claims=ledger.open_claims("loan", ["sold loan"], ["Fund"], ["Cloud"]),
            sign=1,
            given_up=self.claims,
            cleared=False,
        )
        self.dividends = ledger.open_family("dividend", ["Cloud", "Cloud"], ["Fund", "World"], cleared=False)
        ledger.close_topology()
        ledger.allocate(WORLDS, cash, [loan, bond, 0.0], [0.0, assets, 0.0, 0.0, 0.0])

    def month(self):
        """One month in which everything happens and everyone can pay, differently in each world."""
        factor = np.array([[1.0, 0.5, 0.1]])
        ledger = self.ledger
        ledger.open_month()
        ledger.pay(self.sales, 22.0 * factor)
        ledger.bill(self.bills, np.array([[18.0], [1.0]]) * factor)
        ledger.bill(self.interest, np.array([[0.6], [0.2]]) * factor)
        ledger.bill(self.principal, 2.0 * factor)
        ledger.pay(self.draws, 25.0 * factor)
        ledger.pay(self.capex, 30.0 * factor)
        ledger.pay(self.disposal, 4.0 * factor)
        ledger.settle()
        ledger.pay(self.dividends, np.array([[0.5], [0.25]]) * factor)
        ledger.change_claims(self.bonds, -3.0 * factor)
        ledger.change_real_assets(np.array([0.0, -2.5, 0.0, 0.0, 0.0])[:, None] * factor)
        return factor


@pytest.fixture
def books():
    return Books()


def paid_to(books, family):
    return books.ledger.flow[family.legs]


# -- what must balance ------------------------------------------------------------------------------------


def test_a_month_in_which_everything_happens_is_proven(books):
    books.month()
    assert books.ledger.prove().max() <= PROVEN


def test_cash_is_what_it_was_plus_receipts_less_payments(books):
    before = books.ledger.cash
    factor = books.month()[0]
    got = books.ledger.cash - before
    assert got[LAB] == pytest.approx((22.0 - 18.0 - 1.0) * factor)
    assert got[CLOUD] == pytest.approx((18.0 - 0.8 - 2.0 + 25.0 - 30.0 + 4.0 - 0.75) * factor)
    assert got[BANK] == pytest.approx((0.6 + 2.0 - 25.0) * factor)
    assert got[FUND] == pytest.approx((1.0 + 0.2 + 0.5) * factor)
    assert got[WORLD] == pytest.approx((-22.0 + 30.0 - 4.0 + 0.25) * factor)


def test_cash_adds_up_to_zero_and_net_worth_to_the_real_assets(books):
    books.month()
    ledger = books.ledger
    assert ledger.cash.sum(axis=0) == pytest.approx(np.zeros(WORLDS), abs=1e-12)
    assert ledger.net_worth().sum(axis=0) == pytest.approx(ledger.real_assets.sum(axis=0))


def test_a_draw_raises_the_claim_and_a_repayment_lowers_it(books):
    factor = books.month()[0]
    assert books.ledger.claims[books.claims[0]] == pytest.approx(60.0 + 23.0 * factor)
    assert books.ledger.debt(np.array([0, 1]))[CLOUD] == pytest.approx(80.0 + 20.0 * factor)


def test_the_buyer_of_an_asset_has_it_and_the_seller_of_a_used_one_has_it_no_longer(books):
    factor = books.month()[0]
    assets = books.ledger.real_assets
    assert assets[CLOUD] == pytest.approx(100.0 + (30.0 - 4.0 - 2.5) * factor)
    assert assets[WORLD] == pytest.approx(4.0 * factor)


def test_the_change_of_net_worth_is_income(books):
    before = books.ledger.net_worth()
    factor = books.month()[0]
    income = books.ledger.income()
    assert books.ledger.net_worth() - before == pytest.approx(income)
    # A write-off is the issuer's gain and the holder's loss; a draw and a purchase are no income.
    assert income[CLOUD] == pytest.approx((18.0 - 0.8 - 0.75 + 3.0 - 2.5) * factor)
    assert income[FUND] == pytest.approx((1.0 + 0.2 + 0.5 - 3.0) * factor)
    assert income[BANK] == pytest.approx(0.6 * factor)


@pytest.mark.parametrize("world", range(WORLDS))
def test_rows_and_columns_of_the_transaction_flow_matrix_sum_to_zero(books, world):
    before = books.ledger.cash
    books.month()
    kinds, matrix = books.ledger.transaction_flows(world)
    assert sorted(kinds) == sorted(set(books.ledger.kinds))
    assert matrix.sum(axis=1) == pytest.approx(np.zeros(len(kinds)), abs=1e-12)
    # A column sums to zero with the change of cash as its last row.
    change = (books.ledger.cash - before)[:, world]
    assert matrix.sum(axis=0) - change == pytest.approx(np.zeros(len(PARTIES)), abs=1e-12)
    assert np.abs(matrix).max() > 1.0


@pytest.mark.parametrize("world", range(WORLDS))
def test_financial_rows_of_the_balance_sheet_sum_to_zero_and_columns_to_net_worth(books, world):
    books.month()
    books.ledger.bill(books.bills, np.ones((2, WORLDS)))
    rows, matrix = books.ledger.balance_sheet(world)
    assert rows == ["cash", "loan", "bond", "payables", "real assets"]
    assert matrix[:-1].sum(axis=1) == pytest.approx(np.zeros(4), abs=1e-12)
    assert matrix.sum(axis=0) == pytest.approx(books.ledger.net_worth()[:, world])
    assert matrix[3, LAB] == pytest.approx(-2.0)
    assert matrix[1, BANK] == -matrix[1, CLOUD] > 0.0


def test_the_months_residual_is_kept_at_its_largest(books):
    books.ledger.residual = np.array([0.0, 0.25, 0.0])
    books.month()
    assert books.ledger.prove()[1] == 0.25


# -- bills, arrears, seniority ----------------------------------------------------------------------------


def test_a_bill_is_an_expense_and_an_income_before_it_is_paid(books):
    before = books.ledger.net_worth()
    books.ledger.bill(books.bills, np.full((2, WORLDS), 5.0))
    change = books.ledger.net_worth() - before
    assert (change[[LAB, CLOUD, FUND]] == [[-10.0], [5.0], [5.0]]).all()
    assert (books.ledger.outgoing()[LAB] == 10.0).all()
    assert books.ledger.prove().max() <= PROVEN


def test_what_cannot_be_paid_stays_payable_and_the_senior_is_paid_first():
    books = Books(cash=(7.0, 0.0, 80.0, 0.0, -87.0))
    ledger = books.ledger
    ledger.bill(books.bills, np.array([[4.0, 7.0, 9.0], [5.0, 5.0, 5.0]]))
    ledger.settle()
    assert paid_to(books, books.bills) == pytest.approx(np.array([[4.0, 7.0, 7.0], [3.0, 0.0, 0.0]]))
    assert ledger.payable[books.bills.legs] == pytest.approx(np.array([[0.0, 0.0, 2.0], [2.0, 5.0, 5.0]]))
    assert ledger.cash[LAB] == pytest.approx(np.zeros(WORLDS), abs=1e-12)
    assert ledger.prove().max() <= PROVEN


def test_arrears_are_cleared_when_money_comes():
    books = Books(cash=(1.0, 0.0, 80.0, 0.0, -81.0))
    ledger = books.ledger
    ledger.bill(books.bills, np.array([[4.0], [0.0]]) * np.ones(WORLDS))
    ledger.settle()
    ledger.prove()
    ledger.open_month()
    ledger.pay(books.sales, np.full((1, WORLDS), 10.0))
    ledger.settle()
    assert paid_to(books, books.bills)[0] == pytest.approx(np.full(WORLDS, 3.0))
    assert ledger.payable.max() == 0.0
    assert ledger.prove().max() <= PROVEN
    assert ledger.income()[CLOUD] == pytest.approx(np.zeros(WORLDS))  # it was income when it was billed


def test_who_is_paid_can_pay_in_the_same_clearing():
    books = Books(cash=(5.0, 0.0, 80.0, 0.0, -85.0))
    books.ledger.bill(books.bills, np.array([[5.0], [0.0]]) * np.ones(WORLDS))
    books.ledger.bill(books.interest, np.array([[2.0], [2.0]]) * np.ones(WORLDS))
    books.ledger.settle()
    assert paid_to(books, books.interest) == pytest.approx(np.full((2, WORLDS), 2.0))


def test_expected_receipts_are_bills_times_what_the_payer_paid_of_the_last_ones(books):
    books.ledger.bill(books.bills, np.array([[4.0], [6.0]]) * np.ones(WORLDS))
    share = np.ones((len(PARTIES), WORLDS))
    share[LAB] = [1.0, 0.5, 0.0]
    assert (books.ledger.foresee(share)[1][CLOUD] == [4.0, 2.0, 0.0]).all()


# -- payments outside the clearing ------------------------------------------------------------------------


def test_pay_is_pro_rata_when_the_payer_is_short():
    books = Books(cash=(0.0, 9.0, 80.0, 0.0, -89.0))
    asked = np.array([[6.0, 12.0, 2.0], [3.0, 24.0, 2.0]])
    paid = books.ledger.pay(books.dividends, asked)
    assert paid == pytest.approx(np.array([[6.0, 3.0, 2.0], [3.0, 6.0, 2.0]]))
    assert books.ledger.cash[CLOUD] == pytest.approx([0.0, 0.0, 5.0])
    assert books.ledger.prove().max() <= PROVEN


def test_only_what_was_paid_becomes_a_claim():
    books = Books(cash=(0.0, 0.0, 10.0, 0.0, -10.0))
    paid = books.ledger.pay(books.draws, np.array([[25.0, 10.0, 4.0]]))
    assert (paid == [[10.0, 10.0, 4.0]]).all()
    assert (books.ledger.claims[0] == [70.0, 70.0, 64.0]).all()


def test_who_sells_a_claim_has_the_money_and_the_buyer_the_claim(books):
    paid = books.ledger.pay(books.loan_sale, np.array([[4.0, 10.0, 30.0]]))
    assert (paid == [[4.0, 10.0, 10.0]]).all()
    assert (books.ledger.claims[[0, 2]] == [[56.0, 50.0, 50.0], [4.0, 10.0, 10.0]]).all()
    assert (books.ledger.income() == 0.0).all()
    assert books.ledger.prove().max() <= PROVEN


def test_a_payment_with_nothing_in_the_bank_is_nothing():
    books = Books(cash=(0.0, 0.0, 0.0, 0.0, 0.0))
    assert (books.ledger.pay(books.capex, np.full((1, WORLDS), 5.0)) == 0.0).all()
    assert books.ledger.prove().max() == 0.0


def test_sectors_pay_whatever_is_asked(books):
    books.ledger.pay(books.sales, np.full((1, WORLDS), 1e4))
    assert (books.ledger.cash[WORLD] == -152.0 - 1e4).all()
    assert books.ledger.prove().max() <= PROVEN


def test_legs_of_closed_parties_bill_and_pay_nothing_unless_it_is_filed(books):
    closed = np.zeros((len(PARTIES), WORLDS), dtype=bool)
    closed[CLOUD, 1] = True
    ledger, ones = books.ledger, np.ones((2, WORLDS))
    ledger.close_parties(closed)
    assert (ledger.bill(books.bills, ones) == [[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]).all()
    assert (ledger.pay(books.dividends, ones) == [[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]).all()
    assert (ledger.pay(books.dividends, ones, even_closed=True) == 1.0).all()
    ledger.file(books.interest, ones)
    assert (ledger.payable[books.interest.legs] == 1.0).all()
    assert ledger.prove().max() <= PROVEN


# -- write-offs -------------------------------------------------------------------------------------------


def test_a_write_off_is_the_same_loss_to_holders_and_gain_to_the_issuer(books):
    ledger = books.ledger
    ledger.bill(books.interest, np.array([[0.5], [0.25]]) * np.ones(WORLDS))
    ledger.bill(books.principal, np.full((1, WORLDS), 2.0))
    before, owed = ledger.net_worth(), ledger.claims
    who = np.zeros((len(PARTIES), WORLDS), dtype=bool)
    who[CLOUD, :2] = True
    loss = ledger.write_off(who)
    change = ledger.net_worth() - before
    # The instalment that was due is part of the loan: it is not lost twice.
    assert (loss[BANK, :2] == 60.5).all()
    assert (loss[FUND, :2] == 20.25).all()
    assert change[[BANK, FUND]] == pytest.approx(-loss[[BANK, FUND]])
    assert change[CLOUD] == pytest.approx(loss.sum(axis=0))
    assert (loss[:, 2] == 0.0).all()
    assert (ledger.claims[:, 2] == owed[:, 2]).all()
    assert (ledger.claims[:, :2] == 0.0).all()
    assert (ledger.payable[:, :2] == 0.0).all()
    assert (ledger.outgoing()[CLOUD, 2]) == 2.75
    assert ledger.prove().max() <= PROVEN


def test_what_others_owe_the_one_written_off_stands(books):
    books.ledger.bill(books.bills, np.ones((2, WORLDS)))
    who = np.zeros((len(PARTIES), WORLDS), dtype=bool)
    who[CLOUD] = True
    books.ledger.write_off(who)
    assert (books.ledger.payable[books.bills.legs] == 1.0).all()


# -- tampering --------------------------------------------------------------------------------------------


def tampered(books, name, row, amount=1e-3):
    block = getattr(books.ledger, name)
    block.setflags(write=True)
    block[row, 1] += amount


@pytest.mark.parametrize(
    ("name", "row"),
    [("cash", BANK), ("cash", WORLD), ("claims", 0), ("claims", 1), ("real_assets", CLOUD)],
)
def test_a_number_changed_behind_the_ledgers_back_is_noticed_in_its_world(books, name, row):
    books.month()
    tampered(books, name, row)
    residual = books.ledger.prove()
    assert residual[1] > 1e-6
    assert residual[[0, 2]].max() <= PROVEN


def test_a_bill_changed_behind_the_ledgers_back_is_noticed(books):
    books.month()
    books.ledger.payable[books.bills.legs.start, 1] += 1e-3
    residual = books.ledger.prove()
    assert residual[1] > 1e-6
    assert residual[[0, 2]].max() <= PROVEN


def test_a_flow_of_last_month_that_is_not_cleared_is_noticed(books):
    books.month()
    assert books.ledger.prove().max() <= PROVEN
    books.ledger._used[:] = False  # as if a payment had not been marked
    books.ledger.open_month()
    assert books.ledger.prove().min() > 1e-6


def test_cash_that_moves_without_a_leg_is_noticed_even_if_it_adds_up(books):
    books.month()
    tampered(books, "cash", BANK, -1.0)
    tampered(books, "cash", FUND, 1.0)
    assert books.ledger.prove()[1] > 1e-3


def test_cash_below_zero_is_noticed_unless_the_party_is_a_sector(books):
    assert Books(cash=(0.0, 0.0, 0.0, 5.0, -5.0)).ledger.prove().max() == 0.0
    assert Books(cash=(5.0, 0.0, -5.0, 0.0, 0.0)).ledger.prove().min() > 1e-3


def test_cash_that_does_not_add_up_at_the_start_is_noticed():
    assert Books(cash=(1.0, 0.0, 0.0, 0.0, 0.0)).ledger.prove().min() > 1e-3


def test_cash_claims_and_assets_cannot_be_written_into(books):
    books.month()
    for name in ("cash", "claims", "real_assets"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(books.ledger, name)[0, 0] = 1.0


# -- the topology -----------------------------------------------------------------------------------------


def test_a_family_is_opened_once():
    ledger = Ledger(["a", "b"], ["b"], "b")
    ledger.open_family("rent", ["a"], ["b"])
    with pytest.raises(ValueError, match="'rent' is open"):
        ledger.open_family("rent", ["b"], ["a"])
    ledger.open_family("rent", ["b"], ["a"], name="rent back")


def test_a_claim_stands_behind_one_leg_of_a_family():
    ledger = Ledger(["a", "b"], ["b"], "b")
    row = ledger.open_claims("loan", ["loan"], ["a"], ["b"])
    with pytest.raises(ValueError, match="one leg"):
        ledger.open_family("draw", ["a"] * 2, ["b"] * 2, nature=CLAIM, claims=[*row, *row], sign=1)


def test_an_unknown_party_is_refused():
    with pytest.raises(KeyError):
        Ledger(["a"], ["a"], "a").open_family("rent", ["a"], ["nobody"])


# -- any topology, any month ------------------------------------------------------------------------------


def random_ledger(rng, worlds):
    """Parties, claims and legs at random; every claim has a leg that raises it and one that lowers it."""
    count = int(rng.integers(2, 7))
    names = [f"party {row}" for row in range(count)] + ["World"]
    ledger = Ledger(names, ["World"], "World")

    def pairs(legs):
        payer = rng.integers(0, count + 1, legs)
        payee = (payer + rng.integers(1, count + 1, legs)) % (count + 1)
        return [names[row] for row in payer], [names[row] for row in payee]

    lenders, borrowers = pairs(int(rng.integers(1, 5)))
    claims = ledger.open_claims("loan", [f"loan {row}" for row in range(len(lenders))], lenders, borrowers)
    outside = [
        ledger.open_family("draw", lenders, borrowers, nature=CLAIM, claims=claims, sign=1, cleared=False),
        ledger.open_family("gift", *pairs(int(rng.integers(1, 6))), cleared=False),
        ledger.open_family("capex", *pairs(2), nature=ASSET, cleared=False),
        ledger.open_family("disposal", *pairs(2), nature=ASSET_SALE, cleared=False),
    ]
    ranks = rng.integers(0, 3, len(lenders))
    cleared = [
        ledger.open_family(
            "principal", borrowers, lenders, nature=CLAIM, claims=claims, sign=-1, seniority=ranks
        )
    ]
    for kind in ("rent", "fee"):
        payers, payees = pairs(int(rng.integers(1, 8)))
        ranks = rng.integers(0, 3, len(payers))
        cleared.append(ledger.open_family(kind, payers, payees, nature=INCOME, seniority=ranks))
    cleared.append(ledger.open_family("chips", *pairs(2), nature=ASSET, seniority=2))
    ledger.close_topology()
    cash = rng.exponential(10.0, count) * rng.integers(0, 2, count)
    assets = rng.exponential(50.0, count + 1)
    ledger.allocate(worlds, [*cash, -cash.sum()], rng.exponential(30.0, len(claims)), assets)
    return ledger, outside, cleared, claims


@given(st.integers(0, 2**32 - 1))
def test_random_months_on_random_topologies_are_proven(seed):
    rng = np.random.default_rng(seed)
    worlds = int(rng.integers(1, 5))
    ledger, outside, cleared, claims = random_ledger(rng, worlds)
    for _ in range(int(rng.integers(1, 5))):
        ledger.open_month()
        before, worth = ledger.cash.copy(), ledger.net_worth()
        for family in rng.permutation(np.array(outside, dtype=object)):
            ledger.pay(family, rng.exponential(8.0, (len(family), worlds)))
        for family in cleared:
            most = 6.0
            if family.nature == CLAIM:
                due = ledger.payable[family.legs]
                most = np.maximum(ledger.claims[claims] - due, 0.0)
            ledger.bill(family, rng.random((len(family), worlds)) * most)
        due = ledger.payable.copy()
        ledger.settle()
        ledger.change_claims(claims, -0.1 * rng.random((len(claims), worlds)) * ledger.claims[claims])
        ledger.change_real_assets(-0.01 * ledger.real_assets)
        if rng.random() < 0.3:
            ledger.write_off(rng.random(ledger.cash.shape) < 0.3)
        scale = 1.0 + np.abs(ledger.cash).max()
        assert ledger.prove().max() <= 1e-12
        assert ledger.cash[:-1].min() >= -1e-12 * scale
        assert ledger.net_worth() - worth == pytest.approx(ledger.income(), abs=1e-10 * scale)
        assert (
            (ledger.flow[ledger.cleared] >= 0.0) & (ledger.flow[ledger.cleared] <= due[ledger.cleared])
        ).all()
        for world in range(worlds):
            _, flows = ledger.transaction_flows(world)
            assert np.abs(flows.sum(axis=1)).max() <= 1e-11 * scale
            assert np.abs(flows.sum(axis=0) - (ledger.cash - before)[:, world]).max() <= 1e-11 * scale
            _, sheet = ledger.balance_sheet(world)
            assert np.abs(sheet[:-1].sum(axis=1)).max() <= 1e-11 * scale
            assert sheet.sum(axis=0) == pytest.approx(ledger.net_worth()[:, world], abs=1e-11 * scale)


# -- what ledgers share -----------------------------------------------------------------------------------


def test_ledgers_of_equal_declarations_share_one_topology_and_nothing_else(books):
    other = Books()
    assert other.ledger.topology is books.ledger.topology
    before = other.ledger.cash.copy(), other.ledger.claims.copy(), other.ledger.payable.copy()
    books.month()
    after = other.ledger.cash, other.ledger.claims, other.ledger.payable
    assert all(np.array_equal(one, two) for one, two in zip(before, after, strict=True))
    arrays = [each for each in vars(books.ledger.topology).values() if isinstance(each, np.ndarray)]
    assert arrays and not any(array.flags.writeable for array in arrays)


def test_another_rank_is_another_topology():
    topologies = []
    for rank in (0, 1, 0):
        ledger = Ledger(PARTIES, ["World"], "World")
        ledger.open_family("rent", ["Lab", "Lab"], ["Cloud", "Bank"], seniority=[0, rank])
        ledger.close_topology()
        topologies.append(ledger.topology)
    first, second, third = topologies
    assert first is third and first is not second
    assert first.seniority.tolist() == [0, 0] and second.seniority.tolist() == [0, 1]
