"""Check a scenario file that a visitor gives: a text of up to 1 MB, read as data, with mistakes beside their lines.

The text is nobody's path and names no file of the server: it may extend a shipped scenario only.
"""

import re
import tempfile
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from scenarios.schema import LARGEST, BadInput, Problem, library, load, nearest_name

LONGEST_LINE = 5_000  # characters: no scenario needs a longer line, and reading some takes long
MOST_READ = 10_000  # lines of a file
MOST_PROBLEMS = 50  # that are told
DEEPEST = 30  # brackets or dots of a line
MOST_LINES = 400  # that are shown, around the mistakes
AROUND = 2


@dataclass(frozen=True)
class Checked:
    """What came of a file: the Scenario, or None, and the problems: [(line or 0, text)] in the order of lines."""

    name: str
    scenario: object
    problems: tuple

    def facts(self, text):
        """Give what the page shows: the name, whether it is good, and the lines around mistakes with these."""
        return {
            "name": self.name,
            "ok": self.scenario is not None,
            "title": self.scenario.title if self.scenario else "",
            "general": [words for line, words in self.problems if not line],
            "lines": _lines(text, [(line, words) for line, words in self.problems if line]),
        }


def check_upload(name, text) -> Checked:
    """Read and check a file's text; nothing is raised, whatever it holds."""
    name = _clean(name)
    refused = _refused(text)
    if refused:
        return Checked(name, None, (refused,))
    try:
        scenario = _load(name, text)
    except BadInput as error:
        places = Places(text)
        problems = [(places.of(problem), _words(problem)) for problem in error.problems[:MOST_PROBLEMS]]
        problems.sort(key=lambda each: each[0] or 0)
        more = len(error.problems) - len(problems)
        problems += [(0, f"… and {more} more")] if more > 0 else []
        return Checked(name, None, tuple(problems))
    return Checked(name, scenario, ())


def _refused(text):
    """Why a text is not even read: (line, words), or None."""
    if not isinstance(text, str):
        return 0, "This is not a text."
    size = len(text.encode("utf-8", "replace"))
    if size > LARGEST:
        return 0, f"{size / 1e6:,.1f} MB is too large for a scenario: at most {LARGEST / 1e6:g} MB."
    if "\0" in text or "\ufffd" in text:
        return 0, "This is a binary file, not a scenario: a scenario is a text in TOML."
    if text.count("\n") >= MOST_READ:
        return MOST_READ, f"A scenario has at most {MOST_READ:,} lines."
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            return number, f"This line has {len(line):,} characters: at most {LONGEST_LINE:,}."
        bare = re.sub(r"\"[^\"]*\"|'[^']*'|#.*", "", line)
        if max(bare.count("["), bare.count("{"), bare.partition("=")[0].count(".")) > DEEPEST:
            return number, "This line is nested too deeply."
    return None


def _load(name, text):
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise BadInput(Problem("", "", "not valid TOML: nested too deeply")) from None
    except ValueError as error:
        raise BadInput(Problem("", "", f"not valid TOML: {error}")) from None
    base = table.get("extends")
    if base is not None and base not in library():
        near = nearest_name(base, library()) if isinstance(base, str) else ""
        allowed = "the name of a shipped scenario"
        raise BadInput(Problem("", "extends", "not allowed", repr(base)[:60], allowed, nearest=near))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "uploaded.toml"
        file.write_text(text, encoding="utf-8")
        try:
            scenario = load(file)
        except BadInput as error:
            raise BadInput(*(replace(problem, file="") for problem in error.problems)) from None
    title = table.get("title") or Path(name).stem.replace("_", " ")
    return replace(scenario, name=Path(name).stem[:60] or "scenario", title=str(title)[:120])


def _clean(name):
    """The last part of a file's name, of harmless characters."""
    last = str(name).replace("\\", "/").rpartition("/")[2]
    return re.sub(r"[^\w .()-]", "_", last)[:80] or "scenario.toml"


def _words(problem):
    said = str(replace(problem, file=""))
    return re.sub(r" \(at (line \d+, column \d+|end of document)\)", "", said)


class Places:
    """Where a text says what: the line, from 1, of every key and table, read line by line."""

    def __init__(self, text):
        self.count, self.keys, self.tables = len(text.splitlines()), {}, {}
        inside, seen = "", {}
        for number, line in enumerate(text.splitlines(), 1):
            header = re.match(r"\s*(\[\[?)([^=]+?)\]\]?\s*(#.*)?$", line)
            if header:
                inside = _bare(header[2])
                if header[1] == "[[":
                    seen[inside] = seen.get(inside, 0) + 1
                    inside = f"{inside}[{seen[inside]}]"
                self.tables.setdefault(inside, number)
            elif "=" in line:
                key = _bare(line.partition("=")[0])
                self.keys.setdefault(f"{inside}.{key}" if inside else key, number)

    def of(self, problem):
        """Give the line that a Problem is about; 0 if it is about none.

        A mistake of TOML says its line itself; else it is that of its key, or of the table in which the key is missing.
        """
        said = re.search(r"at line (\d+)", problem.message)
        if said:
            return min(int(said[1]), self.count)
        key = _bare(problem.key)
        for name in (key, key.rpartition(".")[0]):
            found = self.keys.get(name) or self.tables.get(name)
            if name and found:
                return found
        return 0


def _bare(key):
    return re.sub(r"[\"'\s]", "", key)


def _lines(text, problems):
    """The lines around mistakes: [{number, text, problems}], with None where some are left out."""
    if not isinstance(text, str) or not problems:
        return []
    lines, told = text.splitlines(), {}
    for number, words in problems:
        told.setdefault(number, []).append(words)
    wanted = sorted(
        {near for number in told for near in range(number - AROUND, number + AROUND + 1)}
        & set(range(1, len(lines) + 1))
    )[:MOST_LINES]
    shown, last = [], 0
    for number in wanted:
        if number > last + 1:
            shown.append(None)
        shown.append({"number": number, "text": lines[number - 1][:300], "problems": told.get(number, [])})
        last = number
    return shown
