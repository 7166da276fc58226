"""Other books may have other names: who plays which part is asked of kinds, terms and contracts."""

import re

import numpy as np
import pytest

import model.assembly
from model import DebtTrapModel
from model.opening import LIBRARY, OpeningError, read_opening, read_values
from model.roles import LAB, SECTORS
from model.stress import MEASURES
from model.tape import Tape
from tests.properties import carried_by

BOOKS = "end_2025"
MONTHS, WORLDS = 24, 8
OPENING = read_opening(BOOKS)
NEW_NAMES = {
    party.name: f"Party {number}"
    for number, party in enumerate(OPENING.parties)
    if party.name not in (LAB, *SECTORS)
} | {contract.id: f"contract_{number}" for number, contract in enumerate(OPENING.contracts)}


def renamed(text, names):
    """Write other names into a text of books or values: as a whole string, a key, or the agent of a path."""
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
        text = re.sub(rf"(?m)(^|[{{,] ?){re.escape(old)} = ", rf'\1"{new}" = ', text)
        text = re.sub(rf'(path = "\w+)\.{re.escape(old)}\.', rf"\1.{new}.", text)
    return text


@pytest.fixture
def books_with(monkeypatch, tmp_path):
    """Let models start from the books with other names; each keeps its luck, which is drawn by name."""

    def read_with(names, books=None):
        for path in (f"{BOOKS}.toml", f"{BOOKS}_values.toml"):
            text = (LIBRARY / path).read_text(encoding="utf-8")
            text = books if books and "_values" not in path else renamed(text, names)
            (tmp_path / path).write_text(text, encoding="utf-8")
        monkeypatch.setattr(model.assembly, "read_opening", lambda name: read_opening(name, tmp_path))
        monkeypatch.setattr(model.assembly, "read_values", lambda name: read_values(name, tmp_path))
        old_names = {new: old for old, new in names.items()}

        class SameLuck(Tape):
            def uniform(self, stream):
                return Tape.uniform(self, of_old(stream))

            def normal(self, stream):
                return Tape.normal(self, of_old(stream))

        def of_old(stream):
            words = re.split(r"( \| |closing of )", stream)
            return "".join(old_names.get(word, word) for word in words)

        monkeypatch.setattr(model.assembly, "Tape", SameLuck)
        return read_opening(BOOKS, tmp_path)

    return read_with


def played():
    one = DebtTrapModel(WORLDS, 4, months=MONTHS)
    one.run_for(MONTHS)
    return one


@pytest.mark.parametrize(
    "names", [{"CoreWeave": "Neocloud"}, NEW_NAMES], ids=["one party", "all parties and contracts"]
)
def test_books_with_other_names_give_the_same_numbers(books_with, names):
    before = played()
    books = books_with(names)
    known = {line.name for line in books.parties} | {line.id for line in books.contracts}
    assert set(names.values()) <= known and not set(names) & known
    after = played()
    assert after.party_names == [names.get(name, name) for name in before.party_names]
    kept, moved = carried_by(before), 0
    for key, block in carried_by(after).items():
        assert np.array_equal(block, kept[key], equal_nan=True), key
        moved += block.size
    assert moved > 10_000 and after.ledger.cash.any()
    for name, series in before.history.pieces[0].measures.items():
        again = after.history.pieces[0].measures[name]
        assert np.array_equal(again.values, series.values, equal_nan=True), name
        assert again.agents == tuple(names.get(agent, agent) for agent in series.agents), name
    for name, measure in MEASURES.items():
        rows, again = (measure.take(one, one.ledger.flow) for one in (before, after))
        assert len(rows) == len(again), name
        for row, other in zip(rows.values(), again.values(), strict=True):
            assert np.array_equal(row, other, equal_nan=True), name


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('region = "MISO"\ncash = 0.3', 'region = "SPP"\ncash = 0.3', ("party", "'SPP'", "MISO")),
        ('cloud = "Amazon"', "", ("terms.cloud", "allowed: the name of a party")),
        ('site = "Abilene site company"\n', "", ("terms.site", "Abilene site company")),
        ('name = "OpenAI"', 'name = "Another lab"', ("party", "OpenAI")),
        ("holdings = 245.0", "", ("terms.holdings", "one party")),
    ],
)
def test_books_in_which_a_part_is_not_played_are_refused(tmp_path, old, new, words):
    text = (LIBRARY / f"{BOOKS}.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / f"{BOOKS}.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(OpeningError) as refused:
        read_opening(BOOKS, tmp_path)
    assert any(
        fault.startswith(f"{BOOKS}.toml: ") and all(word in fault for word in words)
        for fault in refused.value.faults
    ), refused.value.faults


PARTY = """
[[party]]
name = "{name}"
kind = "{kind}"
region = "{region}"
cash = 0.0
debt = 0.0
revenue = 1.0
capacity_gw = 1.0
source = "own assumption"
status = "assumed"
"""
MORE = (("Fifth", "hyperscaler", "PJM"), ("SPP", "utility", "SPP"), ("SPP commission", "commission", "SPP"))


def lines_of(text, label, **names):
    """The table of a party or contract in the text of the books, under other names."""
    tables = re.split(r"(?m)^(?=\[\[)", text)
    (table,) = [each for each in tables if re.search(rf'(?m)^(name|id) = "{re.escape(label)}"$', each)]
    return table, renamed(table, names)


def test_books_may_have_more_parties_and_sites(books_with):
    """One more hyperscaler, utility and commission, and a second site that is leased by others than the lab."""
    text = (LIBRARY / f"{BOOKS}.toml").read_text(encoding="utf-8")
    names = {"Meta site company": "Second site company"}
    names |= {
        line: f"{line}_2" for line in ("hyperion", "equity_hyperion", "asset_meta_site", "lease_hyperion")
    }
    for label in names:
        first, second = lines_of(text, label, **names)
        text = text.replace(first, first.rstrip("\n") + "\n\n" + second)
    text += "".join(PARTY.format(name=name, kind=kind, region=region) for name, kind, region in MORE)
    cash = OPENING.party("Rest of the world").cash
    second = OPENING.party("Meta site company").cash
    text = text.replace(f"cash = {cash}\n", f"cash = {cash - second:.1f}\n")
    books = books_with({}, text)
    assert sum(party.cash for party in books.parties) == pytest.approx(0.0, abs=1e-9)
    model = DebtTrapModel(WORLDS, 4, months=48, record=False)
    model.run_for(48)
    site, first = (model.sites.names.index(name) for name in ("Second site company", "Meta site company"))
    assert (model.sites.energised[site] == 2.06).all()
    assert (model.sites.rent_received[site] == model.sites.rent_received[first]).all()
    assert abs(model.ledger.cash.sum(axis=0)).max() < 1e-9
    assert model.ledger.residual.max() < 1e-9
    assert (model.utilities.price[model.utilities.names.index("SPP")] > 0.0).all()
    assert len(model.hyperscalers) == 5 and model.hyperscalers.capacity.shape == (5, WORLDS)
