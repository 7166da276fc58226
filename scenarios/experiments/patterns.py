"""Patterns by which the model is judged: each a claim that was written down before it was tried.

A pattern is a function of the pure `simulate`: it plays paired worlds (the same luck on both sides), and gives an
effect with its 95% interval, a verdict, and a sentence. A verdict is `holds`, `does not hold`, `unclear` (the
interval holds both), or `reported` (a table about which nothing was claimed). Nothing in the model is tuned to a
pattern; one that comes out otherwise stays as it came out.
"""

import datetime
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from model.events import Event
from model.history import NEVER, wilson
from model.opening import read_opening
from scenarios.ensemble import chunks, setting_of, world_table
from scenarios.experiments.compare import difference_of_chances, difference_of_means
from scenarios.files import version
from scenarios.schema import BadInput, Problem, default_vocabulary, load
from scenarios.simulate import simulate

WORLDS, SEED, MONTHS, CHUNK = 1000, 1, 96, 512
HOLDS, FAILS, UNCLEAR, REPORTED = "holds", "does not hold", "unclear", "reported"
LAB, CLOUDS = "OpenAI", ("Oracle", "CoreWeave", "Stargate vehicle")
BUILT = ("Abilene", "New Mexico", "Vantage Texas", "Vantage Wisconsin")
SITES = tuple(f"{name} site company" for name in BUILT)
HYPERSCALERS = ("Microsoft", "Alphabet", "Amazon", "Meta")
LENDERS = ("US bank syndicate", "Japanese bank syndicate", "Bondholders", "Blackstone")
OWNERS = (*HYPERSCALERS, "Blue Owl", "Brookfield", "SoftBank", "Crusoe", "Vantage", "Equity investors")
CHAIN = (*CLOUDS, *SITES)
PARTNERS = ("SoftBank", "Oracle", "CoreWeave", "Crusoe", "Vantage", "Stargate vehicle")


# -- what a pattern gives ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One number of a pattern with its 95% interval; ``paired`` says that it is a difference with the same luck."""

    quantity: str
    unit: str
    value: float
    low: float
    high: float
    paired: bool = False


@dataclass(frozen=True)
class Finding:
    """What a pattern came to. ``claim`` was written before the run; ``rows[0]`` carries the effect that is judged."""

    id: str
    claim: str
    verdict: str
    sentence: str
    rows: tuple[Row, ...]
    worlds: int
    seed: int
    months: int
    version: str = field(default_factory=version)

    def facts(self):
        """All of it as plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Run:
    """What patterns read of a run: months of failure and losses by party, and a few series ``(months, worlds)``."""

    months_of: dict[str, dict[str, np.ndarray]]
    loss: dict[str, np.ndarray]
    series: dict[str, np.ndarray]
    peak_stress: np.ndarray

    def came(self, firm, outcome="default", within=NEVER - 1):
        """In which worlds a firm came to an outcome within so many months, ``(worlds,)`` of bool."""
        return self.months_of[outcome][firm] <= within

    def lost(self, *holders):
        """What holders wrote off, ``(worlds,)``, US$bn; without names, everybody."""
        return np.add.reduce([self.loss[name] for name in holders or self.loss])


SERIES = {  # name: (recorded measure, agents or None for all, what is done with several)
    "cash": ("cash", (LAB,)),
    "debt": ("debt", (LAB,)),
    "clouds' cash": ("cash", CLOUDS),
    "clouds' debt": ("debt", CLOUDS),
    "idle": ("idle", None),
    "available": ("available", None),
    "revenue": ("revenue", (LAB,)),
    "wanted": ("inference_need", None),
    "billed": ("compute_revenue", None),
    "equity": ("round_now", None),
    "household bill": ("household_bill", None),
    "rent": ("rent_received", SITES),
    "energised": ("energised", SITES),
}


class Player:
    """Plays scenarios for patterns, each once. ``off``: Params set in every run (the honesty test's switch).

    ``judged``: whether only what a verdict reads is played, and rows that are only reported are left out.
    """

    def __init__(self, worlds=WORLDS, seed=SEED, chunk=CHUNK, off=None, note=None, judged=False):
        self.worlds, self.seed, self.chunk, self.judged = worlds, seed, chunk, judged
        self.off, self.note, self._played, self._larger = off or {}, note, {}, {}

    def __call__(self, scenario="baseline", sets=None, *, months=MONTHS, events=(), table=None):
        """Play a scenario with some Params and events, in the same worlds; ``table`` gives Params by world."""
        chosen = load(scenario)
        given = self.off | (sets or {})
        chosen = chosen.with_set(given) if given else chosen
        chosen = replace(chosen, events=(*chosen.events, *events))
        key = chosen.hash(), months, None if table is None else tuple(table)
        if key not in self._played:
            worlds = self.worlds if table is None else {"world": np.arange(self.worlds), **table}
            if self.note:
                self.note(scenario, sets, months)
            self._played[key] = _kept(simulate(chosen, worlds, self.seed, months, chunk=self.chunk))
        return self._played[key]

    def results(self, scenario, months, worlds=None):
        """Play a scenario and give its whole Results, which are not kept."""
        chosen = load(scenario).with_set(self.off) if self.off else load(scenario)
        if self.note:
            self.note(scenario, None, months)
        return simulate(chosen, worlds or self.worlds, self.seed, months, chunk=self.chunk)

    def larger(self, times):
        """Give the player of so many times the worlds, for a claim that needs narrower intervals; always the same."""
        if times not in self._larger:
            more = times * self.worlds
            self._larger[times] = Player(more, self.seed, self.chunk, self.off, self.note, self.judged)
        return self._larger[times]

    def called_loans(self, scenario, months, debtors):
        """Play a scenario and give what lenders claimed on called loans of some debtors, and lost of it, by world.

        Loan by loan, as the model notes it when an estate is wound up; both ``(worlds,)``, US$bn.
        """
        chosen = load(scenario).with_set(self.off) if self.off else load(scenario)
        luck, params = world_table(self.worlds, default_vocabulary())
        claimed, lost = [], []
        for part in chunks(luck.size, self.chunk):
            setting = setting_of(chosen, params, part)
            model = default_vocabulary().model_class(
                worlds=luck[part], rng=self.seed, months=months, setting=setting, record=False
            )
            model.run_for(months)
            loans = model.loans
            theirs = np.isin(loans.debtor, [model.ledger.index[name] for name in debtors])
            claimed.append(loans.claimed[theirs].sum(axis=0))
            lost.append(loans.lost[theirs].sum(axis=0))
        return np.concatenate(claimed), np.concatenate(lost)


def _measured(results, name, *agents):
    """Give a measure of some agents as numbers, ``(months, agents, worlds)``."""
    known = results.measures[name].agents
    return results.measure(name)[:, [known.index(agent) for agent in agents]].astype(float)


def _kept(results):
    first = results.pieces[0]
    months_of = {
        word: dict(zip(first.parties, _joined(results, word), strict=True))
        for word in ("missed", "distressed", "default")
    }
    series = {}
    for name, (measure, agents) in SERIES.items():
        if measure in results.measures:
            rows = [
                row
                for row, agent in enumerate(results.measures[measure].agents)
                if agents is None or agent in agents
            ]
            block = results.measure(measure)[:, rows].astype(float)
            series[name] = np.add.accumulate(block, axis=1)[:, -1]
    loss = dict(zip(first.parties, _joined(results, "loss"), strict=True))
    peak = np.concatenate([piece.peak_stress for piece in results.pieces])
    return Run(months_of, loss, series, peak)


def _joined(results, word):
    return np.concatenate([piece.outcomes[word] for piece in results.pieces], axis=-1)


# -- rows and verdicts ---------------------------------------------------------------------------------------


def chance(quantity, came):
    """Give a row for the share of worlds in which something came, with Wilson's interval."""
    low, high = wilson(int(came.sum()), came.size)
    return Row(quantity, "share of worlds", float(came.mean()), low, high)


def change_of_chance(quantity, before, after):
    """Give a row for a paired difference of two chances (Newcombe 1998)."""
    return Row(quantity, "share of worlds", *difference_of_chances(before, after), paired=True)


def change_of_mean(quantity, unit, before, after):
    """Give a row for a paired difference of two means (Student's t)."""
    return Row(quantity, unit, *difference_of_means(before, after), paired=True)


def exactly(quantity, unit, value):
    """Give a row for a number that has no luck in it: its interval is itself."""
    return Row(quantity, unit, float(value), float(value), float(value))


def above(row, bound=0.0):
    """Judge the claim that a row is above a bound."""
    return HOLDS if row.low > bound else FAILS if row.high <= bound else UNCLEAR


def below(row, bound=0.0):
    """Judge the claim that a row is below a bound."""
    return HOLDS if row.high < bound else FAILS if row.low >= bound else UNCLEAR


def all_of(*verdicts):
    """Join the verdicts of a claim's parts: it holds if all do, and fails if one does."""
    return FAILS if FAILS in verdicts else UNCLEAR if UNCLEAR in verdicts else HOLDS


def crossing(places, values, level=0.0):
    """Give where a line through the points first crosses a level, or None if it does not."""
    gaps = np.asarray(values, dtype=float) - level
    for left in range(len(gaps) - 1):
        if gaps[left] == 0.0:
            return float(places[left])
        if gaps[left] * gaps[left + 1] <= 0.0:
            part = gaps[left] / (gaps[left] - gaps[left + 1])
            return float(places[left] + part * (places[left + 1] - places[left]))
    return None


def _told(number, digits=2):
    return "nowhere on the grid" if number is None else f"{number:.{digits}f}"


def _span(row, digits=2):
    return f"{row.value:.{digits}f} ({row.low:.{digits}f} to {row.high:.{digits}f})"


# -- a: the floor --------------------------------------------------------------------------------------------

FLOORS, COMPARED_FLOORS = (0.0, 0.3, 0.6, 0.9, 1.0), (0.6, 0.9)


def floor_moves_cash(play):
    """In worlds where use falls below contract a higher floor moves cash one for one from lab to partners until the lab
    misses a payment; elsewhere its effect is exactly zero. The loss of partners against the floor is reported.
    """
    floors = COMPARED_FLOORS if play.judged else FLOORS
    runs = {floor: play(sets={"openai.floor_share": floor}) for floor in floors}
    low, high = runs[0.6], runs[0.9]
    billed = high.series["billed"] - low.series["billed"]
    moved = high.series["cash"] - low.series["cash"]
    touched = np.abs(billed) > 1e-9
    first = np.where(touched.any(axis=0), touched.argmax(axis=0), len(touched))
    month = np.arange(len(touched))[:, None]
    before = np.abs(np.where(month < first, moved, 0.0))
    missed = np.minimum(low.months_of["missed"][LAB], high.months_of["missed"][LAB])
    counts = (first < len(touched)) & (first + 1 < missed)
    at = np.minimum(first, len(touched) - 1)
    worlds = np.arange(len(first))
    ratio = -(moved[at, worlds] / np.where(counts, billed[at, worlds], 1.0))[counts]
    rows = [
        Row("cash that leaves the lab per dollar more billed, first month",
            "US$ per US$", float(ratio.mean()), float(ratio.min()), float(ratio.max())),
        exactly("largest effect on the lab's cash before any bill differs", "US$bn", before.max()),
        chance("worlds in which the move is one for one to a millionth", np.abs(ratio - 1.0) < 1e-6),
        _until_missed(high, low, billed, missed),
        chance("worlds in which use ever falls below the higher floor", first < len(touched)),
    ]  # fmt: skip
    for floor, run in runs.items():
        rows.append(chance(f"default of the lab at floor {floor:g}", run.came(LAB)))
        if floor != floors[0]:
            name = f"loss of partners, sites and lenders at floor {floor:g} less that at {floors[0]:g}"
            holders = (*CHAIN, *LENDERS)
            rows.append(change_of_mean(name, "US$bn", runs[floors[0]].lost(*holders), run.lost(*holders)))
    one_for_one = HOLDS if np.abs(ratio - 1.0).max() < 1e-6 else FAILS
    verdict = all_of(one_for_one, HOLDS if before.max() == 0.0 else FAILS)
    sentence = (
        f"In {rows[2].value:.1%} of worlds a dollar more that sellers take in is a dollar less of the lab's cash, in"
        f" the first month in which floors of 0.6 and 0.9 differ; before it nothing moves ({rows[1].value:.0e} US$bn)."
        f" Default of the lab goes from {runs[floors[0]].came(LAB).mean():.0%} at a floor of {floors[0]:g} to"
        f" {runs[floors[-1]].came(LAB).mean():.0%} at a floor of {floors[-1]:g}."
    )
    return verdict, sentence, rows


def _until_missed(high, low, billed, missed):
    """A row for what the lab has less, new equity deducted, when either run first misses or ends; per dollar billed."""
    last = np.clip(missed - 2, 0, len(billed) - 1)
    worlds = np.arange(billed.shape[1])
    owns = [np.cumsum(run.series["equity"], axis=0) - run.series["cash"] for run in (low, high)]
    gone = (owns[1] - owns[0])[last, worlds]
    more = np.cumsum(billed, axis=0)[last, worlds]
    error = (gone - gone.sum() / more.sum() * more).std(ddof=1) / np.sqrt(more.size) / more.mean()
    share = float(gone.sum() / more.sum())
    reach = float(1.96 * error)
    name = "cash that leaves the lab, equity deducted, per dollar more billed, until a payment is missed"
    return Row(name, "US$ per US$", share, share - reach, share + reach)


# -- b: whose debt -------------------------------------------------------------------------------------------


def _first_to_miss(run, firms, others):
    mine = np.minimum.reduce([run.months_of["missed"][firm] for firm in firms])
    theirs = np.minimum.reduce([run.months_of["missed"][firm] for firm in others])
    return (mine < NEVER) & (mine <= theirs)


def whose_debt(play):
    """With the present value of all obligations equal, moving debt from partners to lab changes who misses first; total
    loss before liquidation costs does not fall by more than the change in equity.
    """
    free = {"solvency.liquidation_cost": 0.0}
    partners, lab = (play(sets=free | {"loan.lab_borrows": share}) for share in (0.0, 1.0))
    rows = [
        change_of_chance(
            "the lab is the first to miss",
            *(_first_to_miss(run, (LAB,), PARTNERS) for run in (partners, lab)),
        ),
        change_of_chance(
            "Oracle misses before the lab",
            *(run.months_of["missed"]["Oracle"] < run.months_of["missed"][LAB] for run in (partners, lab)),
        ),
        change_of_mean("loss of all holders, without liquidation costs", "US$bn", partners.lost(), lab.lost()),
        change_of_mean(
            "equity paid into the lab", "US$bn",
            *(run.series["equity"].sum(axis=0) for run in (partners, lab)),
        ),
        change_of_mean(
            "loss plus equity paid in", "US$bn",
            *(run.lost() + run.series["equity"].sum(axis=0) for run in (partners, lab)),
        ),
        change_of_chance("default of the lab", *(run.came(LAB) for run in (partners, lab))),
        change_of_chance("default of Oracle", *(run.came("Oracle") for run in (partners, lab))),
    ]  # fmt: skip
    changes = HOLDS if rows[0].low > 0.0 or rows[0].high < 0.0 else UNCLEAR
    kept = HOLDS if rows[4].low >= 0.0 else FAILS if rows[4].high < 0.0 else UNCLEAR
    sentence = (
        f"When the lab borrows for its chips, it is the first to miss in {100 * rows[0].value:+.1f} points of worlds;"
        f" the loss of all holders changes by {_span(rows[2], 1)}, the equity paid in by {_span(rows[3], 1)} US$bn."
    )
    return all_of(changes, kept), sentence, rows


# -- c: the rebound ------------------------------------------------------------------------------------------

REBOUND = {0.5: (1.6, 2.0, 2.4), 0.8: (1.0, 1.25, 1.5), 1.0: (0.8, 1.0, 1.2)}
"""Pass-through: elasticities tried around one over it."""
JUDGED_SHARE = 0.8
BREAK_AT, UNTIL = 24, 42


def rebound_flips(play):
    """The sign of the change in desired compute after an industry-wide breakthrough flips at elasticity x pass-through
    = 1; the elasticity at which idle compute appears is reported.
    """
    event = Event(BREAK_AT, "breakthrough", None, 2.0, extra={"owner": "open"})
    after = slice(BREAK_AT + 5, UNTIL)
    rows, products, sentences = [], [], []
    tried = {JUDGED_SHARE: REBOUND[JUDGED_SHARE]} if play.judged else REBOUND
    for share, elasticities in tried.items():
        wanted, idle = [], []
        for elasticity in elasticities:
            sets = {"demand.usage_elasticity": elasticity}
            sets |= {
                f"{group}.pass_through": share for group in ("openai", "rival_lab", "small_model_builder")
            }
            without, with_it = (play(sets=sets, months=UNTIL, events=e) for e in ((), (event,)))
            logs = [np.log(run.series["wanted"][after]).mean(axis=0) for run in (without, with_it)]
            rows.append(change_of_mean(
                f"desired compute, pass-through {share:g}, elasticity {elasticity:g}", "log", *logs))  # fmt: skip
            wanted.append(rows[-1])
            spare = [run.series["idle"][after].mean(axis=0) for run in (without, with_it)]
            idle.append(change_of_mean("idle", "GW", *spare))
        flip = crossing(elasticities, [row.value for row in wanted])
        stands = crossing(elasticities, [row.value for row in idle])
        ends = [crossing(elasticities, [getattr(row, end) for row in wanted]) for end in ("high", "low")]
        products.append((flip, share, wanted[0].value < 0.0 < wanted[-1].value))
        if flip is not None:
            bounds = [share * (end if end is not None else flip) for end in ends]
            rows.append(Row(f"elasticity x pass-through at the flip, pass-through {share:g}", "product",
                            share * flip, min(bounds), max(bounds)))  # fmt: skip
        rows.extend(replace(row, quantity=f"idle compute of the lab, pass-through {share:g}, elasticity {e:g}")
                    for row, e in zip(idle, elasticities, strict=True))  # fmt: skip
        sentences.append(
            f"at pass-through {share:g} desired compute turns at elasticity {_told(flip)},"
            f" idle compute at {_told(stands)}"
        )
    found = [flip is not None and rises and abs(flip * share - 1.0) < 0.1 for flip, share, rises in products]
    verdict = HOLDS if all(found) else FAILS
    return verdict, f"A doubling of everybody's efficiency: {'; '.join(sentences)}.", rows


# -- d: dear power and long queues ---------------------------------------------------------------------------


def power_by_payer(play):
    """Cost of power at twice the price and of 24 months of queue, by payer (lab, cloud, site, lender, households) at
    pass-through 0, 0.5 and 1: a table; no ranking is claimed.

    Undiscounted over the run. Lab: cash less debt and less equity paid in. Clouds: cash less debt. Sites: rent not
    received. Lenders: written off. Households: the bill, mean of four regions over the run, opening bill = 1.
    """
    delays = tuple(Event(1, "delay", site, 24, extra={"months": 24}) for site in SITES)
    rows = []
    for share in (0.0, 0.5, 1.0):
        sets = {"power_contract.pass_through": share}
        plain = play(sets=sets)
        dear = play(sets=sets | {"power.price_level": 2.0})
        late = play(sets=sets, events=delays)
        for name, run in (("price x2", dear), ("queue +24 months", late)):
            told = f"{name}, pass-through {share:g}"
            rows += [
                change_of_mean(f"{told}: lab", "US$bn", _paid_in_and_kept(run), _paid_in_and_kept(plain)),
                change_of_mean(f"{told}: clouds", "US$bn", *(_clouds_net(r) for r in (run, plain))),
                change_of_mean(f"{told}: sites", "US$bn", *(r.series["rent"].sum(axis=0) for r in (run, plain))),
                change_of_mean(f"{told}: lenders", "US$bn", *(r.lost(*LENDERS) for r in (plain, run))),
                change_of_mean(f"{told}: households", "index points of the bill",
                               *(r.series["household bill"].mean(axis=0) / 4.0 for r in (plain, run))),
            ]  # fmt: skip
    at = {row.quantity: row for row in rows}
    sentence = (
        "Cost in US$bn over the run, the lab at pass-through 0, 0.5, 1: dear power "
        + ", ".join(_span(at[f"price x2, pass-through {s:g}: lab"], 1) for s in (0.0, 0.5, 1.0))
        + "; queue "
        + ", ".join(_span(at[f"queue +24 months, pass-through {s:g}: lab"], 1) for s in (0.0, 0.5, 1.0))
        + ". A late hall is not billed: a negative cost of the queue is the lab's free put."
    )
    return REPORTED, sentence, rows


def _paid_in_and_kept(run):
    """Cash of the lab at the end less its debt and the equity that was paid in, US$bn."""
    return run.series["cash"][-1] - run.series["debt"][-1] - run.series["equity"].sum(axis=0)


def _clouds_net(run):
    """Cash of the clouds at the end less their debt, US$bn: chips that are not yet paid for count as a gain."""
    return run.series["clouds' cash"][-1] - run.series["clouds' debt"][-1]


# -- e: the revolver -----------------------------------------------------------------------------------------

LINES = (4.0, 10.0, 20.0, 40.0, 70.0, 100.0)


def revolver_delays(play):
    """The revolver of 4 delays default and rarely prevents it (less than a tenth of defaults); the size, from 4 to 100,
    at which it prevents a tenth of defaults is reported.

    The line of 4, which is judged, in four times the worlds: of a fifth of them default is what is counted.
    """
    prevented, rows = [], []
    lines = LINES[:1] if play.judged else LINES
    for size in lines:
        player = play.larger(4) if size == LINES[0] else play
        none, run = (player(sets={"loan.lab_revolver": each}) for each in (0.0, size))
        fell = none.came(LAB)
        spared = fell & ~run.came(LAB)
        both = fell & run.came(LAB)
        if both.sum() < 2:
            continue
        share = chance(f"of defaults without a line, prevented by one of {size:g}", spared[fell])
        when = [r.months_of["default"][LAB][both] for r in (none, run)]
        rows += [share, change_of_mean(f"default comes later by, line of {size:g}", "months", *when)]
        rows.append(
            change_of_chance(f"default of the lab, line of {size:g} against none", fell, run.came(LAB))
        )
        prevented.append(share.value)
    if len(prevented) < len(lines):
        fell = chance("default of the lab without a line", play(sets={"loan.lab_revolver": 0.0}).came(LAB))
        return UNCLEAR, "Hardly a world sees the lab default: there is nothing to count.", [fell, *rows]
    tenth = crossing(lines, prevented, 0.1)
    verdict = all_of(above(rows[1]), below(rows[0], 0.1))
    sentence = (
        f"A line of 4 delays default by {_span(rows[1], 1)} months and prevents {rows[0].value:.1%} of defaults; a"
        f" tenth is prevented from a line of {_told(tenth, 0)} US$bn on."
    )
    return verdict, sentence, rows


# -- f: cash instead of debt ---------------------------------------------------------------------------------


def cash_moves_loss(play):
    """Cash funding moves the loss from lenders to shareholders; default, timing and leases are reported.

    In four times the worlds: what moves to shareholders is small beside the luck of what they lose.
    """
    larger = play.larger(4)
    debt, cash = larger(), larger("cash_funded")
    rows = [
        change_of_mean("loss of lenders", "US$bn", debt.lost(*LENDERS), cash.lost(*LENDERS)),
        change_of_mean("loss of shareholders", "US$bn", debt.lost(*OWNERS), cash.lost(*OWNERS)),
        change_of_mean("loss of all holders", "US$bn", debt.lost(), cash.lost()),
        *(change_of_chance(f"default of {firm}", debt.came(firm), cash.came(firm)) for firm in (LAB, *CLOUDS)),
        change_of_mean("energised at the sites after 36 months", "GW",
                       *(r.series["energised"][35] for r in (debt, cash))),
        change_of_mean("rent paid to sites (leases), whole run", "US$bn",
                       *(r.series["rent"].sum(axis=0) for r in (debt, cash))),
    ]  # fmt: skip
    sentence = (
        f"With cash instead of debt lenders lose {_span(rows[0], 1)} and shareholders {_span(rows[1], 1)} US$bn more"
        f" than with it; the loss of all holders changes by {_span(rows[2], 1)}."
    )
    return all_of(below(rows[0]), above(rows[1])), sentence, rows


# -- g: concentration ----------------------------------------------------------------------------------------

SHOCKS = (-0.1, -0.25, -0.4, -0.6)
HURT = 0.1


def concentration_of_lenders(play):
    """Concentration of lenders: the number of lenders hit by small shocks and the loss in large ones, when banks keep
    the site loans and when they sell all they can to bondholders; the crossing, if there is one.
    """
    keep = {"bank.sell_down_share": 0.0}
    sell = {"bank.sell_down_share": 1.0}
    rows, gaps = [], []
    for size in SHOCKS:
        shock = (Event(30, "demand_shock", None, size),)
        kept, sold = (play(sets=sets, events=shock) for sets in (keep, sell))
        hit = [sum((run.loss[name] > HURT).astype(float) for name in LENDERS) for run in (kept, sold)]
        rows.append(change_of_mean(f"lenders hit when loans are sold on, shock {size:.0%}", "lenders", *hit))
        lost = change_of_mean(
            f"loss of all lenders when sold on, shock {size:.0%}",
            "US$bn",
            *(r.lost(*LENDERS) for r in (kept, sold)),
        )
        rows.append(lost)
        gaps.append(lost.value)
    turn = crossing([-size for size in SHOCKS], gaps)
    sentence = (
        f"Selling site loans on changes the number of lenders hit by {_span(rows[0])} in the smallest shock and the"
        f" loss of all lenders by {_span(rows[-1])} US$bn in the largest; the losses cross "
        + ("nowhere on the grid." if turn is None else f"at a fall of demand of {turn:.0%}.")
    )
    return REPORTED, sentence, rows


# -- h: calm -------------------------------------------------------------------------------------------------


def calm_is_calm(play):
    """With every mechanism at its neutral value nobody defaults before month 96 and stress stays at its floor."""
    run = play("calm")
    fell = np.logical_or.reduce([run.came(name) for name in run.months_of["default"]])
    rows = [
        chance("worlds in which anybody defaults", fell),
        exactly("highest stress", "0 to 1", run.peak_stress.max()),
    ]
    verdict = HOLDS if not fell.any() and run.peak_stress.max() <= 0.0 else FAILS
    return (
        verdict,
        f"Defaults in {fell.mean():.0%} of worlds; highest stress {run.peak_stress.max():.3g}.",
        rows,
    )


# -- i: the equity window ------------------------------------------------------------------------------------

PRIORS = {
    "equity_investors.closing_hazard": (0.0, 0.6),
    "equity_investors.reopening_hazard": (0.2, 2.0),
    "equity_investors.surprise_sensitivity": (0.0, 2.0),
    "equity_investors.yearly_cap": (25.0, 180.0),
    "equity_investors.valuation_share": (0.05, 0.3),
}
NEARLY = 0.05


def equity_prior(play):
    """Over the prior range of the equity parameters the lab's default by month 96 happens in neither nearly none (under
    0.05) nor nearly all (over 0.95) worlds; 2026 is reported, not tested.
    """
    generator = np.random.default_rng(play.seed)
    table = {path: generator.uniform(*bounds, play.worlds) for path, bounds in PRIORS.items()}
    run = play(table=table)
    fell = run.came(LAB)
    rows = [chance("default of the lab by month 96, parameters over their priors", fell)]
    for path, values in table.items():
        low, high = np.quantile(values, [1 / 3, 2 / 3])
        for told, inside in (("lowest", values <= low), ("highest", values >= high)):
            rows.append(chance(f"default, {path} in its {told} third", fell[inside]))
    rows.append(chance("default of the lab in 2026", run.came(LAB, within=12)))
    verdict = all_of(above(rows[0], NEARLY), below(rows[0], 1.0 - NEARLY))
    sentence = (
        f"Over the priors the lab defaults in {_span(rows[0])} of worlds: {rows[1].value:.0%} where the window rarely"
        f" shuts and {rows[2].value:.0%} where it often does, {rows[3].value:.0%} where it reopens slowly and"
        f" {rows[4].value:.0%} where fast; in 2026 in {rows[-1].value:.1%}."
    )
    return verdict, sentence, rows


# -- j: fibre ------------------------------------------------------------------------------------------------

FAILS_BY, PLAYED = 180, 240
"""Failures count up to the month in which the first leases end; re-use is looked at five years later."""


def fibre_fails_and_is_reused(play):
    """In fibre_1996 most builders fail and assets are re-used by second owners; what the assets of failed builders
    would fetch without a tenant (bonds stood at 0.12 to 0.25 in 2001) and the ultimate recovery (0.47) are reported
    apart.

    By month 180; re-use: share of the capacity thrown onto the market, at its highest, that has an owner by month 240.
    Recovery: of what lenders claimed on the builders' called loans, loan by loan, what they got back.
    """
    results = play.results("fibre_1996", PLAYED)
    run = _kept(results)
    fell = np.array([run.came(name, within=FAILS_BY) for name in CHAIN])
    share = fell.mean(axis=0)
    middle, low, high = difference_of_means(np.zeros(share.size), share)
    rows = [Row("share of the seven builders that fail", "share", middle, low, high)]
    thrown = _measured(results, "compute_market.thrown_out", "compute_market")[:, 0]
    peak = thrown.max(axis=0)
    some = peak > 1e-9
    reused = 1.0 - thrown[-1][some] / peak[some]
    if reused.size > 1:
        rows.append(Row("thrown-out capacity that has found an owner", "share",
                        *difference_of_means(np.zeros(reused.size), reused)))  # fmt: skip
    month = np.array([run.months_of["default"][name] for name in CHAIN])
    at = np.clip(month - 2, 0, PLAYED - 1)
    owed = np.take_along_axis(_measured(results, "debt", *CHAIN), at[None], axis=0)[0] * fell
    dark = np.take_along_axis(
        _measured(results, "hardware.value_dark", *CLOUDS), at[None, : len(CLOUDS)], axis=0
    )[0]
    clouds = owed[: len(CLOUDS)]
    rows.append(_ratio("value of failed clouds' equipment without a tenant, per dollar of their debt",
                       (dark * fell[: len(CLOUDS)]).sum(axis=0), clouds.sum(axis=0)))  # fmt: skip
    if not play.judged:
        claimed, lost = play.called_loans("fibre_1996", FAILS_BY + 2, CHAIN)
        rows.append(_ratio("ultimate recovery of lenders", claimed - lost, claimed))
    rows += [chance(f"{name} fails", each) for name, each in zip(CHAIN, fell, strict=True)]
    rows.append(chance("the carrier fails", run.came(LAB, within=FAILS_BY)))
    most = above(rows[0], 0.5)
    used = above(rows[1], 0.5) if reused.size > 1 else UNCLEAR
    sentence = f"{_span(rows[0])} of the builders fail by month {FAILS_BY}; " + "; ".join(
        f"{row.quantity} {_span(row)}" for row in rows[1 : len(rows) - len(CHAIN) - 1]
    )
    return all_of(most, used), sentence + ".", rows


def _ratio(quantity, above_line, below_line):
    """A row for a ratio of sums over worlds, with the interval of the linearised ratio."""
    share = float(above_line.sum() / max(below_line.sum(), 1e-9))
    error = (
        (above_line - share * below_line).std(ddof=1)
        / np.sqrt(below_line.size)
        / max(below_line.mean(), 1e-9)
    )
    return Row(quantity, "US$ per US$", share, share - 1.96 * float(error), share + 1.96 * float(error))


# -- k: a bank's inputs --------------------------------------------------------------------------------------


def table_of_hsbc(play):
    """With one bank's published inputs and shocks off, revenue of 2030, cumulative rent to 2030 and to 2033, and the
    funding gap to 2030 come out; a reader who has that bank's outputs may put them beside.

    Rent: take-or-pay, renewals and power passed on. Gap: what the lab spends beyond what it takes in before new
    equity.
    """
    results = play.results("hsbc_2025", MONTHS, worlds=2)
    flows = results.story_frame().query("table == 'flow' and agent == @LAB")
    kinds = {"revenue": ["sales"], "rent": ["take-or-pay", "renewal", "power pass-through"]}
    years = np.arange(MONTHS // 12) + 2026
    yearly = {
        name: np.abs([
            flows[flows.state.isin(states) & (flows.month > 12 * k) & (flows.month <= 12 * k + 12)]["value"].sum()
            for k in range(len(years))
        ])
        for name, states in kinds.items()
    }  # fmt: skip
    opened = read_opening("hsbc_2025").party(LAB).cash
    cash = np.concatenate([[opened], _measured(results, "cash", LAB)[11::12, 0, 0]])
    equity = _measured(results, "round_now", "Equity investors")[:, 0, 0].reshape(-1, 12).sum(axis=1)
    yearly["funding gap"] = equity - np.diff(cash)
    to = {year: int(np.flatnonzero(years == year)[0]) + 1 for year in (2030, 2033)}
    rows = [
        exactly("revenue in 2030", "US$bn", yearly["revenue"][to[2030] - 1]),
        exactly("rent, 2026 to 2030", "US$bn", yearly["rent"][: to[2030]].sum()),
        exactly("rent, 2026 to 2033", "US$bn", yearly["rent"][: to[2033]].sum()),
        exactly("funding gap, 2026 to 2030", "US$bn", yearly["funding gap"][: to[2030]].sum()),
    ]
    for name, values in yearly.items():
        rows += [
            exactly(f"{name}, {year}", "US$bn", value) for year, value in zip(years, values, strict=True)
        ]
    told = ", ".join(f"{row.quantity} {row.value:.0f}" for row in rows[:4])
    return REPORTED, f"US$bn: {told}.", rows


PATTERNS: dict[str, Callable] = {
    "a": floor_moves_cash,
    "b": whose_debt,
    "c": rebound_flips,
    "d": power_by_payer,
    "e": revolver_delays,
    "f": cash_moves_loss,
    "g": concentration_of_lenders,
    "h": calm_is_calm,
    "i": equity_prior,
    "j": fibre_fails_and_is_reused,
    "k": table_of_hsbc,
}


def claim_of(pattern):
    """Give what a pattern claims: the first paragraph of its function."""
    return " ".join(PATTERNS[pattern].__doc__.split("\n\n")[0].split())


def find_patterns(names=(), worlds=WORLDS, seed=SEED, *, chunk=CHUNK, off=None, note=None, judged=False):
    """Try patterns, by default all, and give a Finding each; runs that several need are played once.

    ``off``: {path: value} set in every run; ``note(scenario, sets, months)`` is called before each run; ``judged``:
    play only what the verdicts read. BadInput names patterns that do not exist.
    """
    unknown = [name for name in names if name not in PATTERNS]
    if unknown:
        allowed = "one of " + " ".join(PATTERNS)
        raise BadInput(*(Problem("", "pattern", "unknown", repr(name), allowed) for name in unknown))
    if worlds < 2:
        raise BadInput(
            Problem("", "worlds", "not allowed", str(worlds), "at least 2: one world has no interval")
        )
    play = Player(worlds, seed, chunk, off, note, judged)
    found = []
    for name in names or PATTERNS:
        verdict, sentence, rows = PATTERNS[name](play)
        found.append(Finding(name, claim_of(name), verdict, sentence, tuple(rows), worlds, seed, MONTHS))
    return found


EXPLANATIONS = {
    "a": "In nine worlds or so of a thousand it is not one for one. In a run before requests fell out of the"
    " connection queue at random there were 8 of 974, and all 8 were explained to the last cent: what leaves the lab"
    " is what it pays more on its bills (to 1e-14 US$bn), but the sellers do not receive the same. In 7 of them Oracle"
    " gets more on a renewal, since the floor binds on renewals too, and loses the re-letting of the same capacity to"
    " somebody else. In one CoreWeave has failed: the bill of its contract goes to the second owner, who is no"
    " partner. The amounts are small (0.001 US$bn in six of the eight), and so are the denominators: hence ratios"
    " from -14 to 57.",
    "b": "Likely reason: the present value is equal at the loan's rate, but the lab's own loan falls due"
    " whether or not the halls are used or late, while a take-or-pay bill stops with the hall: debt is"
    " the harder promise.",
    "d": "Clouds and sites bear the queue and the lab does not, as expected from billing that starts with"
    " the power. Power is a small part of the cost of compute (0.6 against 13 US$bn per GW-year), so"
    " that doubling its price moves little money; households see it most.",
    "e": "With 1,000 worlds the share prevented was 6.6% with an interval that held a tenth (some 190 defaults"
    " are counted): the test was too weak. In four times the worlds it is decided.",
    "f": "Lenders lose less, and clearly; but what they no longer lose does not turn up with shareholders: it is not"
    " lost at all, since halls that are paid for in cash have no loans that fall due, and CoreWeave, which borrows for"
    " them, fails far less often. Shareholders lose a little less too. Before requests fell out of the queue at random"
    " and owners could cure a breach, their difference was zero within its interval, and the verdict was unclear.",
    "g": "Only one syndicate sells loans on, so that the range of concentration in the books is narrow.",
    "i": "How often the window shuts, and how long it stays shut, moves the default rate several times"
    " over; the yearly cap and the share of the valuation hardly move it, since the lab asks for no"
    " more than its own target.",
    "j": "Most builders do not fail by month 180, and three things decide it. First, the largest builder plays on"
    " Oracle's books, with a legacy business of 20 US$bn a year that no builder of 1996 had: without it (an earlier"
    " run of 96 worlds) 0.73 of the builders fail by month 180 instead of 0.36, since sites fall with their tenant."
    " The value stays as it is in the books: nothing in the calibration says what it was. Second, the month: up to"
    " month 240 it is 0.72, but the later ones are sites whose leases end in months 180 to 207; the model lets no"
    " lease a second time at its end, so that they fail by construction. Third, the claim: in Portland 42% of the"
    " builders went bankrupt (calibration: oregon_fibre_builders_bankrupt), which is not most. Equipment is worth"
    " next to nothing when its owner fails, since builders hold out until 2004 and later, when the rent of old"
    " equipment no longer pays its running cost; in history they failed in 2001. Ultimate recovery, counted loan by"
    " loan, is 0.40 against the 0.47 of history: sites return some two thirds, Oracle a quarter, CoreWeave an eighth.",
}
"""Why a pattern came out as it did, by its id."""

AFTER_A_LOOK = (
    "a: after a first run of 1,000 worlds had given ratios from -14 to 59, the share of worlds that"
    " are one for one was added and the sentence rewritten; the rule for the verdict stayed (all"
    " worlds must be).",
    "d: the cost of sites was cash less debt at first; late halls then looked like a gain, since what"
    " is not built is not borrowed. It is rent not received now.",
    "i: thirds of the yearly cap alone showed nothing; thirds of all five parameters are shown"
    " instead. The verdict reads the first row, which did not change.",
    "j: month 180 was chosen after 32 worlds had shown that sites fail when their leases end. With"
    " month 240 the verdict on failures would be the opposite. Recovery was first what lenders lost on"
    " everybody, SoftBank included, over what builders owed (0.22); it is now what they got back on the"
    " builders' own called loans. The verdict does not read it.",
    "e, f: the judged rows are played in four times the worlds since a first run of 1,000 left both unclear;"
    " neither claim nor bound has changed.",
)
"""What about the way of measuring was chosen after results had been seen."""


# -- the page ------------------------------------------------------------------------------------------------


def write_page(findings, path):
    """Write the page to a file, with today's date and the explanations beside it in the repository."""
    today = datetime.date.today().isoformat()
    Path(path).write_text(page(findings, today, EXPLANATIONS), encoding="utf-8")


def page(findings, when, notes=None):
    """Give the findings as a page of Markdown; ``when`` is the date of the run, ``notes`` {id: explanation}."""
    first, notes = findings[0], notes or {}
    lines = [
        "# Patterns",
        "",
        "What the model was expected to show, written down before it was tried, and what it shows. No parameter was",
        "tuned to these results. The model is stylised and makes no statement about the solvency of any real firm.",
        "",
        f"Run on {when}: {first.worlds:,} paired worlds, seed {first.seed}, {first.months} months unless said"
        f" otherwise, version {first.version}. Again with `python run.py patterns --worlds {first.worlds}`.",
        "Intervals are 95%: Wilson's for shares of worlds, Newcombe's and Student's for paired differences. A row",
        "without luck has an interval of no width. Code: `scenarios/experiments/patterns.py`.",
        "",
        "| pattern | verdict | in a sentence |",
        "|---|---|---|",
        *(f"| [{each.id}](#pattern-{each.id}) | {each.verdict} | {each.sentence} |" for each in findings),
    ]
    seen = [
        told for told in AFTER_A_LOOK if set(told.split(":")[0].split(", ")) & {each.id for each in findings}
    ]
    if seen:
        lines += ["", "## Chosen after a first look", ""]
        lines += ["The claims were written beforehand; not everything about how they are measured was.", ""]
        lines += [f"* {told}" for told in seen]
    for each in findings:
        lines += [
            "",
            f"## Pattern {each.id}",
            "",
            f"*Claim:* {each.claim}",
            "",
            f"*Verdict:* **{each.verdict}.**",
        ]
        lines += [each.sentence]
        if each.id in notes:
            lines += ["", f"*Explanation:* {notes[each.id]}"]
        lines += ["", "| quantity | unit | effect | 95% interval |", "|---|---|---|---|"]
        for row in each.rows:
            sign = "+" if row.paired else ""
            lines.append(
                f"| {row.quantity} | {row.unit} | {row.value:{sign}.3g} | {row.low:.3g} to {row.high:.3g} |"
            )
    return "\n".join(lines) + "\n"
