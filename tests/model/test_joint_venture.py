"""The venture of the lab and private equity: both readings and both directions, on the Ledger."""

import numpy as np
import pytest

from model import DebtTrapModel, Event
from scenarios.schema import Setting

SHUT = Event(3, "equity_window", None, False, None, {"months": 60})


def market(worlds=6, months=48, events=(), **params):
    params = {f"joint_venture.{name}": value for name, value in ({"enabled": True} | params).items()}
    return DebtTrapModel(worlds, 3, months, Setting(params=params, events=tuple(events)), record=False)


def paid(model, name):
    return model.ledger.flow[model.ledger.families[name].legs]


@pytest.mark.parametrize("direction", ["lab pays in", "funds pay in"])
@pytest.mark.parametrize("reading", ["data centre", "deployment"])
def test_the_venture_is_founded_once_and_hands_on_what_it_takes(reading, direction):
    model = market(reading=reading, direction=direction)
    venture, into, out, capital = model.joint_venture, 0.0, 0.0, 0.0
    for month in range(48):
        model.step()
        founded = paid(model, "venture capital")
        assert (founded > 0.0).any() == (month == 6)
        capital = capital + founded.sum(axis=0)
        into = into + founded.sum(axis=0) + paid(model, "venture fee").sum(axis=0)
        into = into + paid(model, "venture sales").sum(axis=0)
        out = out + paid(model, "venture distribution").sum(axis=0)
        out = out + paid(model, "venture investment").sum(axis=0)
    assert capital == pytest.approx(np.full(6, 5.5))
    lab = venture.capital[0] - venture.funds_paid_in[0]
    assert lab == pytest.approx(np.full(6, 1.5 if direction == "lab pays in" else 0.0))
    cash = model.ledger.cash[model.row("Joint venture")]
    assert cash == pytest.approx(into - out, abs=1e-9) and (cash >= -1e-9).all()
    assert model.ledger.residual.max() <= 1e-9


def test_the_guarantee_is_owed_by_the_lab_a_month_after_the_shortfall():
    model, before, owed = market(reading="deployment", market_yield=0.02), 0.0, 0.0
    venture = model.joint_venture
    for _ in range(48):
        model.step()
        billed = model.ledger.accrued[venture.guarantee.legs]
        alive = ~model.ledger.closed[model.row("OpenAI")]
        assert billed[0][alive] == pytest.approx(np.broadcast_to(before, (1, 6))[0][alive], abs=1e-12)
        before, owed = venture.shortfall, owed + billed.sum()
        most = venture.funds_paid_in * venture.guaranteed_return / 12.0
        assert (venture.shortfall <= most + 1e-12).all()
    assert owed > 0.0


def test_in_the_data_centre_reading_nothing_is_guaranteed():
    model = market(reading="data centre")
    for _ in range(24):
        model.step()
        assert (model.joint_venture.shortfall == 0.0).all()


def test_a_lien_takes_the_proceeds_of_the_labs_models_first():
    slump = Event(9, "demand_shock", None, -0.8, None)
    recovered = []
    for lien in (False, True):
        model, got = market(12, 48, (SHUT, slump), reading="deployment", ip_lien=lien), 0.0
        for _ in range(48):
            model.step()
            got = got + paid(model, "venture lien").sum()
        assert model.ledger.closed[model.row("OpenAI")].any()
        assert model.ledger.residual.max() <= 1e-9
        recovered.append(got)
    assert recovered[0] == 0.0 < recovered[1]
