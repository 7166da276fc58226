"""How far a month is from its arithmetic: count every NumPy call of a month, and time as many without a model.

The modules of `agents` and `model` are read anew in a process of its own, with each operator, call and subscript
replaced by one that does the same and counts it when arrays are involved. What NumPy does inside one call is one
call; its elements are those of the largest array that goes in or comes out, none for a view. A compiled kernel is one
call too; its elements are those of all the blocks that it goes through, or the additions of a sparse sum.
"""

import ast
import operator
import os
import statistics
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader

import numpy as np
from numba.core.dispatcher import Dispatcher

from benchmarks.processes import clock, in_own_process

COUNTED = ("agents", "model")
COMPILED = (
    "agents.kernels",
    "model.kernels",
)  # how the names of modules of kernels begin, which are not rewritten
TALLY = "__tally__"
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.Invert: operator.invert,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
BY_NAME = {kind.__name__: function for kind, function in OPERATORS.items()}
OF_THE_FRAME = {"super", "locals", "globals", "vars"}  # they look at who calls them
ARRAYS = (np.ndarray, np.generic)
NUMBERS = (*ARRAYS, bool, int, float)


class Tally:
    """Does what operators, calls and subscripts do, and notes the NumPy calls: ``months`` of lists of elements.

    A view counts as a call on no elements.
    """

    def __init__(self):
        self.months = [[]]

    def next_month(self):
        """Begin the list of another month."""
        self.months.append([])

    def operate(self, name, *operands):
        """Apply an operator. Of our own classes it is a method that is counted where it computes."""
        result = BY_NAME[name](*operands)
        if all(isinstance(operand, NUMBERS) for operand in operands):
            self._note(result, operands)
        return result

    def call(self, function, /, *arguments, **options):
        """Call a function."""
        result = function(*arguments, **options)
        if _is_numpy(function):
            inputs = (*arguments, getattr(function, "__self__", None))
            self._note(result, inputs, _additions(function, arguments))
        return result

    def item(self, container, key):
        """Take an item."""
        result = container[key]
        if isinstance(container, ARRAYS):
            self._note(result, (container,), np.size(result))
        return result

    def change(self, container, values):
        """Give the values that a statement is about to put into a container or add to it."""
        if isinstance(container, np.ndarray):
            self.months[-1].append(np.size(values))
        return values

    def _note(self, result, inputs, elements=None):
        arrays, results = _arrays(inputs), _arrays((result,))
        if not arrays and not results:
            return
        if isinstance(result, np.ndarray) and any(np.may_share_memory(result, each) for each in arrays):
            elements = 0
        elif elements is None:
            elements = max(each.size for each in (*arrays, *results))
        self.months[-1].append(int(elements))


def _arrays(values):
    """The arrays among some values, and in the lists and tuples among them."""
    found = []
    for value in values:
        if isinstance(value, ARRAYS):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _arrays(value)
    return found


def _is_numpy(function):
    owner = getattr(function, "__self__", None)
    if isinstance(function, np.ufunc | Dispatcher) or isinstance(
        owner, (*ARRAYS, np.ufunc, np.random.Generator)
    ):
        return True
    return (getattr(function, "__module__", None) or "").startswith(("numpy", "scipy"))


def _additions(function, arguments):
    """The elements that a kernel goes through; None for what is not one."""
    if not isinstance(function, Dispatcher):
        return None
    if function.__name__ == "add_up":
        _, columns, _, block, _ = arguments
        return columns.size * block.shape[1]
    return sum(each.size for each in _arrays(arguments) if each.ndim > 1)


class Counting(ast.NodeTransformer):
    """Replaces operators, calls and subscripts by calls of a Tally."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return _of_tally(node, "operate", ast.Constant(type(node.op).__name__), node.left, node.right)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) or isinstance(node.operand, ast.Constant):
            return node
        return _of_tally(node, "operate", ast.Constant(type(node.op).__name__), node.operand)

    def visit_Compare(self, node):
        self.generic_visit(node)
        if len(node.ops) > 1 or type(node.ops[0]) not in OPERATORS:
            return node
        name = ast.Constant(type(node.ops[0]).__name__)
        return _of_tally(node, "operate", name, node.left, node.comparators[0])

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in OF_THE_FRAME:
            return node
        counted = _of_tally(node, "call", node.func, *node.args)
        counted.keywords = node.keywords
        return counted

    def visit_Subscript(self, node):
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        return _of_tally(node, "item", node.value, _index(node.slice))

    def visit_Assign(self, node):
        container = node.targets[0].value if isinstance(node.targets[0], ast.Subscript) else None
        again = None if container is None else ast.parse(ast.unparse(container), mode="eval").body
        self.generic_visit(node)
        if again is not None:
            node.value = _of_tally(node.value, "change", again, node.value)
        return node

    def visit_AugAssign(self, node):
        again = ast.parse(ast.unparse(node.target), mode="eval").body
        self.generic_visit(node)
        node.value = _of_tally(node.value, "change", again, node.value)
        return node

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node):
        return node  # an annotation computes nothing

    def visit_FunctionDef(self, node):
        annotation, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = annotation
        return node


def _of_tally(node, method, *arguments):
    function = ast.Attribute(ast.Name(TALLY, ast.Load()), method, ast.Load())
    return ast.copy_location(ast.Call(function, list(arguments), []), node)


def _index(node):
    """A subscript as an expression of its own: slices are made by the built-in ``slice``."""
    if isinstance(node, ast.Slice):
        ends = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.copy_location(ast.Call(ast.Name("slice", ast.Load()), ends, []), node)
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple([_index(each) for each in node.elts], ast.Load()), node)
    return node


class CountingLoader(SourceFileLoader):
    """Loads a module so that it counts; never from or into a cache."""

    tally = Tally()

    def get_code(self, fullname):
        tree = Counting().visit(ast.parse(self.get_data(self.path)))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)

    def exec_module(self, module):
        setattr(module, TALLY, self.tally)
        super().exec_module(module)


class CountingFinder(MetaPathFinder):
    """Finds the modules that are to count."""

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] not in COUNTED or name.startswith(COMPILED):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = CountingLoader(spec.loader.name, spec.loader.path)
        return spec


def count_calls(worlds, months):
    """Count the NumPy calls of each month: lists of elements, and the sum of stress as a proof of the same result.

    Only for a process of its own: it loads agents and model anew.
    """
    for name in list(sys.modules):
        if name.split(".")[0] in (*COUNTED, "scenarios"):
            del sys.modules[name]
    sys.meta_path.insert(0, CountingFinder())
    os.environ["CHECK_KERNELS"] = "1"  # so that kernels are numba's Dispatchers, which the Tally knows
    from benchmarks.months import new_model

    model = new_model(worlds, months)
    tally = CountingLoader.tally
    for _ in range(months):
        tally.next_month()
        model.step()
    return tally.months[1:], model.history.measure("stress.index").tolist()


def seconds_of_calls(calls, times):
    """Give the seconds of an empty month: an addition on arrays of the size of each call, a slice for each view."""
    arrays = {size: np.full(max(size, 1), 1.5) for size in set(calls)}
    plan = [(arrays[size], size == 0) for size in calls]
    add, everything, seconds = np.add, slice(None), []
    for _ in range(times):
        began = clock()
        for array, view in plan:
            if view:
                array[everything]
            else:
                add(array, array)
        seconds.append(clock() - began)
    return statistics.median(seconds)


def seconds_of_element(size=4096, times=2000):
    """Give the seconds of one addition within one NumPy call on arrays that fit the processor's nearest caches."""
    one, other, out, seconds = np.full(size, 1.5), np.full(size, 2.5), np.empty(size), []
    for _ in range(15):
        began = clock()
        for _ in range(times):
            np.add(one, other, out=out)
        seconds.append((clock() - began) / times / size)
    return statistics.median(seconds)


def by_turns(worlds, months, calls, times):
    """Measure, one after the other and several times over: a whole recorded run, an empty month, one element.

    Give the ms of a mean month, the ms of building, the ms of an empty month and the ns of an element of each turn.
    """
    from benchmarks.months import whole_run

    turns = []
    for _ in range(times):
        building, month = whole_run(worlds, months)
        turns.append((month, building, 1e3 * seconds_of_calls(calls, 15), 1e9 * seconds_of_element()))
    return turns


def against_floor(worlds, months, times):
    """Compare the mean month of a whole run with its arithmetic and with an empty month: medians of several turns."""
    counted, _ = in_own_process(count_calls, worlds, months)
    usual = sorted(counted, key=len)[len(counted) // 2]
    elements = statistics.mean(sum(calls) for calls in counted)
    turns = in_own_process(by_turns, worlds, months, usual, times)
    month, building, empty, element = (statistics.median(each) for each in zip(*turns, strict=True))
    return {
        "worlds": worlds,
        "months": months,
        "turns": times,
        "numpy_calls_per_month": statistics.mean(map(len, counted)),
        "of_which_views": statistics.mean(sum(size == 0 for size in calls) for calls in counted),
        "elements_per_month": elements,
        "ns_per_element": element,
        "ms_per_month": month,
        "ms_to_build": building,
        "ms_empty_month": empty,
        "ms_floor": 1e-6 * element * elements,
        "ratio_to_empty_month": statistics.median(turn[0] / turn[2] for turn in turns),
        "ratio_to_floor": statistics.median(1e6 * turn[0] / (turn[3] * elements) for turn in turns),
    }
