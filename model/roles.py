"""Who plays which part in the books: asked of kinds, terms and contracts, so that other books may have other names.

Five parties stay named, since the model has a class or a side of its own for each: `LAB`, whom everything is about
(agents/openai.py), and the sectors that close the books (agents/sectors.py).
"""

from dataclasses import dataclass

from agents.customers import FRONTIER_LABS, LABS, SELLERS

LAB = "OpenAI"
SECTORS = ("Bondholders", "Chip vendor", "Equity investors", "Rest of the world")


@dataclass(frozen=True)
class Roles:
    """Names of parties by the part that they play.

    `campuses`: sites leased for the lab, in the order of the books; `other_sites`: those leased for others. `cloud`
    leases the campuses and sells their compute to the lab; `vehicle` is to build the announced capacity; `builders`
    are these two and all other infrastructure partners that sell compute to the lab, `turnkey` those that build
    halls too. `signed_builder` spends a signed amount. `holding` owns shares and takes part in rounds; `sponsor` is
    the lender whose programme the announced capacity needs; `venture` is the joint venture.
    """

    campuses: tuple[str, ...]
    other_sites: tuple[str, ...]
    cloud: str
    vehicle: str
    builders: tuple[str, ...]
    signed_builder: str
    holding: str
    sponsor: str
    venture: str

    @property
    def sites(self):
        """All site companies, those of the lab first."""
        return (*self.campuses, *self.other_sites)

    @property
    def turnkey(self):
        """Builders whose chip orders pay for halls and power too."""
        return tuple(name for name in self.builders if name != self.cloud)

    @property
    def clouds(self):
        """Builders that stand already."""
        return tuple(name for name in self.builders if name != self.vehicle)


def find_roles(books):
    """Give (Roles, faults): a fault says what the books have, and what the model can play with."""
    faults = []

    def check(what, found, fits, allowed):
        if not fits:
            faults.append(f"{what} = {found!r}; allowed: {allowed}")

    def only(what, found):
        found = list(dict.fromkeys(found))
        check(what, found, len(found) == 1, "one party")
        return found[0] if found else ""

    def named(kind):
        return [party.name for party in books.parties_of_kind(kind)]

    check("party kind lab", named("lab"), named("lab") == [LAB], f"one party, {LAB}")
    check("party kind sector", named("sector"), set(named("sector")) == set(SECTORS), ", ".join(SECTORS))
    _check_sellers(books, named, check)
    _check_regions(books, named, check)
    leases = books.contracts_of_kind("lease")
    campuses = tuple(lease.creditor for lease in leases if lease.openai_linked)
    others = tuple(lease.creditor for lease in leases if not lease.openai_linked)
    order = "one lease of each site in the order of the sites, those with openai_linked first"
    check(
        "contract kind lease",
        [lease.creditor for lease in leases],
        [*campuses, *others] == named("site"),
        order,
    )
    check("contract kind lease, openai_linked", list(campuses), bool(campuses), "one or more")
    _check_lines_of_sites(books, campuses, check)
    cloud = only("contract kind lease, from (openai_linked)", [x.debtor for x in leases if x.openai_linked])
    vehicle = only(
        "contract kind announced capacity, to",
        [x.creditor for x in books.contracts_of_kind("announced capacity")],
    )
    sold = [
        contract
        for kind in ("take-or-pay", "announced capacity")
        for contract in books.contracts_of_kind(kind)
        if contract.debtor == LAB
    ]
    of_cloud = [contract.id for contract in sold if contract.creditor == cloud]
    check(f"contract kind take-or-pay, from {LAB} to {cloud}", of_cloud, len(of_cloud) == 1, "one contract")
    partners = named("infrastructure partner")
    builders = tuple(dict.fromkeys(x.creditor for x in sold if x.creditor in partners))
    both = cloud in builders and vehicle in builders
    check(
        "infrastructure partners that sell to the lab",
        list(builders),
        both,
        f"{cloud} and {vehicle} among them",
    )
    signed = [name for name in builders if "capex_signed_yearly" in books.party(name).terms]
    signed = only("infrastructure partner, terms.capex_signed_yearly", signed)
    check(
        "contract kind revenue share",
        _ids(books, "revenue share"),
        len(_ids(books, "revenue share")) == 1,
        "one",
    )
    _check_lines(books, vehicle, signed, check)
    saved = [contract.debtor for contract in books.contracts_of_kind("deposits")]
    check("contract kind deposits, from", saved, saved == named("bank"), "each bank once, in their order")
    roles = Roles(
        campuses=campuses,
        other_sites=others,
        cloud=cloud,
        vehicle=vehicle,
        builders=builders,
        signed_builder=signed,
        holding=only(
            "infrastructure partner, terms.holdings", _with_term(books, "infrastructure partner", "holdings")
        ),
        sponsor=only(
            "private-equity lender, terms.programme", _with_term(books, "private-equity lender", "programme")
        ),
        venture=only("party kind vehicle", named("vehicle")),
    )
    return roles, faults


def _ids(books, kind):
    return [contract.id for contract in books.contracts_of_kind(kind)]


def _with_term(books, kind, term):
    return [party.name for party in books.parties_of_kind(kind) if term in party.terms]


def _check_sellers(books, named, check):
    """Who sells AI services: as many as customers choose among, in the order of their nests."""
    rivals = books.parties_of_kind("rival lab")
    open_weights = [party.terms.get("open_weights", False) for party in rivals]
    expected = [row >= FRONTIER_LABS for row in range(1, LABS)]
    check(
        "party kind rival lab, terms.open_weights",
        open_weights,
        open_weights == expected,
        f"{LABS - 1} rivals, the first {FRONTIER_LABS - 1} without",
    )
    small = named("small-model builder")
    check("party kind small-model builder", small, len(small) == SELLERS - LABS, f"{SELLERS - LABS} parties")
    for party in (*rivals, *books.parties_of_kind("small-model builder")):
        cloud = party.terms.get("cloud")
        check(
            f"party {party.name}: terms.cloud", cloud, cloud is not None, "the name of a party of this file"
        )


def _check_regions(books, named, check):
    """Every site, power contract and commission stands in the region of a utility."""
    regions = named("utility")
    for site in books.parties_of_kind("site"):
        check(f"party {site.name}: region", site.region, site.region in regions, ", ".join(regions))
    for contract in books.contracts_of_kind("power contract"):
        check(
            f"contract {contract.id}: to", contract.creditor, contract.creditor in regions, ", ".join(regions)
        )
    heard = [party.region for party in books.parties_of_kind("commission")]
    check("party kind commission, region", heard, heard == regions, "one for each utility, in their order")


def _check_lines_of_sites(books, campuses, check):
    """Each campus has one order of chips and one power contract, and no other site has."""
    for kind in ("chip order", "power contract"):
        sites = [c.terms["site"] for c in books.contracts_of_kind(kind) if "site" in c.terms]
        fits = sorted(sites) == sorted(campuses)
        check(f"contract kind {kind}, terms.site", sites, fits, "each of " + ", ".join(campuses) + " once")


def _check_lines(books, vehicle, signed, check):
    """New money of each firm is booked on one line; the vehicle and the signed builder have what they are paid by."""
    debtors = [contract.debtor for contract in books.contracts if contract.terms.get("new_money")]
    twice = sorted({name for name in debtors if debtors.count(name) > 1})
    check("contracts with terms.new_money, from", twice, not twice, "one contract of each debtor")
    check(
        "contracts with terms.new_money, from",
        debtors,
        {LAB, vehicle} <= set(debtors),
        f"{LAB} and {vehicle} too",
    )
    orders = [
        c.id for c in books.contracts_of_kind("chip order") if "site" not in c.terms and c.debtor == signed
    ]
    check(
        f"contract kind chip order, from {signed} without terms.site",
        orders,
        len(orders) == 1,
        "one contract",
    )
    others = [
        c.id for c in books.contracts_of_kind("chip order") if "site" not in c.terms and c.debtor != signed
    ]
    check("contract kind chip order without terms.site", others, not others, f"none but of {signed}")
