"""Why somebody missed a payment, breached a covenant or failed, told in one line: planted causes are named."""

import numpy as np
import pytest

from scenarios.cast import cast_of
from scenarios.experiments.cause_lines import (
    BREACH,
    DEFAULT,
    MISSED,
    cause_lines,
    dollars,
    keep_books,
)
from scenarios.schema import load
from scenarios.simulate import simulate

WORLDS = (1, 4, 28, 31)  # between them: arrears, breaches, defaults of OpenAI, partners and sites


@pytest.fixture(scope="module")
def told():
    """The lines of some worlds of the baseline, and its recorded results."""
    baseline = load("baseline")
    lines = {world: cause_lines(keep_books(baseline, world, 1, 96)) for world in WORLDS}
    return lines, simulate(baseline, list(WORLDS), 1, 96)


def test_there_is_a_line_for_every_recorded_miss_and_default_and_for_no_other(told):
    lines, results = told
    events = results.events_frame()
    for kind in (MISSED, DEFAULT):
        recorded = events[events["kind"] == kind]
        recorded = {(row.world, row.month, row.agent) for row in recorded.itertuples()}
        mine = {(w, line.month, line.party) for w in WORLDS for line in lines[w] if line.outcome == kind}
        assert mine == recorded
        assert mine


def test_the_amount_missed_is_the_recorded_one_and_what_is_due_is_paid_or_missed(told):
    lines, results = told
    events = results.events_frame()
    recorded = events[events["kind"] == MISSED].set_index(["world", "month", "agent"])["amount"]
    for world in WORLDS:
        for line in lines[world]:
            if line.outcome == MISSED:
                assert line.missed == pytest.approx(recorded[world, line.month, line.party], rel=1e-9)
                assert line.due == pytest.approx(line.cash + line.missed)
                assert line.cash < line.due


def test_a_breach_begins_in_the_month_that_is_recorded(told):
    lines, results = told
    breached, agents = results.measure("breached") > 0, results.measures["breached"].agents
    for position, world in enumerate(WORLDS):
        for row, site in enumerate(agents):
            found = [line.month for line in lines[world] if (line.party, line.outcome) == (site, BREACH)]
            begins = 1 + np.flatnonzero(np.diff(breached[:, row, position].astype(int), prepend=0) == 1)
            assert found == list(begins)


def test_changes_took_cash_and_come_largest_first(told):
    for line in (line for lines in told[0].values() for line in lines):
        amounts = [moved.amount for moved in line.changes]
        assert amounts == sorted(amounts) and all(amount < 0.0 for amount in amounts)
        assert len(amounts) <= 3


def test_words_say_who_how_much_when_and_why(told):
    line = next(line for line in told[0][28] if line.party == "OpenAI" and line.outcome == MISSED)
    words = line.words()
    assert words.startswith(f"OpenAI missed {dollars(line.missed)} in Feb 2029, because it had ")
    assert line.changes[0].words in words
    assert line.words(cast_of(load("baseline"), "archetype")).startswith("The lab missed")
    assert line.facts()["changes"][0]["what"] == line.changes[0].words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0.0, "$0m"),
        (1e-9, "$0m"),
        (-1e-9, "$0m"),
        (0.0044, "$4.40m"),
        (0.64, "$640m"),
        (0.9996, "$1.00bn"),
        (38.0, "$38.0bn"),
        (-2.5, "-$2.50bn"),
        (999.6, "$1.00tn"),
        (1400.0, "$1.40tn"),
    ],
)
def test_money_has_three_figures_and_a_unit(amount, words):
    assert dollars(amount) == words


# -- planted causes ----------------------------------------------------------------------------------------------

CALM = 'title = "Toy"\nparagraph = "p"\n[lab]\nrent = 2.6\n'
PLANTS = {
    "sales": '[[event]]\nmonth = {month}\nkind = "demand_shock"\nsize = -0.9\n',
    "rent": '[[decision]]\nmonth = {month}\ngroup = "lab"\nrent = 14.0\n',
}


@pytest.mark.parametrize("cause", PLANTS)
def test_a_hundred_planted_defaults_name_what_was_planted(cause, read, vocabulary):
    """The toy labs live until customers go away or the rent rises; that comes first among the changes."""
    calm, named, planted = read(CALM), 0, 0
    for world in range(25):
        before = cause_lines(keep_books(calm, world, 1, 60, vocabulary=vocabulary))
        failed = {line.party for line in before}
        for month in (19, 25):
            chosen = read(CALM + PLANTS[cause].format(month=month))
            lines = cause_lines(keep_books(chosen, world, 1, 60, vocabulary=vocabulary))
            for line in lines:
                if line.outcome == DEFAULT and line.party not in failed:
                    planted += 1
                    named += bool(line.changes) and line.changes[0].kind == cause
    assert planted >= 80
    assert named >= 0.95 * planted


def test_planted_luck_and_events_are_named_in_the_market_itself(tmp_path):
    """In worlds in which OpenAI pays every bill of the baseline."""
    plants = {
        "The equity window had been shut": '[[event]]\nmonth = 7\nkind = "equity_window"\nopen = false\nmonths = 60\n',
        "sales": '[[event]]\nmonth = 25\nkind = "demand_shock"\nsize = -0.9\n',
    }
    for cause, event in plants.items():
        file = tmp_path / "planted.toml"
        file.write_text(f'title = "Planted"\nparagraph = "p"\nextends = "baseline"\n{event}')
        planted = load(file)
        for world in (0, 2, 3):
            lines = cause_lines(keep_books(planted, world, 1, 72))
            first = next(line for line in lines if line.party == "OpenAI")
            named = [moved.kind for moved in first.changes] + [name for name, _ in first.luck]
            assert cause in named, (cause, world, first.words())
            if cause != "sales":
                assert dict(first.luck)[cause] == 7


def test_a_failed_payer_is_named(told):
    """World 28: OpenAI fails, and CoreWeave, which lived on its payments, has its loans fall due."""
    lines = [line for line in told[0][28] if line.party == "CoreWeave"]
    failed = next(line.month for line in told[0][28] if (line.party, line.outcome) == ("OpenAI", DEFAULT))
    assert lines
    for line in lines:
        (party, month, share), *_ = line.failed
        assert (party, month) == ("OpenAI", failed)
        assert 0.1 <= share <= 1.0
        assert "OpenAI, which had paid" in line.words()
