"""Shell commands in notebooks: IPython goes on when one fails, so a report must hold none."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import TransformerManager

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = frozenset({"system", "system_raw", "system_piped", "getoutput", "getoutput_detail"})
MAGICS = frozenset(
    {
        "!",
        "sx",
        "sc",
        "system",
        "bash",
        "sh",
        "script",
        "perl",
        "ruby",
        "cmd",
        "pip",
        "conda",
        "mamba",
        "micromamba",
        "uv",
    }
    | {"cat", "cp", "ls", "ll", "mkdir", "mv", "rm", "rmdir"}
)


def shell_command(source: str) -> str:
    r"""Return what in a code cell runs a shell command, or nothing.

    Parameters
    ----------
    source
        The cell's code, with IPython's own syntax.

    Returns
    -------
    str
        The IPython call that would be made; empty where there is none. Code that cannot be parsed holds none: it
        fails by itself.

    Examples
    --------
    >>> shell_command("files = !ls")
    'getoutput'
    >>> shell_command("%%time\n!rm x")
    'system'
    >>> shell_command("%%bash\nfalse")
    '%bash'
    >>> shell_command("assert not 'text'.startswith('!')")
    ''
    """
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]  # IPython's
    except SyntaxError:
        return ""
    return next((found for node in ast.walk(tree) if isinstance(node, ast.Call) for found in _found(node)), "")


def _found(call: ast.Call) -> Iterator[str]:
    """Yield what runs a shell in a call of IPython, also inside a magic such as ``%time``."""
    if not isinstance(call.func, ast.Attribute) or "get_ipython" not in ast.dump(call.func.value):
        return
    texts = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if call.func.attr in CALLS:
        yield call.func.attr
    elif call.func.attr in {"run_line_magic", "run_cell_magic", "magic"} and texts:
        name = texts[0].split()[0] if texts[0] else ""
        if name in MAGICS:
            yield f"%{name}"
        for text in texts[1:]:
            if inner := shell_command(text):
                yield inner
