"""Month 0: the parties and contracts from which every world starts, read from a TOML file and checked.

The file is data: nothing in it is evaluated, and nothing here moves money. Amounts are US$bn, capacity is
GW of IT load (GW of facility in power contracts), rates are per year, month 0 is the end of December 2025.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

from model.roles import Roles, find_roles

LIBRARY = Path(__file__).resolve().parents[1] / "scenarios" / "library" / "opening"

STATUSES = ("reported", "inferred", "assumed", "identity", "scenario", "closing entry")
PARTY_KINDS = (
    "lab",
    "rival lab",
    "small-model builder",
    "infrastructure partner",
    "site",
    "hyperscaler",
    "private-equity lender",
    "bank",
    "utility",
    "commission",
    "customers",
    "sector",
    "vehicle",
)
DEBT_KINDS = (
    "bond",
    "bridge loan",
    "delayed-draw term loan",
    "mixed debt",
    "revolver",
    "site loan",
    "site loan in talks",
)
CONTRACT_KINDS = (
    *DEBT_KINDS,
    "announced capacity",
    "chip order",
    "deposits",
    "equity pledge",
    "equity stake",
    "fixed asset",
    "fund commitment",
    "joint venture",
    "lease",
    "lease memo",
    "power contract",
    "revenue share",
    "site equity",
    "take-or-pay",
)
PRICE_UNITS = (
    "US$ per MWh",
    "US$bn per GW",
    "US$bn per GW-year",
    "US$bn per year",
    "US$bn per year at full capacity",
    "US$bn per year per IT GW",
    "coupon per year",
    "guaranteed return per year",
    "per year",
    "preferred return per year",
    "share of equity",
    "share of revenue",
)
REPAYMENTS = (
    "bullet",
    "by year",
    "level debt service",
    "level principal",
    "level principal by draw",
    "rolled",
)


class OpeningError(ValueError):
    """The opening file is wrong; one line of the message per fault, in `faults`."""

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults, each naming file, line, key, value and what is allowed."""
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class Party:
    """One party at month 0.

    `cash` and `debt` are US$bn (debt is what is drawn); `revenue` and `operating_cash_flow` US$bn a year;
    `ebitda_margin` a share; `capacity_gw` GW. A number left out of the file is zero: not applicable or not
    known. `ranges` gives (low, high) of an uncertain field or term by its name; `terms` is described by
    PARTY_TERMS.
    """

    name: str
    kind: str
    region: str = ""
    cash: float = 0.0
    debt: float = 0.0
    revenue: float = 0.0
    ebitda_margin: float = 0.0
    operating_cash_flow: float = 0.0
    capacity_gw: float = 0.0
    note: str = ""
    source: str
    status: str
    status_note: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One contract or holding at month 0.

    `debtor` pays, buys or issued the line (it owns a fixed asset); `creditor` is paid, sells or holds it
    (empty for a fixed asset). `amount` is the commitment and `drawn` the balance, US$bn. A floating loan has
    `margin` over `base`, per year; all else has `price` in `price_unit`. `tenor_months` 0 means without
    end. `scenario_only` lines count only where a scenario switches them on. `ranges` and `terms` as in Party,
    described by CONTRACT_TERMS.
    """

    id: str
    kind: str
    debtor: str
    creditor: str = ""
    amount: float = 0.0
    drawn: float = 0.0
    gw: float = 0.0
    price: float = 0.0
    price_unit: str = ""
    margin: float = 0.0
    base: str = ""
    start_month: int = 0
    tenor_months: int = 0
    openai_linked: bool
    scenario_only: bool = False
    note: str = ""
    source: str
    status: str
    status_note: str = ""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opening:
    """The books of month 0: all parties and contracts in the order of the file."""

    name: str
    title: str
    parties: tuple[Party, ...]
    contracts: tuple[Contract, ...]

    def party(self, name: str) -> Party:
        """Return the party called `name`; KeyError with the nearest name if there is none."""
        return _find(name, {party.name: party for party in self.parties}, "party")

    def contract(self, identifier: str) -> Contract:
        """Return the contract with this id; KeyError with the nearest id if there is none."""
        return _find(identifier, {contract.id: contract for contract in self.contracts}, "contract")

    def parties_of_kind(self, kind: str) -> tuple[Party, ...]:
        """Return the parties of one of PARTY_KINDS; KeyError for any other word."""
        _find(kind, dict.fromkeys(PARTY_KINDS), "kind of party")
        return tuple(party for party in self.parties if party.kind == kind)

    def contracts_of_kind(self, kind: str) -> tuple[Contract, ...]:
        """Return the contracts of one of CONTRACT_KINDS; KeyError for any other word."""
        _find(kind, dict.fromkeys(CONTRACT_KINDS), "kind of contract")
        return tuple(contract for contract in self.contracts if contract.kind == kind)

    @cached_property
    def roles(self) -> Roles:
        """Who plays which part; books that have been read without a fault leave none open."""
        return find_roles(self)[0]

    def drawn_debt(self, name: str) -> float:
        """Return what the party called `name` has drawn on all its loans and bonds, US$bn."""
        debtor = self.party(name).name
        return float(sum(c.drawn for c in self.contracts if c.debtor == debtor and c.kind in DEBT_KINDS))


@dataclass(frozen=True)
class Measure:
    """What a value may be: a test, and the sentence that says so."""

    allows: Callable[[Any], bool]
    allowed: str


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_amount(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _list_of(allows: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(allows, value))


def _table_of(allows: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and bool(value) and all(map(allows, value.values()))


def _one_of(words: tuple[str, ...]) -> Measure:
    return Measure(lambda value: value in words, "one of " + ", ".join(words))


TEXT = Measure(_is_text, "a text that is not empty")
FLAG = Measure(lambda value: isinstance(value, bool), "true or false")
MONEY = Measure(_is_amount, "a number of US$bn, 0 or more")
BALANCE = Measure(_is_number, "a number of US$bn; below 0 only for the closing entry")
GW = Measure(_is_amount, "a number of GW, 0 or more")
SHARE = Measure(_is_share, "a share from 0 to 1")
RATE = Measure(_is_share, "a rate per year from 0 to 1 (250 basis points are 0.025)")
RATIO = Measure(_is_amount, "a number, 0 or more")
MONTH = Measure(_is_whole, "a month number, 0 or more (0 is the end of 2025)")
MONTHS = Measure(_is_whole, "a whole number of months, 0 or more")
YEARS = Measure(_is_whole, "a whole number of years, 0 or more")
COUNT = Measure(_is_whole, "a whole number, 0 or more")
PARTY = Measure(_is_text, "the name of a party of this file")
MONEY_YEARLY = Measure(_list_of(_is_amount), "a list of US$bn, 0 or more, one per calendar year from 2026")
MONEY_LIST = Measure(_list_of(_is_amount), "a list of US$bn, 0 or more")
RATE_LIST = Measure(_list_of(_is_share), "a list of rates per year from 0 to 1")
TEXT_LIST = Measure(_list_of(_is_text), "a list of texts")
GW_TABLE = Measure(_table_of(_is_amount), "a table of names and GW, 0 or more")
SHARE_TABLE = Measure(_table_of(_is_share), "a table of names and shares from 0 to 1")

PARTY_FIELDS = {
    "name": TEXT,
    "kind": _one_of(PARTY_KINDS),
    "region": TEXT,
    "cash": BALANCE,
    "debt": MONEY,
    "revenue": MONEY,
    "ebitda_margin": SHARE,
    "operating_cash_flow": MONEY,
    "capacity_gw": GW,
    "note": TEXT,
    "source": TEXT,
    "status": _one_of(STATUSES),
    "status_note": TEXT,
}
CONTRACT_FIELDS = {
    "id": TEXT,
    "kind": _one_of(CONTRACT_KINDS),
    "from": PARTY,
    "to": PARTY,
    "amount": MONEY,
    "drawn": MONEY,
    "gw": GW,
    "price": RATIO,
    "price_unit": _one_of(PRICE_UNITS),
    "margin": RATE,
    "base": _one_of(("SOFR",)),
    "start_month": MONTH,
    "tenor_months": MONTHS,
    "openai_linked": FLAG,
    "scenario_only": FLAG,
    "note": TEXT,
    "source": TEXT,
    "status": _one_of(STATUSES),
    "status_note": TEXT,
}
PARTY_REQUIRED = ("name", "kind", "cash", "debt", "source", "status")
CONTRACT_REQUIRED = ("id", "kind", "from", "start_month", "openai_linked", "source", "status")

PARTY_TERMS: dict[str, tuple[Measure, str]] = {
    "backlog": (MONEY, "revenue signed and not yet delivered"),
    "base_capex_share": (SHARE, "of operating cash flow that goes into its own building"),
    "burn_to_revenue": (SHARE, "cash burnt in 2026 per unit of revenue"),
    "capex_signed_yearly": (MONEY_YEARLY, "capital spending on contracts already signed"),
    "cash_cover_months": (MONTHS, "of bond maturities that cash must cover, else assets are sold"),
    "cloud": (PARTY, "that sells it compute"),
    "cost": (MONEY, "of the whole site: land, halls, interest while building; no chips"),
    "cost_growth_first": (RATE, "growth of non-compute cash cost in the first year"),
    "cost_growth_last": (RATE, "growth of non-compute cash cost to which it falls"),
    "debt_per_equity": (RATIO, "most debt per unit of fund equity"),
    "developer": (PARTY, "that builds the site for a fee"),
    "development_fee_share": (SHARE, "of hard cost earned while a site of its own is built"),
    "dividend": (MONEY, "paid a year"),
    "equity_committed": (MONEY, "promised by the owners of the site, paid in or not"),
    "equity_in_sites": (MONEY, "of site companies that it holds"),
    "equity_value": (MONEY, "of the whole firm at the last sale"),
    "facility_gw": (GW, "at the meter of the whole site, cooling included"),
    "first_hall_month": (MONTH, "in which the first hall is energised"),
    "full_month": (MONTH, "in which the last hall is energised"),
    "fund_equity": (MONEY, "of the fund behind the programme"),
    "further_leases": (MONEY, "of lease commitments that have not started"),
    "further_leases_here": (MONEY, "of these that belong to the sites in this file"),
    "holdings": (MONEY, "at market, stake in OpenAI included"),
    "interest_paid_until_month": (MONTH, "to which the construction account pays the interest"),
    "islanded": (FLAG, "runs on its own turbines and not on the utility's queue"),
    "it_gw": (GW, "of IT load at full build"),
    "large_load_queue_gw": (GW, "of large loads that ask for a connection"),
    "lending_limit": (MONEY, "most that it lends"),
    "loan_to_value": (SHARE, "net debt per unit of holdings, as reported"),
    "margin_loan_drawn": (MONEY, "drawn against its Arm shares"),
    "margin_loan_limit": (MONEY, "that it may draw against its Arm shares"),
    "non_compute_cash_cost": (MONEY, "of staff, sales and the rest in 2026"),
    "open_weights": (FLAG, "releases its weights"),
    "operating_cash_flow_to_debt": (SHARE, "funds from operations per unit of debt"),
    "own_capex": (MONEY, "a year of the legacy business"),
    "paid_to_openai": (MONEY, "of equity in December 2025"),
    "parent": (PARTY, "whose account pays its bills"),
    "payouts": (MONEY, "of dividends and buybacks a year"),
    "peak_forecast_gw": (GW, "of load that the region expects"),
    "peak_record_gw": (GW, "highest load so far"),
    "programme": (MONEY, "announced, debt and co-investors included"),
    "sell_above_loan_to_value": (SHARE, "at which holdings are sold"),
    "sell_down_months": (MONTHS, "within which the sold part leaves its books"),
    "sell_down_share": (SHARE, "of each loan that it sells on in calm markets"),
    "single_name_limit": (SHARE, "of its lending limit that one borrower may have"),
    "site_equity_due": (MONEY, "that it has promised its sites"),
    "strategy": (_one_of(("vertical", "data-sovereign", "edge")), "where the builder looks for customers"),
    "undrawn_delayed_draw": (MONEY, "of delayed-draw loans left to draw"),
    "undrawn_revolver": (MONEY, "of its revolver left to draw"),
    "unsecured_need_yearly": (MONEY_YEARLY, "of new unsecured money needed in a calm world"),
    "used_gw_by_seller": (GW_TABLE, "it uses and does not own, by who delivers it"),
}

CONTRACT_TERMS: dict[str, tuple[Measure, str]] = {
    "abilene_extra_gw": (GW, "that a variant moves here from the announced rest"),
    "advance_rate": (SHARE, "of chip cost that the lender pays"),
    "already_paid_gw": (GW, "whose chips were paid before month 0"),
    "announced_gw_by_vendor": (GW_TABLE, "in the letters of the chip makers"),
    "assumed_dscr": (RATIO, "debt service cover at which the rent was set"),
    "bullet_month": (MONTH, "in which the rest falls due, before extensions"),
    "chips_at_abilene": (MONEY, "of the amount that are chips at Abilene"),
    "claim_cap_share_of_rest": (SHARE, "of the remaining rent that the rejection claim may reach"),
    "claim_cap_years_least": (YEARS, "of rent that the rejection claim always reaches"),
    "claim_cap_years_most": (YEARS, "of rent beyond which the share stops counting"),
    "committed_margin": (FLAG, "agreed when it was signed, whenever it is drawn"),
    "commission": (PARTY, "that approves the tariff"),
    "contract_cash_first": (FLAG, "cash of the financed contract pays this loan first"),
    "cost": (MONEY, "of the leased site, on which the rent is a yield"),
    "demand_charge": (MONEY, "per GW-year of contracted demand"),
    "draw_term_months": (MONTHS, "over which each draw is repaid"),
    "energised_at_start_gw": (GW, "running at month 0"),
    "equity_above_leverage": (RATIO, "debt/EBITDA above which equity is issued instead"),
    "equity_spent_first": (FLAG, "owners pay in full before the loan is drawn"),
    "escalator": (RATE, "by which the rent rises"),
    "extension_dscr": (RATIO, "debt service cover that an extension needs"),
    "extension_months": (MONTHS, "of each extension"),
    "extensions": (COUNT, "that the borrower may ask for"),
    "firming_limit_share_per_year": (SHARE, "of the remainder that may become firm in a year"),
    "first_covenant_test_month": (MONTH, "before which no covenant is tested"),
    "first_month": (MONTH, "before the first hall; from here energised in a straight line"),
    "floor_share": (SHARE, "of what is available that is paid for, used or not"),
    "full_month": (MONTH, "in which the last hall is energised"),
    "guarantor": (PARTY, "that pays when the promised return is missed"),
    "hall_term_months": (MONTHS, "for which each hall is billed from its own energisation"),
    "hedged_share": (SHARE, "of energy bought at the contract price"),
    "indicative_bullet": (MONEY, "left at the bullet by independent arithmetic: a check, not an input"),
    "indicative_yearly": (MONEY_YEARLY, "by independent arithmetic: a check, not an input"),
    "interest_in_operating_cash_flow": (FLAG, "the debtor's operating cash flow is after this interest"),
    "interest_paid_until_month": (MONTH, "to which the construction account pays the interest"),
    "last_month": (MONTH, "of the contract"),
    "life_years": (YEARS, "over which the chips are used"),
    "loan_to_value_ceiling": (SHARE, "that the debtor keeps like a covenant"),
    "memo": (FLAG, "already inside another line: never charged twice"),
    "minimum_cash": (MONEY, "that the debtor borrows to keep"),
    "minimum_rating": (TEXT, "with which the market stays open"),
    "minimum_take": (SHARE, "of the demand charge that is owed without use"),
    "new_money": (FLAG, "what the debtor borrows anew on its line is booked here"),
    "onsite_gas_gw": (GW, "of own generation on the site"),
    "open_ended": (FLAG, "drawn beyond the amount as far as the market lends"),
    "openai_equity_now": (MONEY, "paid in by OpenAI at the start"),
    "openai_equity_option": (MONEY, "that OpenAI may add"),
    "owner_shares": (SHARE_TABLE, "of the site company, by owner"),
    "parent_guarantee": (FLAG, "the debtor itself stands behind its subsidiary"),
    "partners_preferred": (MONEY, "of preferred equity from the partners"),
    "payment_lead_months": (MONTHS, "between payment and energisation"),
    "power_pass_through": (SHARE, "of the seller's power cost that is passed on to the buyer"),
    "pre_money": (MONEY, "value before the partners' money"),
    "principal_due": (MONEY, "that falls due inside the horizon"),
    "principal_due_month": (MONTH, "of that principal"),
    "principal_yearly": (MONEY_YEARLY, "that falls due"),
    "profile_years": (YEARS, "of the level debt service that sets the instalments"),
    "reading": (_one_of(("seed", "reported")), "which account of the venture this line follows"),
    "recourse": (TEXT, "what the lender can reach"),
    "renewal_years": (YEARS, "between the tenant's renewals"),
    "repayment": (_one_of(REPAYMENTS), "how the balance is paid back"),
    "reserve_months": (MONTHS, "of debt service in the reserve account"),
    "residual_value_guarantor": (PARTY, "that covers the bonds if the tenant leaves"),
    "rolls_yearly": (MONEY, "that falls due each year and is borrowed again"),
    "second_lender": (PARTY, "that takes part of the loan"),
    "second_lender_share": (SHARE, "of the loan that the second lender takes"),
    "shortfall_carry_years": (YEARS, "for which an amount paid and not used stays usable"),
    "signed_not_started": (MONEY, "of further leases"),
    "site": (PARTY, "whose halls it serves"),
    "site_equity_due": (MONEY, "for which the commitment is called"),
    "slips_with_building": (FLAG, "the start waits for the powered shell"),
    "take_or_pay_attached": (FLAG, "the venture sells its capacity to OpenAI under take-or-pay"),
    "termination_allowed": (FLAG, "the tenant may leave before the end"),
    "tranche_amounts": (MONEY_LIST, "of the notes in this line"),
    "tranche_coupons": (RATE_LIST, "of these notes"),
    "tranche_names": (TEXT_LIST, "of these notes"),
    "triple_net": (FLAG, "the tenant pays power, tax and insurance"),
    "yearly": (MONEY_YEARLY, "promised; they add up to the amount"),
    "yearly_limit": (MONEY, "of new money a year"),
    "yield_on_cost": (RATE, "that the rent at full capacity is of the site's cost"),
}


def read_opening(name: str = "end_2025", folder: Path = LIBRARY) -> Opening:
    """Read and check the books `name` from `folder`; books with `extends` need to say only what differs.

    Raises OpeningError with one fault per line, or FileNotFoundError naming the books that there are.
    """
    files = book_files(name, folder)
    return _checked(name, files[0].name, tuple(path.read_text(encoding="utf-8") for path in files))


@lru_cache(maxsize=32)
def _checked(name: str, file: str, texts: tuple[str, ...]) -> Opening:
    """Check the same texts once, since every model starts from them; whoever reads books leaves them as they are."""
    tables: dict[str, Any] = {}
    for text in reversed(texts):
        tables = _overlaid(tables, _parsed(text), {"party": "name", "contract": "id"})
    return parse_opening(tables, name, file)


def read_values(name: str = "end_2025", folder: Path = LIBRARY) -> dict[str, Any]:
    """Read the values of single agents that belong to the books `name`: `value` rows and the market's mixes."""
    tables: dict[str, Any] = {}
    for path in reversed(book_files(name, folder)):
        values = path.with_name(f"{path.stem}_values.toml")
        if values.is_file():
            tables = _overlaid(tables, _read(values), {"value": "path"})
    return tables


def book_files(name: str, folder: Path = LIBRARY) -> list[Path]:
    """Return the file of the books `name` and those of the books that it extends, the nearest first.

    Raises FileNotFoundError naming the books that there are, or OpeningError if books extend themselves.
    """
    files: list[Path] = []
    while name:
        path = folder / f"{name}.toml"
        if not path.is_file():
            books = ", ".join(sorted(file.stem for file in folder.glob("*.toml"))) or "none"
            raise FileNotFoundError(f"no opening books called {name!r} in {folder}; there are: {books}")
        if path in files:
            raise OpeningError(
                [f"{files[-1].name}: extends = {name!r}; allowed: books cannot extend themselves"]
            )
        files.append(path)
        name = _read(path).get("extends", "")
        if not isinstance(name, str):
            raise OpeningError([f"{path.name}: extends = {name!r}; allowed: the name of other books"])
    return files


def _read(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise OpeningError([f"{path.name}: not valid TOML: {error}"]) from error


@lru_cache(maxsize=32)
def _parsed(text: str) -> dict[str, Any]:
    """Parse a text once, since every model starts from it; whoever reads the tables leaves them as they are."""
    return tomllib.loads(text)


def _overlaid(base: dict[str, Any], tables: dict[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Lay tables over those that they extend: lines of the same label field by field, new lines at the end."""
    whole = base | {key: value for key, value in tables.items() if key != "extends"}
    for key in base:
        value = tables.get(key)
        if key in labels and isinstance(value, list) and all(isinstance(row, dict) for row in value):
            whole[key] = _overlaid_rows(base[key], value, labels[key])
        elif isinstance(base[key], dict) and isinstance(value, dict):
            whole[key] = base[key] | value
    return whole


def _overlaid_rows(
    base: list[dict[str, Any]], rows: list[dict[str, Any]], label: str
) -> list[dict[str, Any]]:
    known = {row.get(label): at for at, row in enumerate(base)}
    whole = list(base)
    for row in rows:
        at = known.get(row.get(label))
        if at is None:
            whole.append(row)
            continue
        merged = whole[at] | row
        for inner in ("terms", "range"):
            if isinstance(merged.get(inner), dict):
                merged[inner] = whole[at].get(inner, {}) | row.get(inner, {})
        whole[at] = merged
    return whole


def parse_opening(tables: Mapping[str, Any], name: str, file: str) -> Opening:
    """Check the tables of an opening file and return its books; OpeningError tells all faults at once."""
    faults: list[str] = []
    for key in tables:
        if key not in ("title", "party", "contract"):
            faults.append(_unknown(file, key, tables[key], ("title", "party", "contract")))
    if not _is_text(tables.get("title")):
        faults.append(f"{file}: title = {tables.get('title')!r}; allowed: {TEXT.allowed}")
    rows = {key: _rows(tables, key, file, faults) for key in ("party", "contract")}
    for place, row in _placed(rows["party"], "party", "name", file):
        _check_line(place, row, PARTY_FIELDS, PARTY_REQUIRED, PARTY_TERMS, faults)
        _check_cash(place, row, faults)
    for place, row in _placed(rows["contract"], "contract", "id", file):
        _check_line(place, row, CONTRACT_FIELDS, CONTRACT_REQUIRED, CONTRACT_TERMS, faults)
        _check_contract(place, row, faults)
    _check_unique(rows["party"], "party", "name", file, faults)
    _check_unique(rows["contract"], "contract", "id", file, faults)
    _check_names(rows, file, faults)
    if faults:
        raise OpeningError(faults)
    parties = tuple(Party(**_as_fields(row)) for row in rows["party"])
    contracts = tuple(Contract(**_as_fields(row)) for row in rows["contract"])
    opening = Opening(name, tables["title"], parties, contracts)
    faults = [*_unbalanced(opening), *find_roles(opening)[1]]
    if faults:
        raise OpeningError([f"{file}: {fault}" for fault in faults])
    return opening


def _unbalanced(opening: Opening) -> Iterator[str]:
    """Tell where the books do not balance: what all have in the bank adds up to 0; debt is what is drawn on loans."""
    total = sum(party.cash for party in opening.parties)
    if abs(total) > 1e-6:
        closing = min(opening.parties, key=lambda party: party.cash)  # what closes the books is below 0
        needed = f"{round(closing.cash - total, 6)!r}, with which all cash adds up to 0"
        yield f"party {closing.name}: cash = {closing.cash!r}; allowed: {needed}"
    for party in opening.parties:
        drawn = opening.drawn_debt(party.name)
        if abs(party.debt - drawn) > 1e-6:
            yield f"party {party.name}: debt = {party.debt!r}; allowed: {round(drawn, 6)!r}, what is drawn on its loans"


def _find(name: str, known: Mapping[str, Any], what: str) -> Any:
    if name not in known:
        raise KeyError(f"no {what} {name!r}{_nearest(name, known)}")
    return known[name]


def _nearest(name: str, known: Any) -> str:
    close = get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _unknown(place: str, key: str, value: Any, known: Any) -> str:
    return f"{place}: unknown key {key} = {value!r}{_nearest(key, known)}; allowed: {', '.join(known)}"


def _rows(tables: Mapping[str, Any], key: str, file: str, faults: list[str]) -> list[dict[str, Any]]:
    rows = tables.get(key)
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        return rows
    faults.append(f"{file}: {key} = {rows!r}; allowed: one or more [[{key}]] tables")
    return []


def _placed(rows: list[dict[str, Any]], what: str, label: str, file: str) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{file}: {what} {row.get(label, f'number {at}')}", row) for at, row in enumerate(rows, start=1)]


def _check_line(
    place: str,
    row: Mapping[str, Any],
    fields: Mapping[str, Measure],
    required: tuple[str, ...],
    terms: Mapping[str, tuple[Measure, str]],
    faults: list[str],
) -> None:
    for key in required:
        if key not in row:
            faults.append(f"{place}: {key} is missing; allowed: {fields[key].allowed}")
    for key, value in row.items():
        if key in fields:
            _check_value(place, key, value, fields[key], faults)
        elif key not in ("terms", "range"):
            faults.append(_unknown(place, key, value, [*fields, "range", "terms"]))
    given = row.get("terms", {})
    if not isinstance(given, dict):
        faults.append(f"{place}: terms = {given!r}; allowed: a table")
        return
    for key, value in given.items():
        if key in terms:
            _check_value(place, f"terms.{key}", value, terms[key][0], faults)
        else:
            faults.append(_unknown(place, f"terms.{key}", value, [f"terms.{term}" for term in terms]))
    _check_ranges(place, row, given, faults)


def _check_value(place: str, key: str, value: Any, measure: Measure, faults: list[str]) -> None:
    if not measure.allows(value):
        faults.append(f"{place}: {key} = {value!r}; allowed: {measure.allowed}")


def _check_ranges(place: str, row: Mapping[str, Any], terms: Mapping[str, Any], faults: list[str]) -> None:
    ranges = row.get("range", {})
    if not isinstance(ranges, dict):
        faults.append(f"{place}: range = {ranges!r}; allowed: a table {{ field = [low, high] }}")
        return
    numbers = {key: value for key, value in {**row, **terms}.items() if _is_number(value)}
    for key, bounds in ranges.items():
        if key not in numbers:
            faults.append(_unknown(place, f"range.{key}", bounds, [f"range.{number}" for number in numbers]))
        elif not _encloses(bounds, numbers[key]):
            faults.append(f"{place}: range.{key} = {bounds!r}; allowed: [low, high] around {numbers[key]!r}")


def _encloses(bounds: Any, value: float) -> bool:
    pair = _list_of(_is_number)(bounds) and len(bounds) == 2
    return pair and bounds[0] <= value <= bounds[1]


def _check_cash(place: str, row: Mapping[str, Any], faults: list[str]) -> None:
    cash = row.get("cash", 0.0)
    if _is_number(cash) and cash < 0 and row.get("status") != "closing entry":
        faults.append(f"{place}: cash = {cash!r}; allowed: {MONEY.allowed}, below 0 only for a closing entry")


def _check_contract(place: str, row: Mapping[str, Any], faults: list[str]) -> None:
    amount, drawn = row.get("amount", 0.0), row.get("drawn", 0.0)
    if _is_amount(amount) and _is_amount(drawn) and drawn > amount:
        faults.append(f"{place}: drawn = {drawn!r}; allowed: at most the amount, {amount!r}")
    if ("to" in row) == (row.get("kind") == "fixed asset"):
        faults.append(f"{place}: to = {row.get('to')!r}; allowed: a party, and none only for a fixed asset")
    for one, other in (("price", "price_unit"), ("margin", "base")):
        if (one in row) != (other in row):
            faults.append(f"{place}: {one} = {row.get(one)!r}; allowed: together with {other}, or neither")
    if "price" in row and "margin" in row:
        faults.append(f"{place}: margin = {row['margin']!r}; allowed: a margin or a price, not both")


def _check_unique(rows: list[dict[str, Any]], what: str, label: str, file: str, faults: list[str]) -> None:
    seen: set[Any] = set()
    for row in rows:
        name = str(row.get(label))
        if label in row and name in seen:
            faults.append(f"{file}: {what} {label} = {name!r} appears twice; allowed: each {label} once")
        seen.add(name)


def _check_names(rows: Mapping[str, list[dict[str, Any]]], file: str, faults: list[str]) -> None:
    known = [row["name"] for row in rows["party"] if _is_text(row.get("name"))]
    terms_of_all = {**PARTY_TERMS, **CONTRACT_TERMS}
    party_keys = {"from", "to", *(key for key, (measure, _) in terms_of_all.items() if measure is PARTY)}
    for what, label in (("party", "name"), ("contract", "id")):
        for place, row in _placed(rows[what], what, label, file):
            terms = row.get("terms", {})
            for key, value in {**row, **(terms if isinstance(terms, dict) else {})}.items():
                if key in party_keys and _is_text(value) and value not in known:
                    faults.append(
                        f"{place}: {key} = {value!r}{_nearest(value, known)}; allowed: {PARTY.allowed}"
                    )


def _as_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the file's words that are Python's, and turn the whole numbers of amounts into floats."""
    renamed = {"from": "debtor", "to": "creditor", "range": "ranges"}
    whole = ("start_month", "tenor_months")
    fields = {
        renamed.get(key, key): float(value) if _is_number(value) and key not in whole else value
        for key, value in row.items()
    }
    fields["ranges"] = {key: (float(low), float(high)) for key, (low, high) in row.get("range", {}).items()}
    return fields
