"""The honesty test: does a verdict survive without a mechanism that somebody could have left out?

Every pattern is tried again with each mechanism of the model switched to its neutral value, in the same worlds with the
same luck. A verdict that changes hangs on that mechanism, and says so in the table.
"""

from dataclasses import asdict, dataclass

from scenarios.experiments.patterns import CHUNK, SEED, find_patterns

OMITTED = {
    "demand surprises": {"demand.uncertain": False},
    "competition for customers": {"demand.enabled": False},
    "efficiency breakthroughs": {"technology.enabled": False},
    "the pincer's cap on prices": {"technology.pincer": False},
    "diminishing returns to training": {"technology.frontier_arm": False},
    "economic value of chips": {"hardware.enabled": False},
    "movements of the rent": {"compute_market.enabled": False},
    "second use": {"compute_market.second_use": 0.0, "compute_market.second_use_growth": 0.0},
    "energy scarcity": {"power.enabled": False},
    "flexible load": {"utility.flexible_share": 0.0},
    "regimes of rates and credit": {"credit.enabled": False},
    "pricing of risk": {"loan_pricing.enabled": False},
    "owners' support at refinancing": {"credit.sponsor_support": 0.0},
    "an equity window that shuts": {"equity_investors.enabled": False},
    "renegotiation": {"openai.renegotiates": False},
    "new commitments": {"openai.commits": False},
    "extrapolation": {"openai.extrapolation_weight": 0.0},
    "renewal of contracts": {"compute_contract.renews": False},
}
"""Mechanism: what switches it off."""


@dataclass(frozen=True)
class Line:
    """The verdict on a pattern with everything on, and without one mechanism."""

    pattern: str
    omitted: str
    with_it: str
    without: str

    @property
    def changed(self):
        """Whether the verdict hangs on the mechanism."""
        return self.with_it != self.without

    def facts(self):
        """The line as plain values, ready for JSON."""
        return asdict(self) | {"changed": self.changed}


def honesty(names=(), worlds=128, seed=SEED, *, chunk=CHUNK, omitted=None, note=None):
    """Try patterns with everything on, and again without each mechanism; give a Line for each pair.

    ``omitted``: {name: {path: value}}, by default `OMITTED`; ``note(name)`` is called before each mechanism.
    """
    plain = find_patterns(names, worlds, seed, chunk=chunk)
    lines = []
    for name, off in (OMITTED if omitted is None else omitted).items():
        if note:
            note(name)
        for before, after in zip(
            plain, find_patterns(names, worlds, seed, chunk=chunk, off=off), strict=True
        ):
            lines.append(Line(before.id, name, before.verdict, after.verdict))
    return lines
