"""Clearing: who can pay what, when everyone's payments are also someone's receipts.

The greatest clearing vector of Eisenberg & Noe (2001, Management Science 47:236) with classes of seniority
(Elsinger 2009, OeNB Working Paper 156) and without deadweight costs: a party pays its most senior class
first, creditors of one class get the same share, and what is missing becomes arrears.

A month in which everyone can pay costs three sums. The worlds in which somebody cannot are solved stage by stage
along the static network of obligations: payers before payees, each once; only parties that owe each other in a
circle are iterated. Iterates fall from "everything is paid" to the greatest solution, and each world stops by itself,
so that its payments have the same bits alone and in any batch.
Arrays are (parties, worlds) and (edges, worlds), US$bn a month.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.csgraph import connected_components

from model import kernels
from model.sums import incidence, spread

TOLERANCE = 1e-9
"""A shortfall below this share of what is due (and below 1e-9 US$bn, one dollar) is rounding, not default."""

LEAK = 1e-12
"""Taken off every receipt in an exact step, so that a circle that no money leaves can be solved too."""

NOISE = 1e-14
"""A mismatch below this share of a party's inflow (or of US$bn 1) is rounding, and not chased."""


class Claims(NamedTuple):
    """The classes of debt of some payers, one row per payer and class, (claims, worlds).

    `senior` is what the same payer owes to classes above, `covered` the cash from which the class counts as
    paid in full, `owed` what is due to the class (1 where nothing is, so that it divides).
    """

    senior: np.ndarray
    covered: np.ndarray
    owed: np.ndarray

    def rows(self, rows: slice) -> "Claims":
        """Give the claims of one stage."""
        return Claims(*(values[rows] for values in self))

    def worlds(self, keep: np.ndarray) -> "Claims":
        """Give the claims of the flagged worlds."""
        return Claims(*(np.compress(keep, values, axis=1) for values in self))

    def share_paid(self, cash: np.ndarray) -> np.ndarray:
        """Share of each class that is paid by a payer with `cash` (one row per claim): 1 exactly, or less."""
        share = cash - self.senior
        share /= self.owed
        # "Covered" is 0 or 1: the maximum lifts what is covered to a full share and the negative to none.
        np.maximum(share, cash >= self.covered, out=share)
        return np.minimum(share, 1.0, out=share)


@dataclass(frozen=True)
class Stage:
    """Payers that can be settled once the stages before them are: a party alone, or a circle of debtors.

    The slices point into the Clearing's own order of payers, claims and edges. `inflow` adds what arrives
    from outside the stage (of all edges, as they were given), `payer` and `claim` say whose a claim and an edge of the
    stage are.
    """

    payers: slice
    claims: slice
    edges: slice
    inflow: sparse.csr_matrix
    payer: np.ndarray
    claim: np.ndarray
    circle: "Circle | None"


class Circle:
    """Parties that owe each other in a circle: what each has available, as the greatest fixed point.

    Parameters
    ----------
    edge_payer, edge_payee
        (edges,) positions within the circle; the payee is -1 when the payment leaves it.
    claim_payer, edge_claim
        Whose each claim is, in order, and which claim each edge belongs to.
    """

    def __init__(self, edge_payer, edge_payee, claim_payer, edge_claim):
        inside = np.flatnonzero(edge_payee >= 0)
        self.size = int(edge_payer.max()) + 1
        # Plain rounds between two exact steps: an exact step costs more the larger the circle is (measured).
        self.rounds = 4 + self.size // 4
        self.claim_payer, self.edge_claim = claim_payer, edge_claim
        self.inner = _columns(incidence(edge_payee[inside], self.size), inside, edge_payer.size)
        # Parallel edges are added up into one entry of the matrix "receipts from payments".
        cells, cell = np.unique(edge_payee[inside] * self.size + edge_payer[inside], return_inverse=True)
        self.cells = cells
        self.into_cells = _columns(incidence(cell, cells.size), inside, edge_payer.size)
        self.first_claim = np.searchsorted(claim_payer, np.arange(self.size))

    def available(self, outside: np.ndarray, due: np.ndarray, claims: Claims) -> np.ndarray:
        """Cash before payments of each member, (members, worlds), given cash and receipts from `outside`."""
        answer = np.empty_like(outside)
        worlds = np.arange(outside.shape[1])
        most = outside + self.inner @ due
        scale = np.maximum(np.abs(outside) + (most - outside), 1.0)
        cash = most
        # Each exact step settles a world, makes up for the leak, or takes a member into a lower claim, and
        # there are finitely many. Should rounding keep a world moving, its last iterate, from above, stands.
        for _ in range(4 * self.claim_payer.size + 8):
            resting, cash = self._fall(cash, outside, due, claims)
            mismatch = cash - self._receive(cash, outside, due, claims)
            mismatch = np.where(np.abs(mismatch) <= NOISE * scale, 0.0, mismatch)
            settled = resting | ~mismatch.any(axis=0)
            if settled.any():
                answer[:, worlds[settled]] = np.compress(settled, cash, axis=1)
                left = ~settled
                worlds, claims = worlds[left], claims.worlds(left)
                cash, mismatch, outside, due, scale = (
                    np.compress(left, values, axis=1) for values in (cash, mismatch, outside, due, scale)
                )
            if not worlds.size:
                return answer
            cash = self._exact_step(cash, mismatch, due, claims)
        answer[:, worlds] = np.minimum(cash, self._receive(cash, outside, due, claims))
        return answer

    def _receive(self, cash, outside, due, claims) -> np.ndarray:
        share = claims.share_paid(spread(cash, self.claim_payer))
        paid = spread(share, self.edge_claim)
        paid *= due
        return outside + self.inner @ paid

    def _fall(self, cash, outside, due, claims) -> tuple[np.ndarray, np.ndarray]:
        """Plain rounds from above. A world that came to rest repeats its bits, so going on is harmless."""
        for _ in range(self.rounds):
            before, cash = cash, self._receive(cash, outside, due, claims)
            resting = (cash == before).all(axis=0)
            if resting.all():
                break
        return resting, cash

    def _exact_step(self, cash, mismatch, due, claims) -> np.ndarray:
        """Go to the solution of the present linear piece, or only as far as the piece reaches.

        Within a piece every member has one claim that its last dollar goes to (or none). The straight line
        from an iterate above the greatest solution to the solution of the piece stays above the greatest
        solution, because the mismatch stays non-negative along it.
        """
        at_claim = spread(cash, self.claim_payer)
        marginal = (at_claim > claims.senior) & (at_claim <= claims.covered)
        passed_on = spread(marginal / claims.owed, self.edge_claim)
        passed_on *= due
        worlds = cash.shape[1]
        system = np.zeros((worlds, self.size * self.size))
        system[:, self.cells] = ((LEAK - 1.0) * (self.into_cells @ passed_on)).T
        system[:, :: self.size + 1] += 1.0
        system = system.reshape(worlds, self.size, self.size)
        change = np.ascontiguousarray(np.linalg.solve(system, mismatch.T[:, :, None])[:, :, 0].T)

        floor = np.where(
            marginal, claims.senior, np.where(at_claim > claims.covered, claims.covered, -np.inf)
        )
        floor = np.maximum.reduceat(floor, self.first_claim, axis=0)
        falling = change > 0.0
        reach = np.where(falling, (cash - floor) / np.where(falling, change, 1.0), np.inf)
        step = np.minimum(reach.min(axis=0), 1.0)
        return np.where(reach <= step, floor, cash - step * change)


class Clearing:
    """A fixed network of obligations that is cleared month after month.

    Parameters
    ----------
    payer, payee
        (edges,) party numbers in [0, parties). An edge that is not in use is due zero.
    seniority
        (edges,) class of each edge, 0 the most senior; paid class by class.
    parties
        Number of parties.
    always_pays
        (parties,) flags of those who pay whatever their cash: customers, the rest of the world, equity
        investors. They are cut out before circles are looked for, and their cash may turn negative.

    Raises
    ------
    ValueError
        When the lists differ in length, a party number is out of range, or a party owes itself.
    """

    def __init__(self, payer, payee, seniority, parties: int, always_pays=None):
        payer, payee, seniority = (
            np.ascontiguousarray(values, dtype=np.int64) for values in (payer, payee, seniority)
        )
        if not (payer.ndim == 1 and payer.shape == payee.shape == seniority.shape):
            raise ValueError("payer, payee and seniority need one entry per edge")
        if (payer == payee).any():
            raise ValueError("a party cannot owe itself")
        always = np.zeros(parties, dtype=bool) if always_pays is None else np.asarray(always_pays, dtype=bool)
        if always.shape != (parties,):
            raise ValueError("always_pays needs one flag per party")
        self.parties, self.edges = int(parties), payer.size
        self._into, self._payee = incidence(payee, parties), payee
        incidence(payer, parties)  # refuses party numbers out of range
        self._arrange(payer, payee, seniority, always)

    def _arrange(self, payer, payee, seniority, always) -> None:
        """Put payers, claims and edges in the order in which they are settled, and cut them into stages."""
        bound = np.flatnonzero(~always[payer])
        stage_of, in_circle = _stages(payer[bound], payee[bound], self.parties)
        order = bound[np.lexsort((seniority[bound], payer[bound], stage_of[payer[bound]]))]
        self._order = np.concatenate((order, np.flatnonzero(always[payer])))
        self._back = np.argsort(self._order)

        obliged = payer[order]
        starts = np.flatnonzero(np.diff(obliged, prepend=-1))
        self._obliged = obliged[starts]
        edge_payer = np.cumsum(np.isin(np.arange(obliged.size), starts)) - 1
        new_claim = (np.diff(edge_payer, prepend=-1) != 0) | (np.diff(seniority[order], prepend=-1) != 0)
        edge_claim = np.cumsum(new_claim) - 1
        claim_payer = edge_payer[new_claim]

        self._claim_payer, self._edge_claim = claim_payer, edge_claim
        self._bound, self._debtor = order, edge_payer
        self._received_by = self._into[self._obliged]
        self._into_claims = _columns(
            incidence(edge_claim, claim_payer.size), np.arange(order.size), self.edges
        )
        above = (claim_payer[:, None] == claim_payer) & np.tri(claim_payer.size, k=-1, dtype=bool)
        self._above = sparse.csr_matrix(above.astype(np.float64))

        received = _columns(self._received_by, self._back, self.edges)
        received.sort_indices()
        self._runs = tuple(
            np.asarray(each, dtype=np.int64)
            for each in (
                self._obliged,
                self._order,
                np.searchsorted(claim_payer, np.arange(self._obliged.size + 1)),
                np.searchsorted(edge_claim, np.arange(claim_payer.size + 1)),
                received.indptr,
                np.take(self._order, received.indices),
            )
        )
        stage = stage_of[self._obliged]
        self._stages = [
            self._stage(number, stage, edge_payer, edge_claim, claim_payer, payee[self._order], in_circle)
            for number in np.unique(stage)
        ]

    def _stage(self, number, stage, edge_payer, edge_claim, claim_payer, payee, in_circle) -> Stage:
        payers = _run(stage == number)
        claims = _run(stage[claim_payer] == number)
        edges = _run(stage[edge_payer] == number)
        members = self._obliged[payers]
        place = np.full(self.parties, -1)
        place[members] = np.arange(members.size)
        to = place[payee]
        circle = None
        if in_circle[members[0]]:
            circle = Circle(
                edge_payer[edges] - payers.start,
                to[edges],
                claim_payer[claims] - payers.start,
                edge_claim[edges] - claims.start,
            )
        outside = np.ones(self.edges, dtype=bool)
        outside[edges] = False
        arriving = np.flatnonzero((to >= 0) & outside)
        return Stage(
            payers=payers,
            claims=claims,
            edges=edges,
            inflow=_columns(incidence(to[arriving], members.size), self._order[arriving], self.edges),
            payer=claim_payer[claims] - payers.start,
            claim=edge_claim[edges] - claims.start,
            circle=circle,
        )

    def clear(self, cash: np.ndarray, due: np.ndarray) -> np.ndarray:
        """Pay what can be paid: the greatest clearing vector of every world.

        Parameters
        ----------
        cash
            (parties, worlds) before anything is paid, US$bn; a party with negative cash pays only out of
            what it receives beyond that.
        due
            (edges, worlds) obligations, >= 0.

        Returns
        -------
        (edges, worlds) payments, read-only. An edge whose class is paid in full is paid `due` to the last
        bit; a payer that is short ends with no cash.

        Raises
        ------
        ValueError
            When a shape does not fit, an obligation is negative, or cash is not a number.
        """
        cash, due = np.ascontiguousarray(cash, dtype=float), np.ascontiguousarray(due, dtype=float)
        if due.ndim != 2 or due.shape[0] != self.edges or cash.shape != (self.parties, due.shape[1]):
            raise ValueError(
                f"cash must be ({self.parties}, worlds) and due ({self.edges}, worlds); "
                f"got {cash.shape} and {due.shape}"
            )
        short = self._short(cash, due)
        paid = self._settle(cash, due, short) if short.any() else due.view()
        paid.setflags(write=False)
        return paid

    def response(self, cash: np.ndarray, due: np.ndarray, paid: np.ndarray) -> np.ndarray:
        """What everyone would pay, having received `paid`: the map whose greatest fixed point `clear` finds.

        All in US$bn, cash (parties, worlds), the others and the answer (edges, worlds). To check a clearing,
        and to show what a creditor's delay does to the next one.
        """
        due = np.take(due, self._order, axis=0)
        available = np.take(cash, self._obliged, axis=0) + self._received_by @ paid
        share = self._claims(due).share_paid(spread(available, self._claim_payer))
        answer = due.copy()
        answer[: self._edge_claim.size] *= spread(share, self._edge_claim)
        return np.take(answer, self._back, axis=0)

    def _claims(self, due) -> Claims:
        """Add up what is due (in the Clearing's own order) to the claims, and rank them."""
        owed = self._into_claims @ due
        senior = self._above @ owed
        owed_so_far = senior + owed
        covered = owed_so_far - TOLERANCE * np.maximum(owed_so_far, 1.0)
        return Claims(senior, covered, np.where(owed > 0.0, owed, 1.0))

    def _short(self, cash, due) -> np.ndarray:
        """Worlds in which somebody could not pay everything even if everyone else did."""
        worlds = due.shape[1]
        owed, full = np.empty((self._obliged.size, worlds)), np.empty(cash.shape)
        short = np.empty(worlds, dtype=bool)
        found = kernels.find_short(
            cash, due, self._payee, self._obliged, self._bound, self._debtor, TOLERANCE, owed, full, short
        )
        if found == kernels.NEGATIVE_DUE:
            raise ValueError("an obligation is negative or not a number")
        if found == kernels.NO_NUMBER:
            raise ValueError("cash is not a number")
        return short

    def _settle(self, cash, due, short) -> np.ndarray:
        paid = due.copy()
        for stage in self._stages:
            if stage.circle:
                self._settle_circle(stage, cash, due, short, paid)
            else:
                ends = stage.payers.start, stage.payers.stop
                kernels.settle_payers(*ends, cash, due, *self._runs, TOLERANCE, short, paid)
        return paid

    def _settle_circle(self, stage, cash, due, short, paid) -> None:
        due = np.compress(short, np.take(due, self._order, axis=0), axis=1)
        claims, stage_due = self._claims(due).rows(stage.claims), due[stage.edges]
        own = np.compress(short, np.take(cash, self._obliged[stage.payers], axis=0), axis=1)
        outside = own + stage.inflow @ np.compress(short, paid, axis=1)
        available = stage.circle.available(outside, stage_due, claims)
        share = claims.share_paid(spread(available, stage.payer))
        paid[np.ix_(self._order[stage.edges], short)] = stage_due * spread(share, stage.claim)


def _stages(payer, payee, parties: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the stage of each party, and flag the members of circles.

    Stages run along the condensation of the graph; parties that are in no circle and equally far from its
    sources share one, a circle has one for itself.
    """
    ones = np.ones(payer.size)
    graph = sparse.csr_matrix((ones, (payer, payee)), shape=(parties, parties))
    count, component = connected_components(graph, directed=True, connection="strong")
    in_circle = np.bincount(component, minlength=count)[component] > 1
    links = np.unique(np.stack((component[payer], component[payee]), axis=1), axis=0)
    links = links[links[:, 0] != links[:, 1]]
    depth = np.zeros(count, dtype=np.int64)
    for _ in range(count):
        deeper = depth.copy()
        np.maximum.at(deeper, links[:, 1], depth[links[:, 0]] + 1)
        if (deeper == depth).all():
            break
        depth = deeper
    alone = np.where(in_circle, component + 1, 0)
    _, stage = np.unique(depth[component] * (count + 1) + alone, return_inverse=True)
    return stage, in_circle


def _columns(matrix: sparse.csr_matrix, columns: np.ndarray, width: int) -> sparse.csr_matrix:
    """Let the matrix read its columns out of an array of `width` rows, at the rows `columns`."""
    return sparse.csr_matrix(
        (matrix.data, columns[matrix.indices], matrix.indptr), shape=(matrix.shape[0], width)
    )


def _run(mask: np.ndarray) -> slice:
    """Give the slice of a mask that is one unbroken run."""
    where = np.flatnonzero(mask)
    return slice(int(where[0]), int(where[-1]) + 1)
