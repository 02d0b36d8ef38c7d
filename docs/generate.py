"""Write the parts of the documentation that the code decides.

    python docs/generate.py            write them
    python docs/generate.py --check    name the files that are not current; exit code 1 if there are any

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a key of
`PARTS`. The JSON schemas in `docs/schemas` are generated as a whole.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import typer
from fastapi.routing import APIRoute

from mien import errors
from mien.access.scopes import MEANINGS
from mien.cli import exits
from mien.cli.main import app
from mien.cli.schema import schemas
from mien.convert.table import CONVERTERS
from mien.core.columns import COLUMNS
from mien.models.table import FAMILIES
from mien.packs.builtin import builtin_manifests, builtin_sets
from mien.server.app import make_app
from mien.server.plans import has_plan, plan_of
from mien.server.status import status_of
from mien.serving import Serving
from mien.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- generated: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
PAGES = ("README.md", "README.zh-CN.md", "docs/**/*.md")


def columns() -> str:
    """The column table."""
    rows = [
        (f"`{c.name}`", _shape(c.shape), c.dtype, c.unit, c.meaning, "yes" if c.export else "no")
        for c in COLUMNS
    ]
    return _table(("column", "shape", "dtype", "unit", "meaning", "in CSV and JSON"), rows)


def packs() -> str:
    """Every shipped pack with its terms."""
    rows = []
    for pack in builtin_manifests().values():
        licence = pack.licence
        size = sum(source.bytes for source in pack.sources) / 1e6
        use = "yes" if licence.commercial else "**no**"
        terms = f"[{licence.name}]({licence.url}). {licence.note}"
        rows.append((f"`{pack.name}`", pack.summary, f"{size:.1f} MB", terms, use, pack.origin.training_data))
    return _table(("pack", "what it is", "source files", "licence", "commercial use", "trained on"), rows)


def sets() -> str:
    """Sets, and the order of preference per column."""
    found = builtin_sets()
    first = _table(("set", "packs"), [(f"`{name}`", _codes(members)) for name, members in found.sets.items()])
    second = [(f"`{column}`", _codes(ranked)) for column, ranked in found.defaults.items()]
    return f"{first}\n\n{_table(('column', 'first installed of'), second)}"


def licences() -> str:
    """The short table of the README."""
    return _licences(("weights", "give", "licence", "commercial use", "by"), "yes", "**no**")


def licences_zh() -> str:
    """The same in Chinese."""
    return _licences(("权重", "提供的列", "许可证", "可否商用", "作者"), "可以", "**不可以**")


def threshold() -> str:
    """Where "the same person" begins, for each embedder."""
    rows = [
        (f"`{pack.name}`", found.metric, f"{found.distance:g}", _rate(found.fmr), found.measured)
        for pack in builtin_manifests().values()
        if (found := pack.threshold)
    ]
    return _table(("embedder", "metric", "threshold", "FMR", "measured"), rows)


def families() -> str:
    """Families and converters that a manifest can name."""
    first = _table(("`family`", "code"), [(f"`{name}`", f"`{home}`") for name, home in FAMILIES.items()])
    second = _table(("`convert`", "code"), [(f"`{name}`", f"`{home}`") for name, home in CONVERTERS.items()])
    return f"{first}\n\n{second}"


def commands() -> str:
    """Every command with its arguments and options."""
    return "\n\n".join(
        part for name, command in walk(typer.main.get_command(app), "mien") for part in _help(name, command)
    )


def exit_codes() -> str:
    """What the process ends with."""
    return _table(("code", "meaning"), [(str(code), text) for code, text in exits.MEANINGS.items()])


def error_tree() -> str:
    """The classes by kinship, then one row for each."""
    kinds = list(_descendants(errors.MienError, 0))
    tree = "\n".join("    " * depth + kind.__name__ for kind, depth in kinds)
    rows = [
        (
            f"`{kind.__name__}`",
            f"`{kind.code}`",
            _sentence(kind),
            kind.default_hint,
            str(exits.exit_code(kind(""))) if depth else "",
            str(status_of(kind(""))),
        )
        for kind, depth in kinds
    ]
    table = _table(("class", "code", "meaning", "usual hint", "exit code", "HTTP"), rows)
    return f"```text\n{tree}\n```\n\n{table}"


def settings() -> str:
    """Every field of Settings, as its docstring has it."""
    return _fields(Settings, "MIEN_", without=("server",))


def serving() -> str:
    """Every field of the table `[server]`."""
    return _fields(Serving, "MIEN_SERVER_")


def routes() -> str:
    """Every route of the server."""
    rows = []
    for route in planned():
        for method in sorted(route.methods):
            needs = plan_of(route).needs
            said = (route.endpoint.__doc__ or "").strip().split("\n")[0]
            rows.append((f"`{method} {route.path_format}`", "" if needs == "nobody" else needs, said))
    return _table(("route", "needs", "what it does"), rows)


def planned() -> list[APIRoute]:
    """The routes of the server that have plans, in the order in which they are written down."""
    made = make_app(load_settings(environ={}, store="memory"))
    return [one for one in made.api.routes if isinstance(one, APIRoute) and has_plan(one)]


def scopes() -> str:
    """What a key may do."""
    return _table(("scope", "allows to"), [(f"`{scope}`", text) for scope, text in MEANINGS.items()])


PARTS: dict[str, Callable[[], str]] = {
    "columns": columns,
    "packs": packs,
    "sets": sets,
    "licences": licences,
    "licences-zh": licences_zh,
    "threshold": threshold,
    "families": families,
    "commands": commands,
    "exit-codes": exit_codes,
    "errors": error_tree,
    "settings": settings,
    "serving": serving,
    "routes": routes,
    "scopes": scopes,
}


def walk(command: typer.core.TyperCommand, name: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """A command and all below it, with the words that one types."""
    yield name, command
    for word, below in getattr(command, "commands", {}).items():
        yield from walk(below, f"{name} {word}")


def options_of(command: typer.core.TyperCommand) -> list[typer.core.TyperOption]:
    """Options of Mien; --help and shell completion are Typer's and the same everywhere."""
    found = [p for p in command.params if p.param_type_name == "option"]
    return [p for p in found if not {"--help", "--install-completion", "--show-completion"} & set(p.opts)]


def wanted(root: Path) -> dict[Path, str]:
    """What every generated file under `root` should hold."""
    found = {
        root / "docs" / "schemas" / f"{name}.json": json.dumps(msgspec.json.schema(kind), indent=2) + "\n"
        for name, kind in schemas().items()
    }
    for pattern in PAGES:
        for page in sorted(root.glob(pattern)):
            text = page.read_text("utf-8")
            made = MARKED.sub(lambda part: f"{part[1]}{PARTS[part[2]]()}\n{part[4]}", text)
            if len(MARKED.findall(text)) != text.count("<!-- generated:"):
                raise SystemExit(f"{page}: a generated part has no end.")
            found[page] = made
    return found


def stale(root: Path) -> list[Path]:
    """Files that are not as the code would have them."""
    current = {path: path.read_text("utf-8") if path.exists() else None for path in wanted(root)}
    return [path for path, text in wanted(root).items() if current[path] != text]


def main(arguments: list[str]) -> int:
    """Write, or with --check only compare."""
    behind = stale(ROOT)
    if arguments == ["--check"]:
        for path in behind:
            print(f"{path.relative_to(ROOT)} is not current: run python docs/generate.py")
        return 1 if behind else 0
    for path, text in wanted(ROOT).items():
        if path in behind:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"{path.relative_to(ROOT)} is written")
    return 0


def _licences(header: tuple[str, ...], yes: str, no: str) -> str:
    sets = builtin_sets().sets
    rows = [
        (
            f"`{pack.name}`",
            _codes(pack.gives),
            f"[{pack.licence.id}]({pack.licence.url})",
            yes if pack.licence.commercial else no,
            pack.origin.authors,
        )
        for pack in map(builtin_manifests().__getitem__, sorted({*sets["starter"], *sets["open"]}))
    ]
    return _table(header, rows)


def _help(name: str, command: typer.core.TyperCommand) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = options_of(command)
    words = [name, *(["[OPTIONS]"] if options else []), *(_metavar(p) for p in arguments)]
    if hasattr(command, "commands"):
        words.append("COMMAND")
    yield f"## `{name}`"
    yield f"```text\n{' '.join(words)}\n```"
    yield command.help or ""
    rows = [(f"`{_metavar(p)}`", p.help or "", "") for p in arguments]
    rows += [(f"`{_spelled(p)}`", p.help or "", _given(p)) for p in options]
    if rows:
        yield _table(("argument or option", "meaning", "default"), rows)


def _spelled(option: typer.core.TyperOption) -> str:
    names = ", ".join(sorted(option.opts, key=len))
    return names if option.is_flag else f"{names} {_metavar(option)}"


def _given(option: typer.core.TyperOption) -> str:
    if option.required:
        return "required"
    return "" if option.is_flag or option.default in (None, "") else f"`{option.default}`"


def _metavar(parameter: typer.core.TyperOption | typer.core.TyperArgument) -> str:
    # Not Typer's own words for a missing metavar: they change with its version.
    return parameter.metavar or (parameter.name or "").upper()


def _descendants(kind: type[errors.MienError], depth: int) -> Iterator[tuple[type[errors.MienError], int]]:
    yield kind, depth
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _descendants(below, depth + 1)


def _sentence(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")


def _fields(kind: type[msgspec.Struct], prefix: str, without: tuple[str, ...] = ()) -> str:
    """The fields of a struct with their variables, as its docstring has them."""
    found = re.findall(r"^ {4}(\w+): (.+(?:\n {6,}.+)*)", inspect.getdoc(kind) or "", re.MULTILINE)
    meanings = dict(found)
    rows = []
    for field in msgspec.structs.fields(kind):
        if field.name in without:
            continue
        default = "your data folder" if field.name == "home" else _default(_value(field))
        meaning = re.sub(r"\s+", " ", meanings[field.name])
        rows.append((f"`{field.name}`", f"`{prefix}{field.name.upper()}`", default, meaning))
    return _table(("setting", "environment", "default", "meaning"), rows)


def _shape(shape: tuple[int | str, ...]) -> str:
    return "(" + ", ".join(map(str, ("n", *shape))) + ("," if not shape else "") + ")"


def _rate(fmr: float | None) -> str:
    return "not measured" if fmr is None else f"{fmr:.2%}"


def _value(field: msgspec.structs.FieldInfo) -> object:
    """What a field holds if nobody says anything."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _default(value: object) -> str:
    if value is None or value in ({}, ()):
        return "none"
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"`{value:_}`" if whole else f"`{value}`"


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
