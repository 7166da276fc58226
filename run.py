"""The command line of Take or Pay: `python run.py --help`."""

import functools
import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="run.py",
    help="Who is paid, and who is ruined, when a lab that owns little debt has promised to pay for compute"
    " that others borrowed to build?",
    epilog="A stylised model for teaching and research. It makes no statement about the solvency of any real"
    " firm and is not investment advice.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of words.")]
ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="A name from `scenarios`, or a file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a parameter, as in openai.floor_share=0.5."),
]

Names = Annotated[
    str, typer.Option(help="Tell it under the scenario's own names, or archetype: names that are no firm's.")
]


def plainly(command):
    """Let a command end with exit status 2 and its message alone when the input was bad."""

    @functools.wraps(command)
    def wrapped(*arguments, **options):
        from model.opening import OpeningError
        from scenarios.schema import BadInput

        try:
            return command(*arguments, **options)
        except (BadInput, OpeningError) as error:
            sys.stdout.flush()
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(2) from None

    return wrapped


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
):
    if version:
        from scenarios.files import version as number

        print(number())
        raise typer.Exit
    if context.invoked_subcommand is None:
        run()
        print("Next: python run.py opening · scenarios · params · run growth_disappoints · --help")


@app.command()
@plainly
def run(
    scenario: ScenarioName = "baseline",
    worlds: Annotated[int, typer.Option(help="How many worlds: each has its own luck.")] = 256,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    sets: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="Directory for the files: new or empty.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of a run in --out.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the tables as CSV too.")] = False,
    world: Annotated[int, typer.Option(help="The world of which everything is kept.")] = 0,
    explained: Annotated[
        bool,
        typer.Option("--explain", help="Say how much of the headline is the equity window: four more runs."),
    ] = False,
    names: Names = "own",
    as_json: AsJson = False,
):
    """Play a scenario in many worlds: who fails, how likely, who first, and who bears the loss."""
    from scenarios.experiments.attribution import equity_share
    from scenarios.experiments.words import tell_equity_share
    from scenarios.files import Output
    from scenarios.simulate import simulate
    from scenarios.story import opening_facts, summary, tell_run

    chosen = _scenario(scenario, sets)
    cast, ours = _cast(chosen, names), out is None
    directory = _own_directory(chosen, seed, worlds, months) if ours else out
    with Output(directory, force=force, ours=ours) as output, _Progress() as progress:
        results = simulate(chosen, worlds, seed, months, story=world, progress=progress)
        output.write(results, csv=csv)
    facts = summary(results)
    if explained:
        with _Progress() as progress:
            facts["equity_share"] = equity_share(chosen, worlds, seed, months, progress=progress).facts()
    if as_json:
        _print_json(facts | {"files": str(directory), "digest": results.digest()})
    else:
        tell_run(_console(), facts, chosen, opening_facts(chosen), directory, cast=cast)
        if explained:
            tell_equity_share(_console(), facts["equity_share"], cast)


@app.command()
@plainly
def opening(
    scenario: ScenarioName = "baseline", sets: Overrides = None, names: Names = "own", as_json: AsJson = False
):
    """Show the books of month 0: who has promised what, and a balance sheet whose rows sum to zero."""
    from model.opening import read_opening
    from scenarios.story import opening_facts, tell_opening

    chosen = _scenario(scenario, sets)
    cast, facts = _cast(chosen, names), opening_facts(chosen)
    if as_json:
        _print_json(facts)
    else:
        tell_opening(_console(), facts, read_opening(chosen.opening), cast)


@app.command()
@plainly
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A name from `scenarios`, or a file.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another, or the same with --set.")],
    worlds: Annotated[int, typer.Option(help="How many worlds: each has the same luck in A and B.")] = 256,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Set a parameter in B alone."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print all rows with their intervals.")] = False,
    as_json: AsJson = False,
):
    """Compare two scenarios with the same luck: paired differences with 95% intervals."""
    from scenarios.experiments.compare import compare as compare_scenarios
    from scenarios.story import headline_facts, tell_comparison

    one, other = _scenario(first, None), _scenario(second, sets)
    with _Progress() as progress:
        found = compare_scenarios(one, other, worlds, seed, months, progress=progress)
    facts = found.facts()
    for side, scenario in (("first", one), ("second", other)):
        facts[side]["headline"] = headline_facts(scenario, months)
    if as_json:
        _print_json(facts)
    else:
        same = _cast(one) == _cast(other)
        tell_comparison(_console(), facts, everything, _cast(one) if same else None)


@app.command()
@plainly
def scenarios(as_json: AsJson = False):
    """List the scenarios that are shipped."""
    from scenarios.schema import library, load
    from scenarios.story import tell_scenarios

    shipped = [load(name) for name in library()]
    if as_json:
        names = ("name", "title", "paragraph", "sources", "tags", "extends", "opening", "params")
        _print_json(
            [{name: getattr(each, name) for name in names} | {"hash": each.hash()} for each in shipped]
        )
    else:
        tell_scenarios(_console(), shipped)


@app.command()
@plainly
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A scenario file, or a name from `scenarios`.")],
    as_json: AsJson = False,
):
    """Check a scenario file, and report every mistake in it at once."""
    from scenarios.schema import BadInput, load

    try:
        chosen = load(file)
    except BadInput as error:
        if not as_json:
            raise
        _print_json({"file": file, "ok": False, "problems": [vars(problem) for problem in error.problems]})
        raise typer.Exit(2) from None
    counts = {word: len(getattr(chosen, word)) for word in ("params", "events", "decisions", "checks")}
    if as_json:
        _print_json({"file": file, "ok": True, "problems": [], "hash": chosen.hash(), **counts})
    else:
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        print(f"{file} is a good scenario: {told}.")


@app.command()
@plainly
def params(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Only this group, such as openai.")] = "",
    as_json: AsJson = False,
):
    """List all parameters: unit, default, range, source."""
    from scenarios.schema import BadInput, Problem, default_vocabulary, nearest_name, opening_values
    from scenarios.story import tell_params, values_of

    vocabulary = default_vocabulary()
    groups = list(vocabulary.params)
    if group and group not in groups:
        message = f"no group of parameters is called {group!r}"
        near = nearest_name(group, groups)
        raise BadInput(Problem("", "", message, allowed="one of " + ", ".join(groups), nearest=near))
    rows = [row for row in vocabulary.rows if row["group"] == group or not group]
    of_agents = opening_values()
    if as_json:
        path = "{group}.{name}".format
        _print_json([row | {"path": path(**row), "agents": values_of(row, of_agents)} for row in rows])
    else:
        tell_params(_console(), rows, of_agents)


@app.command()
@plainly
def explain(
    scenario: ScenarioName = "baseline",
    measure: Annotated[str, typer.Option(help="A column of worlds.parquet, such as default:OpenAI.")] = (
        "default:OpenAI"
    ),
    worlds: Annotated[int, typer.Option(help="Worlds in each of the 64 runs.")] = 128,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    world: Annotated[
        int | None, typer.Option(help="The world of the cause card; default: the first hit.")
    ] = None,
    card_only: Annotated[
        bool, typer.Option("--card", help="Only the cause card, without the 64 runs.")
    ] = False,
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Attribute a measure to the drivers (exact Shapley values), and tell how it came about in one world.

    The cause card says what was missed and why, and which single change would have avoided it with the same luck.
    """
    from scenarios.experiments.attribution import attribute
    from scenarios.experiments.cause import cause_card, first_world
    from scenarios.experiments.counterfactual import play_changes
    from scenarios.experiments.words import tell_attribution, tell_card

    chosen, agent = _scenario(scenario, sets), measure.partition(":")[2] or "OpenAI"
    found = None
    if not card_only:
        with _Progress() as progress:
            found = attribute(chosen, measure, worlds, seed, months, progress=progress)
    if world is None:
        world = first_world(chosen, agent, worlds, seed, months) if found is None else found.first_world()
    card = cause_card(chosen, agent, world, seed, months)
    if card is not None:
        with _Progress() as progress:
            changed = play_changes(chosen, world, seed, months, progress=progress).facts(agent)
        card = card.facts() | {"counterfactuals": changed}
    if as_json:
        _print_json((found.facts() if found else {}) | {"card": card})
    elif found:
        tell_attribution(_console(), found.facts(), card, _cast(chosen))
    elif card:
        tell_card(_console(), card, _cast(chosen))
    else:
        print(f"{_cast(chosen).name(agent)} pays every bill in world {world}.")


@app.command()
@plainly
def figure1(
    scenario: ScenarioName = "baseline",
    worlds: Annotated[int, typer.Option(help="Worlds at each point of the grid.")] = 256,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    agent: Annotated[str, typer.Option(help="Whose default.")] = "OpenAI",
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Figure 1: default probability against the equity window, with the shipped point and its interval."""
    from scenarios.experiments.equity_window import figure_one
    from scenarios.experiments.words import tell_figure_one

    chosen = _scenario(scenario, sets)
    with _Progress() as progress:
        found = figure_one(chosen, worlds, seed, months, agent=agent, progress=progress)
    if as_json:
        _print_json(found.facts())
    else:
        tell_figure_one(_console(), found.facts(), _cast(chosen))


@app.command()
@plainly
def herding(
    scenario: ScenarioName = "baseline",
    weights: Annotated[
        list[float] | None,
        typer.Option(
            "--weight", metavar="SHARE", help="A weight on the largest builder's growth; repeat for more."
        ),
    ] = None,
    worlds: Annotated[int, typer.Option(help="Worlds at each weight.")] = 256,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Does a herd owe more, and fall together? From no weight on the largest builder's growth to all."""
    from scenarios.experiments.herding import WEIGHTS, herd
    from scenarios.experiments.words import tell_herding

    chosen = _scenario(scenario, sets)
    with _Progress() as progress:
        found = herd(chosen, weights or WEIGHTS, worlds, seed, months, progress=progress)
    if as_json:
        _print_json(found.facts())
    else:
        tell_herding(_console(), found.facts(), _cast(chosen))


@app.command()
@plainly
def headlines(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SCENARIO]...", help="Those to refresh; default: all.")
    ] = None,
    worlds: Annotated[int, typer.Option(help="Worlds of each run.")] = 256,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Work them out anew and write them: many minutes.")
    ] = False,
    as_json: AsJson = False,
):
    """Show what stands beside each scenario's default rate: figure 1's range, and the equity window's share."""
    from scenarios.experiments.headlines import PAGE, write_headlines
    from scenarios.experiments.words import tell_headlines
    from scenarios.headlines import STORE, stored

    if refresh:
        write_headlines(
            STORE, PAGE, worlds, seed, names=names or (), note=lambda words: typer.echo(words, err=True)
        )
    found = [each.facts() for each in stored().values()]
    if as_json:
        _print_json(found)
    else:
        tell_headlines(_console(), found)


@app.command()
@plainly
def sensitivity(
    scenario: ScenarioName = "baseline",
    measure: Annotated[str, typer.Option(help="A column of worlds.parquet, such as default:OpenAI.")] = (
        "default:OpenAI"
    ),
    samples: Annotated[
        int, typer.Option(help="Samples, a power of two: each runs once for each factor + 2.")
    ] = 64,
    worlds: Annotated[int, typer.Option(help="Worlds of each run.")] = 16,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="PATH=LOW:HIGH", help="A factor and its range; replaces the usual ten."
        ),
    ] = None,
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Give Sobol indices: how much of the uncertainty of a measure each parameter is."""
    from scenarios.experiments.sensitivity import parse_vary
    from scenarios.experiments.sensitivity import sensitivity as find
    from scenarios.experiments.words import tell_sensitivity

    chosen, factors = _scenario(scenario, sets), parse_vary(vary) if vary else None
    with _Progress() as progress:
        found = find(
            chosen,
            measure,
            samples,
            worlds,
            seed,
            months,
            factors=factors,
            progress=progress,
        )
    if as_json:
        _print_json(found.facts())
    else:
        tell_sensitivity(_console(), found.facts(), _cast(chosen))


@app.command()
@plainly
def sweep(
    scenario: ScenarioName = "baseline",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="PATH=LOW:HIGH:COUNT", help="A parameter to vary; two make a trap map."
        ),
    ] = None,
    measure: Annotated[
        str, typer.Option(help="A column of worlds.parquet, or 'any default'.")
    ] = "default:OpenAI",
    worlds: Annotated[int, typer.Option(help="Worlds at each point of the grid.")] = 200,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Play a scenario over a grid of parameters with the same luck: who fails where."""
    from scenarios.experiments.grid import parse_axes
    from scenarios.experiments.grid import sweep as find
    from scenarios.experiments.words import tell_sweep

    chosen, axes = _scenario(scenario, sets), parse_axes(vary or ["openai.floor_share=0:1:11"])
    with _Progress() as progress:
        found = find(chosen, axes, worlds, seed, months, measure=measure, progress=progress)
    if as_json:
        _print_json(found.facts())
    else:
        tell_sweep(_console(), found, _cast(chosen))


@app.command()
@plainly
def measures(
    scenario: ScenarioName = "baseline",
    worlds: Annotated[int, typer.Option(help="How many worlds: each has its own luck.")] = 64,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    at: Annotated[list[int] | None, typer.Option("--at", help="A month to show; repeat for more.")] = None,
    only: Annotated[str, typer.Option(help="Only this measure.")] = "",
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Show what a credit analyst expects: covers, walls, leverage, exposures, break-evens and more."""
    from scenarios.experiments.measures import take_measures
    from scenarios.experiments.words import tell_measures

    chosen = _scenario(scenario, sets)
    with _Progress() as progress:
        found = take_measures(chosen, worlds, seed, months, at or (12, 36, 60, 96), progress=progress)
    if as_json:
        _print_json(found.facts())
    else:
        tell_measures(_console(), found.facts(), only, _cast(chosen))


@app.command()
@plainly
def score(
    scenario: ScenarioName = "baseline",
    worlds: Annotated[int, typer.Option(help="How many worlds: each has its own luck.")] = 256,
    months: Annotated[int, typer.Option(help="How many months from January 2026 on, at most 240.")] = 96,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    agent: Annotated[str, typer.Option(help="Whose default is to be foretold; or anybody.")] = "OpenAI",
    sets: Overrides = None,
    as_json: AsJson = False,
):
    """Does stress warn? Score the stress index as a warning of defaults 6, 12 and 24 months ahead."""
    from scenarios.experiments.scoring import score as find
    from scenarios.experiments.words import tell_score

    chosen = _scenario(scenario, sets)
    with _Progress() as progress:
        found = find(chosen, worlds, seed, months, whose=agent, progress=progress)
    if as_json:
        _print_json(found.facts())
    else:
        tell_score(_console(), found.facts(), _cast(chosen))


@app.command()
@plainly
def patterns(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PATTERN]...", help="Such as a e; default: all.")
    ] = None,
    worlds: Annotated[int, typer.Option(help="Paired worlds in each run.")] = 1000,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    page: Annotated[
        Path | None, typer.Option(help="Write the results as a page of Markdown to this file.")
    ] = None,
    as_json: AsJson = False,
):
    """Try the patterns by which the model is judged: claims written down beforehand, each with a verdict."""
    from scenarios.experiments.patterns import find_patterns, write_page
    from scenarios.experiments.words import tell_patterns

    found = find_patterns(names or (), worlds, seed)
    if page is not None:
        write_page(found, page)
    if as_json:
        _print_json([each.facts() for each in found])
    else:
        tell_patterns(_console(), found)


@app.command()
@plainly
def honesty(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATTERN]...", help="Such as a e; default: those with a verdict."),
    ] = None,
    worlds: Annotated[int, typer.Option(help="Paired worlds in each run.")] = 128,
    seed: Annotated[int, typer.Option(help="The seed of all luck.")] = 1,
    page: Annotated[
        Path | None, typer.Option(help="Write the results as a page of Markdown to this file.")
    ] = None,
    as_json: AsJson = False,
):
    """Try the patterns again without each mechanism, and show which verdicts change. This takes long."""
    from scenarios.experiments.honesty import honesty as find
    from scenarios.experiments.honesty import write_page
    from scenarios.experiments.words import tell_honesty

    lines = find(names or (), worlds, seed, note=lambda name: typer.echo(f"without {name}", err=True))
    if page is not None:
        write_page(lines, page, worlds, seed)
    if as_json:
        _print_json([line.facts() for line in lines])
    else:
        tell_honesty(_console(), lines)


@app.command()
@plainly
def lessons(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[LESSON]...", help="Such as L3.")] = None,
    fresh: Annotated[
        bool, typer.Option("--refresh", help="Play every lesson with the seeds of a class. This takes long.")
    ] = False,
    as_json: AsJson = False,
):
    """Show what the lessons of the page ask, and what the model answered over the seeds of a class."""
    from scenarios.schema import BadInput, Problem, nearest_name
    from viz.answers import ranges, refresh, stored_answers
    from viz.lesson import lessons as shipped

    known = shipped()
    for key in keys or ():
        if key not in known:
            raise BadInput(
                Problem("", "lesson", "unknown", repr(key), nearest=nearest_name(key, list(known)))
            )
    if fresh:
        refresh(keys or (), note=lambda text: typer.echo(text, err=True))
    if as_json:
        _print_json({key: value for key, value in stored_answers().items() if key in (keys or known)})
        return
    for key in keys or known:
        lesson, found = known[key], ranges(known[key])
        print(f"{key}  {lesson.title} ({lesson.minutes} minutes)\n    {lesson.goal}")
        for name, answer in lesson.answers.items():
            span = found.get(name)
            told = ["not played as it is now: --refresh"]
            if span is not None:
                told = [answer.words(span.middle)]
                told += [f"({answer.words(span.low)} to {answer.words(span.high)})"] * (span.low < span.high)
            print(f"    {answer.title}: {' '.join(told)}")


def _scenario(name, sets):
    from scenarios.schema import load, parse_set

    chosen, given = load(name), parse_set(sets or ())
    return chosen.with_set(given) if given else chosen


@app.command(name="app")
def page(
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for a whole class.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="The port to listen at; 0 takes a free one.")] = 8765,
    show: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Processes that play worlds beside the server, of 0.4 GB each; 0 for none."
            " Without it: 1 with more than two processors, else 0.",
        ),
    ] = None,
):
    """Open the page: watch the stress emerge, move a lever, step into another world."""
    from viz.server import PortTaken, serve

    try:
        serve(host, port, show=show, workers=workers)
    except PortTaken as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from None


def _cast(scenario, names="own"):
    """Under what names and dates a scenario is told; BadInput for a word that is neither kind."""
    from scenarios.cast import NAMES, cast_of
    from scenarios.schema import BadInput, Problem

    if names not in NAMES:
        raise BadInput(Problem("--names", "", "not allowed", repr(names), "one of " + ", ".join(NAMES)))
    return cast_of(scenario, names)


def _own_directory(scenario, seed, worlds, months):
    """Where a run goes that was given no directory: one for each scenario, change, seed, and size."""
    changed = f"-{scenario.hash()[:6]}" if scenario.overrides else ""
    longer = f"-{months}m" if months != 96 else ""
    return Path("results") / f"{scenario.name}{changed}-seed{seed}-{worlds}w{longer}"


def _console():
    from rich.console import Console

    return Console(highlight=False)


def _print_json(value):
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


class _Progress:
    """A progress bar on the terminal's error stream, once the work has taken more than a second."""

    def __init__(self):
        self.bar, self.began = None, time.perf_counter()

    def __enter__(self):
        return self

    def __call__(self, done, total):
        """Show that ``done`` of ``total`` world-months are played."""
        if self.bar is None and time.perf_counter() - self.began > 1.0:
            self._start(total)
        if self.bar is not None:
            self.bar.update(self.task, completed=done)

    def _start(self, total):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        self.bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self.task = self.bar.add_task("Playing", total=total)
        self.bar.start()

    def __exit__(self, kind, error, trace):
        if self.bar is not None:
            self.bar.stop()


def main():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal without these letters shows question marks
    try:
        app()
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
