"""What happens in the shown world, as flags on the months; and all worlds at a glance, as a strip."""

import numpy as np

from model.history import NEVER
from viz.specs import Strip, Timeline
from viz.views.reading import dates_of, default_of, first_month
from viz.views.standing import LAB, unpaid_of
from viz.words import capitalised, money, months, several

LABS_AND_SELLERS = ("rival_lab", "small_model_builder")
NOTABLE = 0.25  # log: a month's gain in efficiency from which on it is a breakthrough worth a flag
MOST_PER_KIND = 6  # flags of one kind, the first ones


def timeline(run, context):
    """Give the months with flags: what happened in the shown world, in words, in order."""
    flags = [flag for find in _FINDERS for flag in find(run, context)[:MOST_PER_KIND]]
    flags.sort(key=lambda flag: (flag["month"], _ORDER[flag["tone"]]))
    labels = [context.date(month) for month in range(run.months + 1)]
    return Timeline(run.months, labels, flags)


_ORDER = {"default": 0, "breach": 1, "strained": 2, "calm": 3, "ink": 4}


def _flag(month, party, kind, words, tone):
    return {"month": int(month), "party": party, "kind": kind, "words": words, "tone": tone}


def _missed(run, context):
    """The first bill that each party leaves unpaid."""
    story, unpaid = run.story, unpaid_of(run.story)
    found = []
    for at, party in enumerate(story.parties):
        month = first_month(unpaid[:, at] > 0.0)
        if month is not None and month < default_of(story, party):
            words = f"{capitalised(context.inside(party))} leaves {money(unpaid[month, at])} unpaid"
            found.append(_flag(month, party, "missed", words, "breach"))
    return sorted(found, key=lambda flag: flag["month"])


def _breaches(run, context):
    """The first covenant that each site company breaks."""
    sites, breached = run.story.state("breached")
    found = []
    for at, party in enumerate(sites):
        month = first_month(breached[:, at])
        if month is not None:
            found.append(
                _flag(
                    month,
                    party,
                    "breach",
                    f"{capitalised(context.inside(party))} breaks its covenant",
                    "breach",
                )
            )
    return found


def _defaults(run, context):
    """Legal defaults, in order."""
    when = run.outcome("default")[:, run.position]
    return [
        _flag(
            when[at],
            run.story.parties[at],
            "default",
            f"{capitalised(context.inside(run.story.parties[at]))} is in default",
            "default",
        )
        for at in np.argsort(when, kind="stable")
        if when[at] <= run.months
    ]


def _agreements(run, context):
    """Renegotiations and distressed exchanges, as the model's events tell them."""
    words = {
        "renegotiation": "sellers give {} a lower price",
        "distressed exchange": "{} agrees with its creditors to pay less or later",
    }
    return [
        _flag(
            event["month"],
            event["agent"],
            "agreement",
            capitalised(words[event["kind"]].format(context.inside(event["agent"]))),
            "strained",
        )
        for event in run.story_events
        if event["kind"] in words
    ]


def _replacements(run, context):
    """The first time that each owner orders new chips for halls that stand."""
    orders = [event for event in run.story_events if event["kind"] == "chips replaced"]
    first = {event["agent"]: event for event in reversed(orders)}
    return [
        _flag(
            event["month"],
            owner,
            "replacement",
            f"{capitalised(context.inside(owner))} orders new chips for halls that stand: {money(event['amount'])}",
            "calm",
        )
        for owner, event in sorted(first.items(), key=lambda each: each[1]["month"])
    ]


def _rescues(run, context):
    """The first public money that a party gets."""
    parties, public = run.story.state("public_money")
    found = []
    for at, party in enumerate(parties):
        month = first_month(public[:, at] > 0.0)
        if month is not None:
            found.append(
                _flag(
                    month,
                    party,
                    "rescue",
                    f"The public pays for {context.inside(party)}: {money(public[month, at])}",
                    "strained",
                )
            )
    return found


def _breakthroughs(run, context):
    """Large gains in efficiency, and who makes them; what leaks to others later is no flag."""
    story, found = run.story, []
    agents, efficiency = story.state("openai.efficiency")
    for group in LABS_AND_SELLERS:
        more, values = story.state(f"{group}.efficiency")
        agents, efficiency = agents + more, np.concatenate([efficiency, values], axis=-1)
    gone = np.array([[default_of(story, name) for name in agents]]) <= story.months[:, None]
    steps = np.where(gone, 0.0, np.diff(efficiency, axis=0, prepend=efficiency[:1]))
    for month in np.flatnonzero(steps.max(axis=1) > NOTABLE):
        gained = steps[month]
        first = [agents[at] for at in np.flatnonzero(gained > 0.8 * gained.max())]
        factor = float(np.exp(gained.max()))
        whose = "everybody" if len(first) > 2 else several([context.inside(name) for name in first])
        words = context.tell(f"A breakthrough: {whose} needs {factor:.1f} times less compute")
        found.append(_flag(month, first[0] if len(first) == 1 else "", "breakthrough", words, "ink"))
    return found


def _spells(run, name, begins, ends, kind, context, opens=True):
    """Flags where a yes/no State of a market changes: ``begins`` where it gets true, ``ends`` where it no longer is."""
    _, values = run.story.state(name)
    on = values[:, 0] > 0.5
    found = []
    for month in np.flatnonzero(on[1:] != on[:-1]) + 1:
        words = begins if on[month] else ends
        if words:
            found.append(_flag(month, "", kind, words, "strained" if on[month] is np.bool_(opens) else "ink"))
    return found


def _equity(run, context):
    """When investors stop and start to buy shares."""
    return _spells(
        run,
        "window_open",
        f"Investors buy shares of {context.word('Labs')} again",
        f"Investors stop buying shares of {context.word('Labs')}",
        "equity window",
        context,
        opens=False,
    )


def _credit(run, context):
    """When credit freezes and thaws."""
    return _spells(run, "credit.frozen", "Credit freezes", "Credit thaws", "credit", context)


def _glut(run, context):
    """When compute turns into a glut."""
    return _spells(
        run,
        "compute_market.glut",
        capitalised(context.tell("compute turns into a glut")),
        "",
        "glut",
        context,
    )


def _heat(run, context):
    """Summers in which heat strikes several regions or cuts the power of data centres: the first month of each."""
    regions, heat = run.story.state("utility.heat")
    cut = run.story.state("utility.curtailed")[1]
    shown, found = set(), []
    for month in np.flatnonzero((heat > 0.5).sum(axis=1) > len(regions) // 2):
        summer = (month - 1) // 12
        if summer not in shown:
            shown.add(summer)
            where = [context.inside(regions[at]) for at in np.flatnonzero(cut[month] > 0.0)]
            words = (
                f"Heat: power is cut in {several(where)}"
                if where
                else "A heat wave drives up the price of power"
            )
            found.append(_flag(month, "", "heat", words, "strained" if where else "ink"))
    return found


def _announced(run, context):
    """What the scenario says will happen: dated events that no other flag tells."""
    told = {"heat_wave", "equity_window", "credit_freeze", "breakthrough"}
    words = {
        "demand_shock": lambda event: (
            f"Customers want {abs(event.value):.0%} {'more' if event.value > 0 else 'less'}, from now on"
        ),
        "delay": lambda event: f"{capitalised(context.inside(event.agent))} is {months(event.value)} late",
        "chip_price": lambda event: context.tell(
            f"New chips cost {abs(event.value):.0%} {'more' if event.value > 0 else 'less'}"
        ),
    }
    return [
        _flag(event.month, event.agent or "", event.kind, words[event.kind](event), "ink")
        for event in run.scenario.events
        if event.month <= run.months and event.kind not in told and event.kind in words
    ]


_FINDERS = (
    _missed,
    _breaches,
    _defaults,
    _agreements,
    _replacements,
    _rescues,
    _breakthroughs,
    _equity,
    _credit,
    _glut,
    _heat,
    _announced,
)


# -- worlds -----------------------------------------------------------------------------------------------------------


def strip(run, context):
    """Give all worlds at a glance: when somebody first comes to legal default in each, who, and quick picks."""
    default = run.outcome("default")
    firms = [run.story.parties.index(name) for name in run.results.pieces[0].firms]
    first, count = default[firms].min(axis=0), (default[firms] < NEVER).sum(axis=0)
    lab = default[run.story.parties.index(LAB)]
    dates = dates_of(run)
    worlds = []
    for position, luck in enumerate(run.results.luck.tolist()):
        month = int(first[position])
        failed = month if month <= run.months else None
        if failed is None:
            words, tone = f"World {position}: nobody defaults", "calm"
        else:
            who = [context.name(run.story.parties[at]) for at in firms if default[at, position] == month]
            more = f"; {count[position]} fail in all" if count[position] > len(who) else ""
            words = f"World {position}: {several(who, 2)} in default in {dates[failed]}{more}"
            tone = "default" if lab[position] < NEVER else "breach"
        worlds.append({"position": position, "luck": luck, "failed": failed, "tone": tone, "words": words})
    return Strip(worlds, picks(run, context), _kinds(worlds, context))


def _kinds(worlds, context):
    """How many worlds end in which of three ways, for the key beneath the bars."""
    ways = (
        ("default", f"with {context.inside(LAB)}"),
        ("breach", "without"),
        ("calm", "nobody"),
    )
    counted = [(tone, words, sum(world["tone"] == tone for world in worlds)) for tone, words in ways]
    return [{"tone": tone, "words": f"{words} {count}"} for tone, words, count in counted if count]


def picks(run, context):
    """Give quick picks of worlds: [{key, words, position or None, sentence}]; None where there is no such world.

    Worlds are ranked by what all holders lose in them, then by peak stress: the median of that order, and its worst.
    """
    loss = np.concatenate([piece.outcomes["loss"] for piece in run.results.pieces], axis=-1).sum(axis=0)
    peak = np.concatenate([piece.peak_stress for piece in run.results.pieces])
    order = np.lexsort((np.arange(loss.size), peak, np.round(loss, 6)))
    found = [
        ("median", "median", int(order[(loss.size - 1) // 2]), "Half of the worlds lose more than this one"),
        ("worst", "worst", int(order[-1]), f"Where most is lost: {money(float(loss[order[-1]]))}"),
    ]
    default = run.outcome("default")
    for party in (LAB, "CoreWeave"):
        key = f"{party.lower()}_survives"
        safe = [int(at) for at in order if default[run.story.parties.index(party), at] >= NEVER]
        name = context.name(party)
        middle = safe[(len(safe) - 1) // 2] if safe else None
        sentence = (
            f"The median of {len(safe)} worlds in which {context.inside(party)} does not default"
            if safe
            else f"{name} defaults in every world"
        )
        found.append((key, f"{name} survives", middle, sentence))
    firms = [run.story.parties.index(name) for name in run.results.pieces[0].firms]
    first = default[firms].min(axis=0)
    earliest = int(first.argmin()) if first.min() <= run.months else None
    sentence = (
        f"The earliest default of all worlds: {dates_of(run)[int(first.min())]}"
        if earliest is not None
        else "Nobody defaults in any world"
    )
    found.append(("earliest", "earliest default", earliest, sentence))
    return [
        {"key": key, "words": words, "position": position, "sentence": sentence}
        for key, words, position, sentence in found
    ]
