"""agents/ and model/ use only forms of arithmetic that give a world the same bits in every batch.

A line that is safe for a reason that this test cannot see says so: `# bit-safe: the reason`. `@` is safe when
a SciPy CSR matrix, or an Adder made of one, is on its left: a name that ends in `_matrix`, or one that stands
for nothing else wherever agents/ and model/ give it a value.

A compiled kernel is written in loops: it may compare, add, multiply and divide, and call nothing that a library of
mathematics computes but the square root, which every machine rounds alike; the compiler is never allowed to reorder
its arithmetic.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for folder in ("agents", "model") for path in (ROOT / folder).rglob("*.py"))

REDUCTIONS = {"sum", "mean", "std", "var", "average", "cov", "corrcoef", "trapezoid", "norm"}
REDUCTIONS |= {f"nan{name}" for name in ("sum", "mean", "std", "var")}
PRODUCTS = {"dot", "vdot", "inner", "matmul", "einsum", "tensordot", "vecdot"}
POWERS = {"power", "float_power", "pow"}
SCALAR_FUNCTIONS = {"exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "pow", "sin", "cos", "tanh"}
SPARSE_MAKERS = {"tocsr", "csr_matrix", "csr_array", "diags", "diags_array", "incidence"}
SPARSE_MAKERS |= {"Adder", "adder_into"}
IN_KERNELS = {"range", "min", "max", "abs", "len", "empty", "zeros", "sqrt"}
LOOSE = {"fastmath", "parallel"}
REASON = re.compile(r"# bit-safe: \S")


def forbidden_forms(source, file="code.py", known=frozenset()):
    """The forms in a file that are not bit-safe, as (line, message)."""
    lines, tree = source.splitlines(), ast.parse(source)
    found, sparse = [], _sparse_names(tree) | known
    parts = list(_compiled(tree, {"part_of_kernel", "njit"}))
    kernels = [*_compiled(tree, {"kernel"}), *parts]
    inside = {id(node) for kernel in kernels for body in kernel.body for node in ast.walk(body)}
    callable_there = IN_KERNELS | {part.name for part in parts}
    for node in ast.walk(tree):
        message = _objection(node, file, sparse)
        if id(node) in inside:
            message = message or _objection_in_a_kernel(node, callable_there)
        if message and not any(map(REASON.search, lines[node.lineno - 1 : node.end_lineno])):
            found.append((node.lineno, message))
    return sorted(found)


def _objection(node, file, sparse):
    match node:
        case ast.keyword(arg=name) if name in LOOSE:
            return f"no {name}: the compiler keeps the order of the arithmetic"
        case ast.Call(func=ast.Attribute() as function):
            return _objection_to_call(function)
        case ast.BinOp(op=ast.MatMult(), left=left) if not _is_sparse(left, sparse):
            return "`@` only with a SciPy CSR matrix on the left"
        case ast.AugAssign(op=ast.MatMult()):
            return "no `@=`"
        case ast.BinOp(op=ast.Pow(), left=left, right=right) if not _is_square(left, right):
            return "`**` only with a literal 2: write exp(exponent * log(base))"
        case ast.AugAssign(op=ast.Pow(), value=value) if not _is_number(value, 2):
            return "`**=` only with a literal 2"
        case ast.Call(func=ast.Name(id="pow")):
            return "no pow(): write exp(exponent * log(base))"
        case ast.Subscript(value=array, slice=ast.Tuple(elts=indices), ctx=ast.Load()) if _picks_worlds(
            indices
        ) and not _is_sparse(array, sparse):
            return "the result of x[:, index] is Fortran-ordered: np.take or np.compress"
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="random") if file != "tape.py":
            return "randomness only in the Tape"
        case ast.Import(names=names) if file != "tape.py" and any(
            name.name in {"random", "numpy.random"} for name in names
        ):
            return "randomness only in the Tape"
        case ast.ImportFrom(module="random" | "numpy.random") if file != "tape.py":
            return "randomness only in the Tape"
        case ast.ImportFrom(module="math", names=names) if SCALAR_FUNCTIONS & {name.name for name in names}:
            return "math's functions differ from NumPy's in the last bit"
    return None


def _compiled(tree, decorators):
    """Functions that are compiled, under `@kernel(...)` for rules to call, `@part_of_kernel(...)` for kernels."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(each, ast.Call) and ast.unparse(each.func) in decorators
            for each in node.decorator_list
        ):
            yield node


def _objection_in_a_kernel(node, callable_there):
    match node:
        case ast.BinOp(op=ast.Pow() | ast.MatMult()) | ast.AugAssign(op=ast.Pow() | ast.MatMult()):
            return "no powers or products of matrices in a kernel"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name not in callable_there:
            return f"a kernel calls no {name}()"
    return None


def _objection_to_call(function):
    of_math = isinstance(function.value, ast.Name) and function.value.id == "math"
    if of_math and function.attr in SCALAR_FUNCTIONS:
        return f"math.{function.attr} differs from NumPy's in the last bit"
    if function.attr in REDUCTIONS:
        return f"no {function.attr}(): it differs at one world; use total()"
    if function.attr in PRODUCTS:
        return f"no {function.attr}(): its bits depend on the width; use a SciPy CSR matrix"
    if function.attr in POWERS:
        return f"no {function.attr}(): write exp(exponent * log(base))"
    if (
        function.attr == "reduce"
        and isinstance(function.value, ast.Attribute)
        and function.value.attr == "add"
    ):
        return "no add.reduce(): it is the same as sum()"
    return None


def _is_sparse(node, sparse):
    match node:
        case ast.Attribute(value=inner, attr="T") | ast.Subscript(value=inner):
            return _is_sparse(inner, sparse)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in sparse
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.endswith("_matrix") or name in sparse
        case ast.BinOp(left=left, right=right):
            return _is_sparse(left, sparse) and _is_sparse(right, sparse)
        case ast.DictComp(value=value) | ast.ListComp(elt=value):
            return _is_sparse(value, sparse)
    return False


def _sparse_names(tree):
    """Names that the file gives to CSR matrices only, and its functions that return one."""
    sparse, given, size = set(SPARSE_MAKERS), _definitions(tree), 0
    while size < len(sparse):  # one name may be made from another
        size = len(sparse)
        sparse |= {name for name, values in given.items() if all(_is_sparse(each, sparse) for each in values)}
    return sparse


def _definitions(tree):
    given = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = zip(targets, values, strict=True)
            case ast.Assign(targets=targets, value=value):
                pairs = [(target, value) for target in targets]
            case ast.AnnAssign(target=target, value=value, annotation=annotation):
                pairs = [(target, value or annotation)]
            case ast.FunctionDef(name=name):
                returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
                pairs = [(ast.Name(id=name), each) for each in returned]
            case _:
                pairs = []
        for target, value in pairs:
            if isinstance(target, ast.Name | ast.Attribute):
                given.setdefault(getattr(target, "id", None) or target.attr, []).append(value)
    return given


def _is_number(node, *values):
    node = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(node, ast.Constant) and (node.value in values if values else True)


def _is_square(left, right):
    plain_two = isinstance(right, ast.Constant) and right.value == 2
    return plain_two or (_is_number(left) and _is_number(right))


def _picks_worlds(indices):
    """Whether the last index chooses several worlds; one that is called `world` chooses one."""
    whole = any(isinstance(index, ast.Slice) or _is_number(index, ...) for index in indices[:-1])
    last = indices[-1]
    named_axis = isinstance(last, ast.Attribute) and last.attr == "newaxis"
    one_world = isinstance(last, ast.Name) and last.id == "world"
    return whole and not (isinstance(last, ast.Slice) or _is_number(last) or named_axis or one_world)


PROJECT = _sparse_names(ast.parse("\n".join(path.read_text(encoding="utf-8") for path in FILES)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_uses_bit_safe_forms_only(path):
    found = forbidden_forms(path.read_text(encoding="utf-8"), path.name, PROJECT)
    assert not found, "\n".join(f"{path.relative_to(ROOT)}:{line}: {message}" for line, message in found)


@pytest.mark.parametrize(
    "code",
    [
        "x.sum(axis=0)",
        "np.sum(np.where(mask, x, 0))",
        "self.cash.mean(0)",
        "np.nanstd(x)",
        "np.linalg.norm(x)",
        "np.add.reduce(x)",
        "a @ b",
        "a_matrix_of @ b",
        "into = incidence(payee, 3) + np.ones((3, 3)); into @ b",
        "into = incidence(payee, 3); into = into.toarray(); into @ b",
        "a @= b",
        "np.dot(a, b)",
        "x.dot(y)",
        "np.einsum('ij,jk', a, b)",
        "x ** 0.5",
        "x ** exponent",
        "2 ** x",
        "x ** -2",
        "x **= 3",
        "pow(x, 2)",
        "np.power(x, 2)",
        "math.exp(x)",
        "from math import floor, log",
        "y = x[:, index]",
        "y = x[:, mask]",
        "y = x[..., [0, 3]]",
        "y = x[:, ~mask]",
        "y = x[:, x > 0]",
        "np.random.default_rng(1)",
        "import random",
        "from numpy.random import Philox",
        "x.sum(axis=0)  # bit-safe:",
        "x.sum(axis=0)  # quite safe",
        "f = njit(cache=True, fastmath=True)(g)",
        "@kernel(void, BLOCK)\ndef f(x): x[0] = math.floor(x[1])",
        "@kernel(void, BLOCK)\ndef f(x): x[0] = np.exp(x[1])",
        "@kernel(void, BLOCK)\ndef f(x): x[0] = x[1] ** 2",
        "@kernel(void, BLOCK)\ndef f(x): x[0] = helper(x[1])",
        "@kernel(void, BLOCK)\ndef f(x): pass\n@kernel(void, BLOCK)\ndef g(x): f(x)",
    ],
)
def test_an_unsafe_form_is_found(code):
    assert [line for line, _ in forbidden_forms(code)] == [1 + code.count("\n")]


@pytest.mark.parametrize(
    "code",
    [
        "total(x)",
        "sum(x.tolist())",
        "x.sum(axis=0)  # bit-safe: counts flags",
        "np.add.reduceat(x, starts)",
        "np.logical_or.reduce(x)",
        "self.into_matrix @ amount",
        "into_matrix.T @ amount",
        "into = incidence(payee, 3); net = into - into.T; self.net = net.tocsr(); self.net @ amount",
        "a, b = incidence(payee, 3), np.ones(3); a @ b",
        "inflow: sp.csr_matrix; stage.inflow @ amount",
        "outs = {k: into_matrix[:, legs].tocsr() for k in kinds}; outs[kind] @ amount",
        "x[:, world]",
        "x ** 2",
        "2 ** 62",
        "2.0 ** -53",
        "np.exp(exponent * np.log(base))",
        "math.isfinite(x)",
        "math.sqrt(2)",
        "x[:, index] = 0.0",
        "x[index, :]",
        "x[..., row, :]",
        "x[:, 0]",
        "x[:, -1]",
        "x[:, np.newaxis]",
        "x[..., None]",
        "x[:, 1:]",
        "x[agent, index]",
        "def f() -> tuple[int, Param]: ...",
        "np.take(x, index, axis=-1)",
        "@kernel(void, BLOCK)\ndef f(x): x[0] = max(x[1], 0.0) / x[2]",
        "@part_of_kernel(void, BLOCK)\ndef f(x): pass\n@kernel(void, BLOCK)\ndef g(x): f(x)",
    ],
)
def test_a_safe_form_passes(code):
    assert forbidden_forms(code) == []


def test_randomness_is_allowed_in_the_tape_alone():
    assert forbidden_forms("np.random.Philox(key=key)", "tape.py") == []
    assert forbidden_forms("np.random.Philox(key=key)", "ladder.py") != []
