"""The books of month 0 say what the articles say, balance, and are refused with a reason when wrong."""

import csv
import re
import tomllib
from copy import deepcopy
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.opening import (
    CONTRACT_FIELDS,
    CONTRACT_REQUIRED,
    CONTRACT_TERMS,
    LIBRARY,
    PARTY_FIELDS,
    PARTY_REQUIRED,
    PARTY_TERMS,
    STATUSES,
    OpeningError,
    parse_opening,
    read_opening,
    read_values,
)

TABLES = tomllib.loads((LIBRARY / "end_2025.toml").read_text(encoding="utf-8"))
OPENING = read_opening()
LINES = [*OPENING.parties, *OPENING.contracts]
SITES = [party.name for party in OPENING.parties_of_kind("site")]
BUILT_FOR_OPENAI = [name for name in SITES if name != "Meta site company"]


def label(line):
    return getattr(line, "name", None) or line.id


def of(debtor, kind):
    return [contract for contract in OPENING.contracts_of_kind(kind) if contract.debtor == debtor]


def linked(*names):
    """Committed and drawn debt of these partners that is tied to OpenAI."""
    kinds = ("bond", "bridge loan", "delayed-draw term loan", "site loan", "site loan in talks")
    loans = [
        contract
        for kind in kinds
        for contract in OPENING.contracts_of_kind(kind)
        if contract.openai_linked and contract.debtor in names
    ]
    return sum(loan.amount for loan in loans), sum(loan.drawn for loan in loans)


def faults(change):
    tables = deepcopy(TABLES)
    change(tables)
    with pytest.raises(OpeningError) as caught:
        parse_opening(tables, "broken", "broken.toml")
    return caught.value.faults


def row(tables, kind, label):
    return next(row for row in tables[kind] if label in (row.get("name"), row.get("id")))


# What the articles say


@pytest.mark.parametrize(
    ("names", "committed", "drawn"),
    [
        (["Oracle"], 18.0, 18.0),
        (["CoreWeave"], 10.0, 10.0),
        (["SoftBank"], 2.0, 2.0),
        (["Oracle", "CoreWeave", "SoftBank"], 30.0, 30.0),
        (["Abilene site company"], 10.0, 8.0),
        (["New Mexico site company"], 18.0, 1.5),
        (["Abilene site company", "New Mexico site company"], 28.0, 9.5),
        (["Vantage Texas site company"], 23.25, 0.0),
        (["Vantage Wisconsin site company"], 14.75, 0.0),
        (["Vantage Texas site company", "Vantage Wisconsin site company"], 38.0, 0.0),
    ],
)
def test_partner_debt_is_what_the_articles_say(names, committed, drawn):
    assert linked(*names) == pytest.approx((committed, drawn), abs=1e-9)


def test_all_partner_debt_is_96_of_which_39_5_is_drawn():
    assert linked(*(party.name for party in OPENING.parties)) == pytest.approx((96.0, 39.5), abs=1e-9)


def test_only_the_vantage_loans_are_in_talks():
    in_talks = {loan.debtor for loan in OPENING.contracts_of_kind("site loan in talks")}
    assert in_talks == {"Vantage Texas site company", "Vantage Wisconsin site company"}


def test_the_lab_has_one_undrawn_revolver_of_4_and_no_debt():
    (revolver,) = OPENING.contracts_of_kind("revolver")
    assert (revolver.debtor, revolver.amount, revolver.drawn) == ("OpenAI", 4.0, 0.0)
    assert OPENING.party("OpenAI").debt == 0.0
    assert OPENING.party("OpenAI").revenue == 20.0


def test_commitments_are_1400_of_which_610_4_are_contracted():
    contracted = sum(contract.amount for contract in of("OpenAI", "take-or-pay"))
    announced = sum(contract.amount for contract in of("OpenAI", "announced capacity"))
    assert contracted == pytest.approx(610.4, abs=1e-9)
    assert contracted + announced == pytest.approx(1400.0, abs=1e-9)


def test_the_stakes_are_shares_of_the_last_valuation():
    value = OPENING.party("OpenAI").terms["equity_value"]
    for stake in OPENING.contracts_of_kind("equity stake"):
        assert stake.amount == pytest.approx(stake.price * value)


# What balances


@pytest.mark.parametrize("party", OPENING.parties, ids=label)
def test_debt_is_what_the_contracts_have_drawn(party):
    assert party.debt == pytest.approx(OPENING.drawn_debt(party.name), abs=1e-9)


@pytest.mark.parametrize("site", SITES)
def test_cash_and_works_of_a_site_are_its_drawn_debt_and_paid_in_equity(site):
    works = sum(asset.amount for asset in of(site, "fixed asset"))
    equity = sum(share.drawn for share in of(site, "site equity"))
    assert OPENING.party(site).cash + works == pytest.approx(OPENING.drawn_debt(site) + equity, abs=1e-9)


@pytest.mark.parametrize("site", BUILT_FOR_OPENAI)
def test_loan_and_equity_pay_for_the_whole_site(site):
    terms = OPENING.party(site).terms
    loans = sum(loan.amount for kind in ("site loan", "site loan in talks") for loan in of(site, kind))
    equity = sum(share.amount for share in of(site, "site equity"))
    assert equity == pytest.approx(terms["equity_committed"])
    assert loans + equity == pytest.approx(terms["cost"])


@pytest.mark.parametrize("site", BUILT_FOR_OPENAI)
def test_lease_loan_and_site_tell_the_same_story(site):
    terms = OPENING.party(site).terms
    (lease,) = [lease for lease in OPENING.contracts_of_kind("lease") if lease.creditor == site]
    (loan,) = [*of(site, "site loan"), *of(site, "site loan in talks")]
    assert lease.gw == terms["it_gw"]
    assert lease.price == pytest.approx(lease.terms["yield_on_cost"] * terms["cost"])
    assert lease.terms["cost"] == terms["cost"]
    assert lease.terms["first_month"] == lease.start_month
    assert terms.get("first_hall_month", 1) == lease.terms["first_month"] + 1
    assert lease.terms["full_month"] == loan.terms["full_month"] == terms["full_month"]
    assert loan.terms["first_covenant_test_month"] == terms["full_month"] + 12
    assert loan.terms["bullet_month"] == loan.start_month + loan.tenor_months


def test_the_rest_of_the_world_closes_the_money_to_zero():
    assert sum(party.cash for party in OPENING.parties) == pytest.approx(0.0, abs=1e-9)
    assert [party.name for party in OPENING.parties if party.cash < 0] == ["Rest of the world"]


def test_the_banks_lend_out_their_deposits():
    for bank in OPENING.parties_of_kind("bank"):
        assert bank.cash == sum(deposit.drawn for deposit in of(bank.name, "deposits"))


def test_yearly_promises_add_up_to_the_amount():
    promises = [contract for contract in OPENING.contracts if "yearly" in contract.terms]
    assert len(promises) == 6
    for contract in promises:
        assert sum(contract.terms["yearly"]) == pytest.approx(contract.amount)


def test_instalments_and_tranches_add_up_to_the_amount():
    older, notes = OPENING.contract("other_debt_coreweave"), OPENING.contract("notes_coreweave")
    assert sum(older.terms["principal_yearly"]) == pytest.approx(older.amount)
    amounts, coupons = notes.terms["tranche_amounts"], notes.terms["tranche_coupons"]
    assert sum(amounts) == pytest.approx(notes.amount)
    interest = sum(amount * coupon for amount, coupon in zip(amounts, coupons, strict=True))
    assert interest / notes.amount == pytest.approx(notes.price, abs=0.0005)


def test_chip_orders_are_their_price_times_their_gw():
    for order in OPENING.contracts_of_kind("chip order"):
        assert order.amount == pytest.approx(order.price * order.gw)


def test_the_oracle_contract_is_the_halls_of_the_four_sites_and_their_chips():
    contract = OPENING.contract("top_oracle")
    leases = [lease for lease in OPENING.contracts_of_kind("lease") if lease.debtor == "Oracle"]
    ordered = sum(order.gw for order in of("Oracle", "chip order"))
    assert sum(lease.gw for lease in leases) == pytest.approx(contract.gw)
    assert ordered + contract.terms["energised_at_start_gw"] == pytest.approx(contract.gw)
    last_hall = max(lease.terms["full_month"] for lease in leases)
    assert last_hall + contract.terms["hall_term_months"] == contract.tenor_months
    billed = contract.gw * contract.price * contract.terms["hall_term_months"] / 12
    assert billed == pytest.approx(contract.amount, rel=0.01)


def test_the_backlog_of_coreweave_is_its_contracts():
    backlog = sum(c.amount for c in OPENING.contracts_of_kind("take-or-pay") if c.creditor == "CoreWeave")
    assert backlog == pytest.approx(OPENING.party("CoreWeave").terms["backlog"])


def test_hyperion_has_two_owners_and_all_its_equity():
    (equity,) = of("Meta site company", "site equity")
    assert sum(equity.terms["owner_shares"].values()) == pytest.approx(1.0)
    assert set(equity.terms["owner_shares"]) == {"Blue Owl", "Meta"}


# Where it comes from


@pytest.mark.parametrize("line", LINES, ids=label)
def test_every_line_has_a_source_and_a_status(line):
    assert line.source.strip()
    assert line.status in STATUSES


@pytest.mark.parametrize("line", LINES, ids=label)
def test_every_calibration_key_exists(line):
    with (LIBRARY.parent / "calibration.csv").open(encoding="utf-8", newline="") as file:
        known = [entry["key"] for entry in csv.DictReader(file)]
    for part in line.source.split(";"):
        topic, _, keys = part.strip().partition(":")
        for key in keys.split(",") if topic == "calibration" else []:
            assert any(fnmatchcase(entry, key.strip()) for entry in known), key


def test_the_calibration_table_is_whole():
    with (LIBRARY.parent / "calibration.csv").open(encoding="utf-8", newline="") as file:
        entries = list(csv.DictReader(file))
    assert len({entry["key"] for entry in entries}) == len(entries) == 286
    assert {entry["after_start"] for entry in entries} == {"yes", "no"}


def test_added_parties_that_are_assumed_give_their_ranges():
    for builder in OPENING.parties_of_kind("small-model builder"):
        assert builder.status == "assumed"
        assert {"cash", "revenue"} <= set(builder.ranges)


def test_every_term_that_the_reader_knows_is_used_and_explained():
    text = (LIBRARY / "end_2025.toml").read_text(encoding="utf-8")
    for terms, lines in ((PARTY_TERMS, OPENING.parties), (CONTRACT_TERMS, OPENING.contracts)):
        used = {term for line in lines for term in line.terms}
        assert used == set(terms)
        for term, (_, sentence) in terms.items():
            assert any(
                words[:2] == ["#", term] and " ".join(words[2:]).endswith(sentence)
                for words in map(str.split, text.splitlines())
            ), term


# What the reader refuses


def test_a_missing_file_names_the_books_there_are():
    with pytest.raises(FileNotFoundError, match="end_2025"):
        read_opening("end_2035")


def test_a_file_that_is_not_toml_is_named(tmp_path):
    (tmp_path / "torn.toml").write_text("[[party]", encoding="utf-8")
    with pytest.raises(OpeningError, match=r"torn\.toml: not valid TOML"):
        read_opening("torn", tmp_path)


def test_a_book_in_another_folder_is_read(tmp_path):
    (tmp_path / "mine.toml").write_bytes((LIBRARY / "end_2025.toml").read_bytes())
    assert read_opening("mine", tmp_path).contracts == OPENING.contracts


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda t: row(t, "party", "Oracle").update(csah=1.0),
            ["party Oracle", "unknown key csah = 1.0", "'cash'"],
        ),
        (
            lambda t: row(t, "contract", "top_oracle")["terms"].update(flor_share=0.5),
            ["contract top_oracle", "unknown key terms.flor_share = 0.5", "'terms.floor_share'"],
        ),
        (lambda t: t.update(paty=[]), ["unknown key paty = []", "'party'"]),
        (lambda t: t.pop("title"), ["title = None", "a text"]),
        (lambda t: t.update(contract=[]), ["contract = []", "one or more"]),
        (
            lambda t: row(t, "contract", "hyperion").update(amount=-27.3),
            ["contract hyperion", "amount = -27.3", "0 or more"],
        ),
        (
            lambda t: row(t, "contract", "loan_abilene").update(drawn=10.5, range={}),
            ["contract loan_abilene", "drawn = 10.5", "at most the amount, 10.0"],
        ),
        (
            lambda t: row(t, "contract", "top_aws").update(to="Amazom"),
            ["contract top_aws", "to = 'Amazom'", "'Amazon'"],
        ),
        (
            lambda t: row(t, "contract", "loan_vantage_texas")["terms"].update(second_lender="Nobody"),
            ["contract loan_vantage_texas", "second_lender = 'Nobody'", "a party of this file"],
        ),
        (
            lambda t: t["contract"].append(dict(row(t, "contract", "hyperion"))),
            ["contract id = 'hyperion' appears twice", "once"],
        ),
        (
            lambda t: t["party"].append(dict(row(t, "party", "PJM"))),
            ["party name = 'PJM' appears twice", "once"],
        ),
        (
            lambda t: row(t, "party", "CoreWeave").update(cash=-4.2),
            ["party CoreWeave", "cash = -4.2", "closing entry"],
        ),
        (
            lambda t: row(t, "contract", "top_aws").update(status="rumour"),
            ["contract top_aws", "status = 'rumour'", "closing entry"],
        ),
        (
            lambda t: row(t, "contract", "top_aws").update(start_month=0.5),
            ["contract top_aws", "start_month = 0.5", "month number"],
        ),
        (
            lambda t: row(t, "contract", "top_aws").update(openai_linked="yes"),
            ["contract top_aws", "openai_linked = 'yes'", "true or false"],
        ),
        (
            lambda t: (
                row(t, "contract", "top_oracle")["terms"].update(power_pass_through=1.5, floor_share=0.9)
                or row(t, "contract", "top_oracle").pop("range")
            ),
            ["contract top_oracle", "terms.power_pass_through = 1.5", "0 to 1"],
        ),
        (
            lambda t: row(t, "contract", "top_oracle").update(range={"floor_share": [0.1, 0.2]}),
            ["contract top_oracle", "range.floor_share = [0.1, 0.2]", "around 0.9"],
        ),
        (
            lambda t: row(t, "contract", "top_oracle").update(range={"flor_share": [0.1, 0.2]}),
            ["contract top_oracle", "unknown key range.flor_share", "'range.floor_share'"],
        ),
        (
            lambda t: row(t, "contract", "loan_abilene").pop("base"),
            ["contract loan_abilene", "margin = 0.025", "together with base"],
        ),
        (
            lambda t: row(t, "contract", "loan_abilene").update(price=0.06, price_unit="coupon per year"),
            ["contract loan_abilene", "margin = 0.025", "not both"],
        ),
        (
            lambda t: row(t, "contract", "asset_oracle").update(to="Oracle"),
            ["contract asset_oracle", "to = 'Oracle'", "fixed asset"],
        ),
        (
            lambda t: row(t, "contract", "hyperion").update(terms=[1]),
            ["contract hyperion", "terms = [1]", "a table"],
        ),
        (
            lambda t: row(t, "contract", "hyperion").update(range=[1, 2]),
            ["contract hyperion", "range = [1, 2]", "low, high"],
        ),
        (
            lambda t: row(t, "contract", "hyperion").update(price=float("nan")),
            ["contract hyperion", "price = nan", "a number"],
        ),
    ],
)
def test_a_fault_is_one_sentence_naming_file_line_key_value_and_what_is_allowed(change, expected):
    (fault,) = faults(change)
    for part in ["broken.toml", "allowed: ", *expected]:
        assert part in fault


@pytest.mark.parametrize(
    ("kind", "key"),
    [*(("party", key) for key in PARTY_REQUIRED), *(("contract", key) for key in CONTRACT_REQUIRED)],
)
def test_a_line_without_a_required_key_is_refused(kind, key):
    label = {"party": "Mistral", "contract": "asset_oracle"}[kind]
    assert any(f"{key} is missing" in fault for fault in faults(lambda t: row(t, kind, label).pop(key)))


def test_all_faults_are_told_at_once():
    def change(tables):
        row(tables, "party", "Oracle").update(cash="much")
        row(tables, "contract", "hyperion").update(gw=-1)

    told = faults(change)
    assert [fault.split(" = ")[0].rsplit(" ", 1)[1] for fault in told] == ["cash", "gw"]


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(
    kind=st.sampled_from(["party", "contract"]),
    place=st.integers(0, 1000),
    key=st.sampled_from([*PARTY_FIELDS, *CONTRACT_FIELDS, "terms", "range"]),
    value=anything,
)
def test_any_value_is_either_read_or_refused_with_its_reason(kind, place, key, value):
    tables = {**TABLES, kind: list(TABLES[kind])}
    at = place % len(tables[kind])
    tables[kind][at] = {**tables[kind][at], key: value}
    try:
        opening = parse_opening(tables, "random", "random.toml")
    except OpeningError as error:
        assert all(fault.startswith("random.toml: ") and "allowed: " in fault for fault in error.faults)
    else:
        assert len(opening.parties) == len(TABLES["party"])
        assert len(opening.contracts) == len(TABLES["contract"])


# What it answers


def test_lookups_answer_by_name_and_kind():
    assert OPENING.contract("top_oracle").creditor == "Oracle"
    assert OPENING.party("Abilene site company").kind == "site"
    assert len(OPENING.contracts_of_kind("take-or-pay")) == 8
    assert [party.name for party in OPENING.parties_of_kind("lab")] == ["OpenAI"]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: OPENING.party("Orcale"), "no party 'Orcale'; did you mean 'Oracle'"),
        (lambda: OPENING.contract("top_orcale"), "no contract 'top_orcale'; did you mean 'top_oracle'"),
        (lambda: OPENING.contracts_of_kind("bonds"), "no kind of contract 'bonds'; did you mean 'bond'"),
        (lambda: OPENING.parties_of_kind("labs"), "no kind of party 'labs'; did you mean 'lab'"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest(ask, sentence):
    with pytest.raises(KeyError, match=sentence):
        ask()


# Books that extend others


def test_books_that_extend_others_say_only_what_differs(tmp_path):
    (tmp_path / "end_2025.toml").write_text(
        (LIBRARY / "end_2025.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    more = """
        extends = "end_2025"
        title = "More"
        [[party]]
        name = "OpenAI"
        cash = 41.0
        terms = { equity_value = 600.0 }
        [[party]]
        name = "Rest of the world"
        cash = -779.9
        [[contract]]
        id = "top_aws"
        amount = 39.0
    """
    (tmp_path / "more.toml").write_text(more, encoding="utf-8")
    books = read_opening("more", tmp_path)
    assert books.title == "More"
    assert (books.party("OpenAI").cash, books.party("OpenAI").revenue) == (41.0, 20.0)
    assert books.party("OpenAI").terms == {**OPENING.party("OpenAI").terms, "equity_value": 600.0}
    assert books.contract("top_aws").amount == 39.0
    changed = ("OpenAI", "Rest of the world", "top_aws")
    others = [line for line in LINES if label(line) not in changed]
    assert [line for line in [*books.parties, *books.contracts] if label(line) not in changed] == others


@pytest.mark.parametrize(
    "changed, fault",
    [
        (
            'name = "OpenAI"\ncash = 41.0',
            "party Rest of the world: cash = -778.9; allowed: -779.9, with which all cash",
        ),
        (
            'name = "Oracle"\ndebt = 99.0',
            "party Oracle: debt = 99.0; allowed: 105.4, what is drawn on its loans",
        ),
    ],
)
def test_books_that_do_not_balance_are_refused(tmp_path, changed, fault):
    (tmp_path / "end_2025.toml").write_text(
        (LIBRARY / "end_2025.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "odd.toml").write_text(
        f'extends = "end_2025"\ntitle = "Odd"\n[[party]]\n{changed}', encoding="utf-8"
    )
    with pytest.raises(OpeningError, match=re.escape(f"odd.toml: {fault}")):
        read_opening("odd", tmp_path)


def test_values_follow_the_books_that_are_extended():
    assert read_values("abilene_extra") == read_values("end_2025")


def test_books_cannot_extend_themselves(tmp_path):
    (tmp_path / "one.toml").write_text('extends = "two"', encoding="utf-8")
    (tmp_path / "two.toml").write_text('extends = "one"', encoding="utf-8")
    with pytest.raises(OpeningError, match="cannot extend themselves"):
        read_opening("one", tmp_path)
    (tmp_path / "one.toml").write_text("extends = 3", encoding="utf-8")
    with pytest.raises(OpeningError, match="the name of other books"):
        read_opening("one", tmp_path)


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in LIBRARY.glob("*.toml") if "_values" not in path.stem)
)
def test_all_shipped_books_balance(name):
    books = read_opening(name)
    assert sum(party.cash for party in books.parties) == pytest.approx(0.0, abs=1e-9)
    for party in books.parties:
        assert party.debt == pytest.approx(books.drawn_debt(party.name), abs=1e-9)
    for site in books.parties_of_kind("site"):
        works = sum(c.amount for c in books.contracts_of_kind("fixed asset") if c.debtor == site.name)
        equity = sum(c.drawn for c in books.contracts_of_kind("site equity") if c.debtor == site.name)
        assert site.cash + works == pytest.approx(site.debt + equity, abs=1e-9)
