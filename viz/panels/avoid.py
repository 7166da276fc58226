"""What would have avoided it: the shown world again, with the same luck and one single change at a time."""

import json
import threading
from collections import OrderedDict

import solara

from model.history import NEVER
from scenarios.cast import cast_of
from scenarios.experiments.counterfactual import OUTCOMES, play_changes, things_in, trials_of
from viz import words
from viz.components import Choice, Table
from viz.panels.form import form_of, placeholder
from viz.panels.work import of_session, work_of
from viz.specs import Table as TableSpec
from viz.specs import to_json

TITLE = "What would have avoided it"
SENTENCE = "The shown world again, same luck, one single change at a time"
WIDE = NEEDS_RUN = True
SAYS = {"default": "in default", "missed": "60 days late"}
KINDS = {"decision": "decision", "luck": "luck"}
KEPT = 60
_kept, _keeping = OrderedDict(), threading.Lock()


# -- data ----------------------------------------------------------------------------------------------------


def world_of(run):
    """Give what names the shown world of a run: its key and luck number."""
    return run.key, int(run.results.luck[run.position])


def found_of(run):
    """Give the Counterfactuals of the world that a run shows if they have been played, else None."""
    with _keeping:
        return _kept.get(world_of(run))


def compute_changes(run, report):
    """Play the world that a run shows with every single change: Counterfactuals, remembered for all visitors."""
    found = found_of(run)
    if found is None:
        key, luck = world_of(run)
        found = play_changes(run.scenario, luck, run.seed, run.months, progress=report)
        with _keeping:
            _kept[key, luck] = found
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    yield found


def in_trouble(run):
    """Give the firms that default in the shown world, or miss a payment for 60 days, the first to do so first."""
    parties, found = run.results.pieces[0].parties, []
    for firm in run.results.pieces[0].firms:
        months = [int(run.outcome(outcome)[parties.index(firm), run.position]) for outcome in OUTCOMES]
        if min(months) < NEVER:
            found.append((next(month for month in months if month < NEVER), firm))
    return [firm for _, firm in sorted(found)]


def changes_table(found, party, cast):
    """Give the Table of what each thing that can be changed does for a party, the most helpful first.

    Of what avoids it, the smallest step that does; else the step that puts it off longest; of what changes nothing,
    the whole way. The rows' trials come with it, so that one can be opened.
    """
    outcome, month = found.outcome_of(party)
    shown = {}
    for effect in found.effects(party):
        same = shown.get(effect.trial.thing)
        if same is None or same.month == effect.month == month:
            shown[effect.trial.thing] = effect
    rows = [
        [
            words.capitalised(effect.trial.words(cast)),
            KINDS[effect.trial.kind],
            _what_happens(effect, month, cast),
            _others(effect, cast),
            _losses(effect.loss),
        ]
        for effect in shown.values()
    ]
    columns = (
        ("Single change", "left"),
        ("Kind", "left"),
        (f"{words.capitalised(cast.name(party))} then", "left"),
        ("Other firms", "left"),
        ("Written off", "right"),
    )
    return TableSpec(
        key="avoided",
        headline=_headline(found, party, outcome, month, cast),
        label="The same world, the same luck. Of each change the smallest step, in quarters of the way, that avoids it;"
        " else the one that puts it off longest. A click plays it in the page",
        columns=[{"key": title, "title": title, "align": align, "unit": ""} for title, align in columns],
        frames=rows,
        static=True,
        alt=found.words(party, cast),
        clicks="change",
    ), [effect.trial for effect in shown.values()]


def _headline(found, party, outcome, month, cast):
    name = words.capitalised(cast.inside(party))
    avoided, things = found.avoided_by(party), found.things()
    was = f"{name} was {SAYS[outcome]} in {cast.date(month)}"
    if not avoided:
        return f"{was}: none of {things} single changes tried would have avoided it."
    return f"{was}: {len(avoided)} of {things} single changes tried would have avoided it."


def _what_happens(effect, month, cast):
    if effect.avoids:
        return {"text": "avoided", "tone": "calm"}
    if effect.month is None:
        return f"no default, but late since {cast.date(effect.late)}"
    if effect.month == month:
        return "no change"
    gap = words.months(abs(effect.month - month))
    return f"{gap} {'later' if effect.month > month else 'earlier'}: {cast.date(effect.month)}"


def _others(effect, cast):
    told = [f"{cast.name(firm)} is spared" for firm in effect.spared]
    told += [f"{cast.name(firm)} fails" for firm in effect.failed]
    return words.several(told, 2) if told else "as before"


def _losses(loss):
    return "as before" if abs(loss) < 5e-4 else f"{'+' if loss > 0 else ''}{words.money(loss)}"


def change_of(state, trial):
    """Give the fields of a state that change when one trial is played in the page."""
    if trial.path:
        return {"sets": state.with_set(trial.path, trial.value).sets}
    return {"without": state.with_left_out(trial.dated, trial.row).without}


def first_to_fail(run):
    """Give the position of the world in which a firm is first in default, None where none ever is."""
    firms = [run.results.pieces[0].parties.index(firm) for firm in run.results.pieces[0].firms]
    first = run.outcome("default")[firms].min(axis=0)
    return int(first.argmin()) if first.min() < NEVER else None


# -- the panel -----------------------------------------------------------------------------------------------


def begin(session, party=""):
    """Open the panel for a party of the shown world, and play the changes."""
    _asked(session).set(party)
    session.change(panel="avoid")
    _start(session)


def _asked(session):
    return of_session(session, "avoid asks", lambda: solara.Reactive(""))


def _start(session):
    run = session.seen.value.run

    def job(report):
        for found in compute_changes(run, report):
            yield world_of(run), found

    work_of(session, "avoid").start(job)


def played(session):
    """What the last finished work of a visitor was about, so that views can show it; None before the first."""
    result = work_of(session, "avoid").result.value
    return result and result[0]


@solara.component
def Panel(session):
    run = session.seen.value.run
    if in_trouble(run):
        Asked(session)
    else:
        Elsewhere(session, run)


@solara.component
def Elsewhere(session, run):
    """Where nobody fails there is nothing to ask; but in another world somebody may."""
    first = first_to_fail(run)
    with solara.Div(classes=["tp-blank"]):
        solara.Div(
            children=[f"In world {run.position} everybody pays to the end: there is nothing to avoid."]
        )
        if first is None:
            solara.Div(children=[f"Nobody defaults in any of the {run.worlds} worlds."])
        else:
            choice = {"label": "", "options": [], "action": "Show the world in which somebody fails first"}
            Choice(spec=json.dumps(choice), event_act=lambda *_: session.change(story=first))


@solara.component
def Asked(session):
    state, run = session.state.value, session.seen.value.run
    work, asked = work_of(session, "avoid"), _asked(session)
    cast, troubled = cast_of(run.scenario, state.names), in_trouble(run)
    party = asked.value if asked.value in troubled else troubled[0]
    found = found_of(run)
    things = found.things() if found else things_in(trials_of(run.scenario))
    spec = {
        "text": f"World {run.position} is played again with the same luck and one thing changed at a time: what"
        " somebody could have decided or signed, and what befell everybody. Each number is moved in quarters of the"
        " way to a stated goal; the smallest step that helps is shown.",
        "fields": [
            {
                "key": "party", "label": "Who", "value": party,
                "options": [{"value": firm, "title": words.capitalised(cast.name(firm))} for firm in troubled],
            }
        ],
        "action": f"Try {things} single changes",
        "refused": "",
        "note": "",
    }  # fmt: skip

    def change(message):
        if message.get("value") in troubled:
            asked.set(message["value"])

    drawn = solara.use_memo(
        lambda: changes_table(found, party, cast) if found else None,
        [found is None, world_of(run), party, state.names],
    )

    def play(item):
        session.change(**change_of(state, drawn[1][int(item.get("index", 0))]), panel="")

    with solara.Div():
        form_of(work, spec, change, lambda *_: _start(session))
        if drawn is not None:
            with solara.Div(classes=["tp-panelfigure"]):
                Table(spec=to_json(drawn[0]), event_pick=play)
        else:
            placeholder(
                "A row for each change will stand here: whether it avoids the failure, and what it costs others."
            )
