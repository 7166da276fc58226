"""What single change would have avoided a default: the same world, the same luck, one thing changed.

All changes are played at once, as rows of one run that share a luck number and differ in one Param, or in one dated
event or decision that does not happen. A row's result depends on its own row alone, so that each equals a run of its
own with that change. What can be changed is a short list (`CHANGES`), in quarter steps from what is to a stated goal;
what is not on it is not tried, and the findings say how many were.

The definition of a counterfactual cause is that of Lewis (1973), "Causation", Journal of Philosophy 70: without the
change it happens, with it, everything else alike, it does not.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np

from model.history import NEVER
from scenarios.cast import Cast
from scenarios.experiments.grid import value_in
from scenarios.schema import default_vocabulary, split_path
from scenarios.simulate import simulate

STEPS = (0.25, 0.5, 0.75, 1.0)
"""How far a number is moved from its value in the scenario to the goal."""

OUTCOMES = ("default", "missed")
"""What is to be avoided, the gravest first."""

DECISION, LUCK = "decision", "luck"


@dataclass(frozen=True)
class Single:
    """One thing that can be changed: a Param and the ``goal`` up to which it is moved, in words with {value}, {before}.

    ``kind`` is "decision" for what somebody decides or signs, "luck" for what befalls everybody.
    """

    path: str
    goal: object
    words: str
    kind: str


CHANGES = (
    Single("openai.floor_share", 0.0, "{value} of compute paid for whether used or not, instead of {before}", DECISION),
    Single("openai.firming_limit", 0.0, "{value} of announced plans signed in a year, instead of {before}", DECISION),
    Single("halls.hall_term", 24, "halls promised for {value} instead of {before}", DECISION),
    Single("openai.renegotiation_cut", 0.6, "a price cut of {value} in need, instead of {before}", DECISION),
    Single("openai.non_compute_cash_cost", 5.0, "{value} of costs beside compute, instead of {before}", DECISION),
    Single("loan.lab_revolver", 100.0, "a credit line of {value} for OpenAI, instead of {before}", DECISION),
    Single("loan.lab_borrows", 1.0, "OpenAI borrows for {value} of its chips itself, instead of {before}", DECISION),
    Single("hyperscaler.co_investment_share", 1.0, "{value} of new loans replaced by cash", DECISION),
    Single("credit.loan_to_value", 0.4, "{value} lent on a site's value, instead of {before}", DECISION),
    Single("credit.sponsor_support", 1.0, "owners add up to {value} of their equity, instead of {before}", DECISION),
    Single("site_company.reserve_months", 12.0, "reserves for {value} of debt service, instead of {before}", DECISION),
    Single("site_company.cure_months", 24.0, "{value} to heal a breach, instead of {before}", DECISION),
    Single("site_company.covenants", False, "loans without covenants", DECISION),
    Single("equity_investors.yearly_cap", 150.0, "investors give up to {value}, instead of {before}", DECISION),
    Single("solvency.rescue", "public backstop", "the public pays in need", DECISION),
    Single("equity_investors.closing_hazard", 0.0, "investors stop {value} times a year, instead of {before}", LUCK),
    Single("credit.freeze_hazard", 0.0, "credit freezes {value} times a year, instead of {before}", LUCK),
    Single("credit.closing_probability", 1.0, "loans in talks signed with a chance of {value}, not {before}", LUCK),
    Single("site_company.slip_chance", 0.0, "sites slip with a chance of {value} a month, not {before}", LUCK),
    Single("power.queue_level", 0.3, "waits for a connection {value} as long as their stages, not {before}", LUCK),
    Single("power.price_level", 0.3, "power at {value} its cost", LUCK),
    Single("demand.growth_level", 2.0, "customers come {value} as fast", LUCK),
    Single("demand.uncertain", False, "demand without surprises", LUCK),
    Single("technology.breakthroughs_per_year", 0.0, "{value} breakthroughs a year, instead of {before}", LUCK),
    Single("compute_market.glut_hazard", 0.0, "compute turns into a glut {value} times a year, not {before}", LUCK),
)  # fmt: skip
"""What is tried, beside leaving out each dated event and decision of the scenario."""


@dataclass(frozen=True)
class Trial:
    """One change that is played: a Param at another value, or a dated event or decision that does not happen.

    ``step``: how far a number was moved towards its goal, 1.0 for what is either so or not. ``dated``: "events" or
    "decisions" of the scenario, and ``row`` and ``month`` which of them; "" for a Param.
    """

    sentence: str
    kind: str
    step: float
    path: str = ""
    value: object = None
    dated: str = ""
    row: int = -1
    month: int = 0

    @property
    def thing(self):
        """What is changed, whatever the step: the path of a Param, or which dated row."""
        return self.path or (self.dated, self.row)

    def words(self, cast=None):
        """The change in plain words, in the names and dates of a Cast."""
        cast = cast or Cast()
        return cast.rename(cast.tell(self.sentence.replace("{date}", cast.date(self.month))))


def trials_of(scenario, *, vocabulary=None) -> tuple[Trial, ...]:
    """Give the single changes that a scenario allows: of each Param the steps that differ from what it is."""
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    found = [trial for single in CHANGES for trial in _steps(scenario, single, vocabulary)]
    for row, event in enumerate(scenario.events):
        who = f" ({event.agent})" if event.agent else ""
        words = f"without the {event.kind.replace('_', ' ')} of {{date}}{who}"
        found.append(Trial(words, LUCK, 1.0, dated="events", row=row, month=event.month))
    for row, decision in enumerate(scenario.decisions):
        words = f"without the decision of {{date}} on the {split_path(decision.path)[2].replace('_', ' ')}"
        found.append(Trial(words, DECISION, 1.0, dated="decisions", row=row, month=decision.month))
    return tuple(found)


def things_in(trials):
    """Give how many different things are changed, whatever the steps."""
    return len({trial.thing for trial in trials})


def _steps(scenario, single, vocabulary):
    """The steps of one Param from what it is to its goal; none where its agents have values of their own."""
    group, _, name = split_path(single.path)
    param = vocabulary.params.get(group, {}).get(name)
    before = value_in(scenario, single.path, vocabulary=vocabulary) if param else None
    if before is None or before == single.goal:
        return
    if param.kind in ("choice", "flag"):
        yield Trial(single.words, single.kind, 1.0, single.path, single.goal)
        return
    known = {before}
    for step in STEPS:
        value = before + step * (single.goal - before)
        value = round(value) if param.kind == "whole" else float(f"{value:.6g}")
        if value not in known:
            known.add(value)
            shown = {key: _shown(each, param.unit) for key, each in (("value", value), ("before", before))}
            yield Trial(single.words.format(**shown), single.kind, step, single.path, value)


def _shown(value, unit):
    """A number with its unit, as it stands inside a sentence."""
    if unit.startswith("share") or unit in ("probability", "per month"):
        return f"{100.0 * value:.3g}%"
    if unit.startswith("US$bn"):
        return f"${value:.3g}bn{unit.removeprefix('US$bn')}"
    if unit in ("x", "multiple"):
        return f"{value:.3g} times"
    return f"{value:.3g} months" if unit == "months" else f"{value:.3g}"


# -- playing them --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """What one change does for one party: its ``month`` of the outcome with the change, None if it does not come.

    ``late``: the month in which a payment is 60 days late, None if none is; ``failed``: other firms in default with the
    change that are not without it; ``spared``: the other way round; ``loss``: what all holders write off more (less if
    negative), US$bn.
    """

    trial: Trial
    month: int | None
    late: int | None
    failed: tuple[str, ...]
    spared: tuple[str, ...]
    loss: float

    @property
    def avoids(self):
        """Whether it does not come, and no payment is late: a default that is only beyond the end is not avoided."""
        return self.month is None and self.late is None


@dataclass(frozen=True)
class Counterfactuals:
    """One world with every single change: ``month_of`` {outcome: ``(parties, 1 + trials)``}, column 0 as it was.

    A month is NEVER where the outcome does not come; ``loss`` ``(1 + trials,)``: written off by all holders, US$bn.
    """

    world: int
    seed: int
    months: int
    trials: tuple[Trial, ...]
    parties: tuple[str, ...]
    firms: tuple[str, ...]
    month_of: dict[str, np.ndarray]
    loss: np.ndarray

    def outcome_of(self, party):
        """Give (outcome, month) of the gravest that befalls a party in this world, or ("", 0)."""
        row = self.parties.index(party)
        for outcome in OUTCOMES:
            month = int(self.month_of[outcome][row, 0])
            if month < NEVER:
                return outcome, month
        return "", 0

    def in_trouble(self):
        """Give the firms that miss a payment or default in this world, the first to do so first."""
        found = [(self.outcome_of(firm), firm) for firm in self.firms]
        return tuple(firm for (outcome, month), firm in sorted(found, key=lambda each: each[0][1]) if outcome)

    def effects(self, party) -> tuple[Effect, ...]:
        """Give what each change does for a party, the most helpful first.

        Those that avoid the outcome come first, by how little is changed, then how few others fail, then losses; the
        others follow by how long they put it off.
        """
        outcome, _ = self.outcome_of(party)
        if not outcome:
            return ()
        found = [self._effect(party, outcome, at) for at in range(len(self.trials))]
        return tuple(
            sorted(
                found,
                key=lambda each: (
                    not each.avoids,
                    -(each.month or NEVER),
                    each.trial.step,
                    len(each.failed) - len(each.spared),
                    each.loss,
                ),
            )
        )

    def avoided_by(self, party) -> tuple[Effect, ...]:
        """Give, of each thing that can be changed, the smallest step that avoids what befalls a party."""
        smallest = {}
        for effect in self.effects(party):
            if effect.avoids:
                smallest.setdefault(effect.trial.thing, effect)
        return tuple(smallest.values())

    def put_off_by(self, party) -> Effect | None:
        """Give the change that puts it off longest without avoiding it, or None if none puts it off."""
        _, month = self.outcome_of(party)
        later = [each for each in self.effects(party) if not each.avoids and (each.month or NEVER) > month]
        return later[0] if later else None

    def things(self):
        """How many different things were tried, whatever the steps."""
        return things_in(self.trials)

    def words(self, party, cast=None, most=3):
        """What would have avoided it, in a sentence or two; the smallest steps first."""
        cast, found = cast or Cast(), self.avoided_by(party)
        if found:
            told = "; or ".join(effect.trial.words(cast) for effect in found[:most])
            more = f" ({len(found)} of {self.things()} single changes tried would have done it)"
            return f"Would have been avoided by: {told}{more}."
        tried = f"None of the {self.things()} single changes tried would have avoided it"
        later = self.put_off_by(party)
        if later is None:
            return f"{tried}, or put it off."
        until = (
            f"until {cast.date(later.month)}" if later.month else f"but late since {cast.date(later.late)}"
        )
        return f"{tried}. What puts it off longest: {later.trial.words(cast)}, {until}."

    def facts(self, party):
        """What was found for a party as plain values, ready for JSON."""
        outcome, month = self.outcome_of(party)
        later = self.put_off_by(party)
        return {
            "agent": party,
            "world": self.world,
            "outcome": outcome,
            "month": month,
            "tried": self.things(),
            "avoided_by": [_facts(effect) for effect in self.avoided_by(party)],
            "put_off_by": _facts(later) if later else None,
            "words": self.words(party),
        }

    def _effect(self, party, outcome, at):
        """The effect of the change at a place, with who else fails or is spared by it."""
        row, default = self.parties.index(party), self.month_of["default"]
        month, late = (int(self.month_of[name][row, 1 + at]) for name in (outcome, "missed"))
        others = [firm for firm in self.firms if firm != party]
        fails = {firm: default[self.parties.index(firm), [0, 1 + at]] < NEVER for firm in others}
        return Effect(
            self.trials[at],
            None if month >= NEVER else month,
            None if late >= NEVER else late,
            tuple(firm for firm, (without, with_it) in fails.items() if with_it and not without),
            tuple(firm for firm, (without, with_it) in fails.items() if without and not with_it),
            float(self.loss[1 + at] - self.loss[0]),
        )


def _facts(effect):
    trial = asdict(effect.trial)
    del trial["sentence"]
    return trial | {
        "words": effect.trial.words(),
        "month": effect.month,
        "late": effect.late,
        "failed": list(effect.failed),
        "spared": list(effect.spared),
        "loss": effect.loss,
    }


def play_changes(scenario, world=0, seed=1, months=96, *, progress=None, vocabulary=None) -> Counterfactuals:
    """Play one world (``world`` is its luck number) as it was and with every single change; one run of many rows.

    ``progress(done, total)`` is called after each month; what it raises ends the run. Raises as ``simulate``.
    """
    vocabulary = vocabulary or scenario.vocabulary or default_vocabulary()
    trials = trials_of(scenario, vocabulary=vocabulary)
    rows = 1 + len(trials)
    table = {"world": np.full(rows, world, dtype=np.int64)}
    for at, trial in enumerate(trials, 1):
        if trial.path:
            own = value_in(scenario, trial.path, vocabulary=vocabulary)
            column = table.setdefault(trial.path, [own] * rows)
            column[at] = trial.value
    results = simulate(
        _without(scenario, trials), table, seed, months, chunk=rows, story=None, progress=progress,
        vocabulary=vocabulary,
    )  # fmt: skip
    piece = results.pieces[0]
    return Counterfactuals(
        world=int(world),
        seed=results.seed,
        months=results.months,
        trials=trials,
        parties=tuple(piece.parties),
        firms=tuple(piece.firms),
        month_of={outcome: piece.outcomes[outcome] for outcome in OUTCOMES},
        loss=piece.outcomes["loss"].sum(axis=0),
    )


def _without(scenario, trials):
    """The scenario whose dated events and decisions happen in all rows but the one that tries to do without."""
    left_out = {(trial.dated, trial.row): at for at, trial in enumerate(trials, 1) if trial.dated}

    def masked(dated):
        for row, each in enumerate(getattr(scenario, dated)):
            mask = np.ones(1 + len(trials), dtype=bool)
            mask[left_out[dated, row]] = False
            yield replace(each, mask=mask)

    return replace(scenario, events=tuple(masked("events")), decisions=tuple(masked("decisions")))
