"""The documents say what the model is: they are up to date, name what exists, and no number is without a source."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import pytest

import agents
import model
from agents.worlds import declarations
from docs import generate
from docs.generate import CLASSES, DOCS, ROOT, calibration, cited, matching, opening_lines, phases

ODD = (DOCS / "ODD.md").read_text(encoding="utf-8")
PROSE = generate.BLOCK.sub("", ODD)
SUFFIXES = (".py", ".toml", ".md", ".csv")
PARAMS = declarations(CLASSES)
VALUES = generate.agent_values()["value"]
SOURCES = {f"{p['owner']}.{p['name']}": p["source"] for p in PARAMS} | {
    v["path"]: v["source"] for v in VALUES
}


def in_code_font(text):
    """What stands between backticks; indented equations are not names."""
    lines = [line for line in text.splitlines() if not line.startswith("    ")]
    return set(re.findall(r"`([^`\n]+)`", "\n".join(lines)))


def members():
    """Classes of agents/ and model/ by name, and the names of their functions."""
    classes, functions = {}, set()
    for package in (agents, model):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            classes |= {
                n: c for n, c in inspect.getmembers(module, inspect.isclass) if c.__module__ == info.name
            }
            functions |= {n for n, _ in inspect.getmembers(module, inspect.isfunction)}
    return classes, functions


def unknown_names(names):
    """Names that look like Class.member, group.param or one identifier, and are none of the model's."""
    classes, functions = members()
    paths = {f"{p['group']}.{p['name']}" for p in PARAMS}
    known = {*classes, *functions, *(p["group"] for p in PARAMS)}
    unknown = []
    for name in names:
        if re.fullmatch(r"[A-Z]\w+\.\w+", name):
            owner, member = name.split(".")
            found = owner in classes and hasattr(classes[owner], member)
        elif re.fullmatch(r"[a-z_]+\.[a-z_]+", name) and not name.endswith(SUFFIXES):
            found = name in paths
        elif re.fullmatch(r"[A-Za-z_]\w*", name):
            found = name in known
        else:
            continue
        unknown += [] if found else [name]
    return sorted(unknown)


def test_the_generated_documents_are_up_to_date():
    stale = [str(path.relative_to(ROOT)) for path in generate.stale()]
    assert not stale, f"run make docs: {', '.join(stale)}"


def test_emptied_blocks_are_filled_again_and_prose_is_left_alone():
    emptied = generate.BLOCK.sub(r"\1\3", ODD)
    assert emptied != ODD
    assert generate.odd(emptied) == generate.odd(ODD)
    assert generate.BLOCK.sub("", generate.odd(emptied)) == PROSE


def test_check_says_what_is_stale_and_writes_nothing(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("old", encoding="utf-8")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "documents", lambda: {page: "new"})
    assert generate.main(["--check"]) == 1
    assert page.read_text(encoding="utf-8") == "old"
    assert capsys.readouterr().out == "out of date: page.md\n"
    assert generate.main([]) == 0
    assert page.read_text(encoding="utf-8") == "new"
    assert generate.main(["--check"]) == 0


def test_the_documents_do_not_depend_on_the_process():
    """Sets and hashes must not reach the text."""
    program = "from docs.generate import documents; import hashlib; print(hashlib.sha256(repr(sorted("
    program += "(p.name, t) for p, t in documents().items())).encode()).hexdigest())"
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_every_name_in_the_odd_exists():
    names = in_code_font(PROSE)
    assert len(names) > 100
    assert not unknown_names(names)


@pytest.mark.parametrize(
    "name", ["OpenAI.forcast", "Clown.earn", "openai.flor_share", "circus.floor_share", "forcast"]
)
def test_a_name_that_does_not_exist_is_seen(name):
    assert unknown_names({name, "OpenAI.forecast", "openai.floor_share", "Firm"}) == [name]


def test_the_odd_has_the_phases_of_the_month_and_no_others():
    headings = re.findall(r"^### Phase (\d+)\. (\w+)$", PROSE, flags=re.MULTILINE)
    assert [(int(n), name.lower()) for n, name in headings] == [(n, name) for n, name, _, _ in phases()[1:]]
    assert [n for n, _, _, _ in phases()] == list(range(13))


@pytest.mark.parametrize("phase", phases()[1:], ids=lambda phase: phase[1])
def test_every_rule_of_a_phase_is_described_under_it(phase):
    number, _, _, lines = phase
    section = re.search(rf"^### Phase {number}\..*?(?=^###? )", PROSE, flags=re.MULTILINE | re.DOTALL)[0]
    rules = {rule for line in lines for rule in line}
    assert rules
    assert not rules - in_code_font(section)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)(#[\w-]+)?\)", text):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        headings = (
            re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE) if anchor else []
        )
        slugs = {"#" + re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, anchor


def test_the_odd_says_what_the_model_is_not():
    words = " ".join(ODD.replace("\n> ", " ").split())
    assert "no statement about the solvency of any real firm and is not investment advice" in words


@pytest.mark.parametrize(
    ("source", "keys", "lines"),
    [
        ("assumed", [], []),
        ("calibration: arr_per_gw / inference share 0.4", ["arr_per_gw"], []),
        ("calibration: a_b to c_d (360 to 881)", ["a_b", "c_d"], []),
        ("calibration: revolver, oracle_*; press 2025", ["revolver", "oracle_*"], []),
        ("opening: Google DeepMind (assumed, 1 to 2)", [], ["Google DeepMind"]),
        ("opening: lease_* (the code, section 5(b)(6))", [], ["lease_*"]),
        ("assumed; rental_decline (0.45) is per chip", [], []),
        ("press; calibration: one_key; opening: top_oracle", ["one_key"], ["top_oracle"]),
    ],
)
def test_what_a_source_cites(source, keys, lines):
    assert cited(source) == (keys, lines)


def test_every_calibration_key_that_a_source_cites_exists():
    everywhere = SOURCES | {name: line.source for name, line in opening_lines().items()}
    missing = {
        f"{at}: {k}" for at, s in everywhere.items() for k in cited(s)[0] if not matching(k, calibration())
    }
    assert not missing


def test_every_line_of_the_books_that_a_source_cites_exists():
    missing = {
        f"{at}: {n}" for at, s in SOURCES.items() for n in cited(s)[1] if not matching(n, opening_lines())
    }
    assert not missing


def test_a_source_is_a_citation_or_says_that_it_is_none():
    cites = ("calibration:", "opening:", "article:")
    silent = {f"{at}: {s}" for at, s in SOURCES.items() if not s.startswith(cites) and "assumed" not in s}
    assert not silent


def test_every_number_has_a_range_around_its_value():
    paths = {f"{p['group']}.{p['name']}": p for p in PARAMS if p["kind"] in ("number", "whole")}
    wrong = [
        path
        for path, p in paths.items()
        if not (p["low"] < p["high"] and p["low"] <= p["default"] <= p["high"])
    ]
    for value in VALUES:
        group, name = value["path"].split(".")[0], value["path"].split(".")[-1]
        low, high = value.get("range", (value["value"], value["value"]))
        param = paths.get(f"{group}.{name}")
        if param and not param["low"] <= low <= value["value"] <= high <= param["high"]:
            wrong.append(value["path"])
    assert not wrong


def test_an_assumed_value_has_a_range_unless_it_stands_at_a_bound():
    """A value at the end of what is allowed switches a limit off; any other assumption says how far it may be wrong."""
    bounds = {f"{p['group']}.{p['name']}": (p["low"], p["high"]) for p in PARAMS}
    silent = []
    for value in VALUES:
        group, *_, name = value["path"].split(".")
        at_a_bound = value["value"] in bounds[f"{group}.{name}"]
        silent += (
            [value["path"]]
            if "assumed" in value["source"] and "range" not in value and not at_a_bound
            else []
        )
    assert not silent


@pytest.mark.parametrize(
    ("source", "value", "word"),
    [
        ("assumed", 1.0, "assumed"),
        ("calibration: pue_ai", 1.2, "reported"),
        ("calibration: pue_ai", 1.3, "derived"),
        ("calibration: token_price_elasticity", 1.11, "reported"),
        ("calibration: arr_per_gw", 10.5, "derived"),
        ("calibration: pue_ai (assumed)", 1.2, "assumed"),
        ("opening: OpenAI", 40.0, "derived"),
    ],
)
def test_how_well_a_value_is_known(source, value, word):
    assert generate.standing(source, value)[0] == word


def test_the_assumptions_name_everything_that_is_not_reported():
    text = (DOCS / "assumptions.md").read_text(encoding="utf-8")
    doubtful = {name for name, line in opening_lines().items() if line.status != "reported"}
    doubtful |= {p["name"] for p in PARAMS if "assumed" in p["source"]}
    doubtful |= {v["path"] for v in VALUES if "assumed" in v["source"]}
    assert len(doubtful) > 200
    assert not {name for name in doubtful if f"`{name}`" not in text and f".{name}`" not in text}


def test_tables_escape_bars_and_numbers_are_short():
    assert generate.table(("a",), [("x | y",)]).splitlines()[-1] == "| x \\| y |"
    written = [generate.number(value) for value in (True, 3700.0, 0.063, {"a": 0.5}, [1, 2.5], "word")]
    assert written == ["yes", "3,700", "0.063", "a 0.5", "1, 2.5", "word"]
