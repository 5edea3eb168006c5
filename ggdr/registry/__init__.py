"""Name -> part, one registry a kind: a part registers itself, and is looked up, listed and suggested by name."""

import dataclasses
import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
import traceback
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType, UnionType
from typing import TYPE_CHECKING, ClassVar, get_args

from ggdr.errors import UserError
from ggdr.registry.capability import Capability, check, listed, of_duels

if TYPE_CHECKING:
    from ggdr.recipe import Recipe

__all__ = ["Capability", "Part", "Registry", "default_of", "discover", "listed", "of_duels", "origin"]
__all__ += ["part_class", "use"]

CLASS_VARIABLE = re.compile(r"^(\w+\.)?ClassVar\b")
"""annotations, as text, that a dataclass takes for no field"""


class Part:
    """Whatever a recipe composes: a dataclass whose fields are settings, found by its registered name."""

    name: ClassVar[str] = ""
    """registered name"""
    paper: ClassVar[str] = ""
    """arXiv number or DOI of the source; empty where there is none"""
    registry: ClassVar["Registry"]
    """the registry of its kind"""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    """what it reads from the networks; held against `provides` before a weight is allocated"""
    provides: ClassVar[frozenset[Capability]] = frozenset()
    """what it lets other parts read"""
    also: ClassVar[dict[str, str]] = {}
    """kinds of part among which people look for it too, such as "regularizer" -> why it is none of them"""

    def __init_subclass__(cls) -> None:
        """UserError if what the class requires or provides are no capabilities: a misspelt one would never be met."""
        check(cls, "requires")
        check(cls, "provides")

    def check_recipe(self, recipe: "Recipe") -> None:
        """UserError, one sentence with what to type instead, if it means nothing beside the recipe's other parts."""


def default_of(field: dataclasses.Field) -> object:
    """The default of a dataclass's field; dataclasses.MISSING if it has none."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def part_class(hint: object) -> type[Part] | None:
    """The base class of the parts that a field of this type holds; None: it holds none.

    Of a field for parts of several classes, which one registry holds, the first.
    """
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    found = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Part)]
    return found[0] if len(found) == len(kinds) else None


class Registry(dict[str, type[Part]]):
    """The parts of one kind, by name; parts of the package and of installed plug-ins are found at first need."""

    def __init__(self, kind: str, package: str):
        """`kind`: what messages call a part of it ("regularizer"). `package`: where its files lie."""
        super().__init__()
        self.kind, self.package = kind, package

    def register(self, name: str, paper: str = ""):
        """Class decorator: enter the class under `name`.

        UserError if the name is taken, there is no docstring, or what the class sets would not be its settings.
        """

        def add(cls):
            """The class itself, entered."""
            taken = self.get(name)
            if taken is not None and (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
                raise UserError(
                    f"{self.kind} {name!r} is taken by {taken.__module__}.{taken.__qualname__}; rename one."
                )
            if not (cls.__doc__ or "").strip() or cls.__doc__.startswith(f"{cls.__name__}("):
                raise UserError(f"{cls.__qualname__} needs a docstring: its first line is its entry in every list.")
            check_settings(cls)
            cls.name, cls.paper, cls.registry = name, paper, self
            self[name] = cls
            return cls

        return add

    def find(self, name: str) -> type[Part]:
        """The part called `name`; UserError with the nearest names if there is none."""
        if name not in self:
            discover()
        if name in self:
            return self[name]
        close = difflib.get_close_matches(name, self, n=2, cutoff=0.5)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        known = ", ".join(sorted(self))
        raise UserError(f"unknown {self.kind} {name!r}.{hint} Registered: {known}. One of your own: add --use FILE.py.")


def check_settings(cls: type) -> None:
    """UserError if fields of a part would silently stay those of its base: a dataclass reads its own annotations."""
    own = [field for field, kind in inspect.get_annotations(cls).items() if not CLASS_VARIABLE.search(str(kind))]
    if own and "__dataclass_params__" not in vars(cls):
        bases = [vars(base) for base in cls.__mro__ if "__dataclass_params__" in vars(base)]
        frozen = all(base["__dataclass_params__"].frozen for base in bases)
        decorator = f"@dataclass({'frozen=True, ' if frozen else ''}kw_only=True)"
        raise UserError(
            f"{cls.__qualname__} declares {', '.join(own)} but is no dataclass itself, so that they do not count: put"
            f" {decorator} between the line that registers it and `class {cls.__name__}`."
        )
    for field in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        given = vars(cls).get(field.name, field.default)
        if field.name not in own and given is not field.default and not inspect.isdatadescriptor(given):
            raise UserError(
                f"{cls.__qualname__}.{field.name} = {given!r} has no type, so that it does not count: write"
                f" {field.name}: {type(given).__name__} = {given!r}."
            )


generators = Registry("generator", "ggdr.networks")
discriminators = Registry("discriminator", "ggdr.networks")
encoders = Registry("encoder", "ggdr.networks")
projectors = Registry("projector", "ggdr.networks")
priors = Registry("prior", "ggdr.priors")
losses = Registry("loss", "ggdr.losses")
regularizers = Registry("regularizer", "ggdr.regularizers")
augmentations = Registry("augmentation", "ggdr.augment")
datasets = Registry("data set", "ggdr.data")
metrics = Registry("metric", "ggdr.metrics")
extractors = Registry("feature extractor", "ggdr.features")
games = Registry("game", "ggdr.games")
trackers = Registry("tracker", "ggdr.trackers")
callbacks = Registry("callback", "ggdr.callbacks")
optimizers = Registry("optimizer", "ggdr.optimizers")
schedules = Registry("schedule", "ggdr.schedules")

REGISTRIES: dict[str, Registry] = {
    "generators": generators,
    "discriminators": discriminators,
    "encoders": encoders,
    "projectors": projectors,
    "priors": priors,
    "losses": losses,
    "regularizers": regularizers,
    "augmentations": augmentations,
    "datasets": datasets,
    "metrics": metrics,
    "extractors": extractors,
    "games": games,
    "trackers": trackers,
    "callbacks": callbacks,
    "optimizers": optimizers,
    "schedules": schedules,
}


def origin(part: type[Part]) -> dict[str, str]:
    """Where a part comes from that is none of ggdr's: {"package": NAME} of an installed one, or {"file": NAME}.

    Empty for ggdr's own.
    """
    top = part.__module__.partition(".")[0]
    if top == "ggdr":
        return {}
    for entry in importlib.metadata.entry_points(group="ggdr"):
        if entry.module.partition(".")[0] == top and entry.dist is not None:
            return {"package": entry.dist.name}
    if packages := importlib.metadata.packages_distributions().get(top):
        return {"package": packages[0]}
    file = vars(sys.modules[part.__module__]).get("__file__") or f"{top}.py"
    return {"file": Path(file).name}  # its name alone: folders of this machine are nobody's business


def files_of_others() -> set[Path]:
    """The files, or folders of packages, that registered parts and are none of ggdr's."""
    names = {part.__module__.partition(".")[0] for registry in REGISTRIES.values() for part in registry.values()}
    modules = [sys.modules[name] for name in names - {"ggdr"} if name in sys.modules]
    files = [Path(module.__file__).resolve() for module in modules if module.__file__]
    return {file.parent if file.name == "__init__.py" else file for file in files}


@cache
def discover() -> None:
    """Import every file that may hold a part: the package's own folders, then the entry points of group `ggdr`."""
    import importlib.metadata  # here, since a quick --help has no use for it

    for package in {registry.package for registry in REGISTRIES.values()}:
        folder = importlib.import_module(package)
        for info in pkgutil.iter_modules(folder.__path__):
            importlib.import_module(f"{package}.{info.name}")
    for entry in importlib.metadata.entry_points(group="ggdr"):
        try:
            entry.load()
        except Exception as error:  # a broken plug-in must not break those who do not use it
            warnings.warn(f"plug-in {entry.name!r} ({entry.value}) could not be imported: {error}", stacklevel=2)


def use(file: str | Path) -> ModuleType:
    """Import a Python file by its path, so that what it registers is found and files beside it can be imported.

    UserError if there is no such file or its name is taken by another module.
    """
    path = Path(file).resolve()
    if not path.is_file() or path.suffix != ".py":
        what = "is a folder" if path.is_dir() else "is no Python file" if path.is_file() else "is not there"
        raise UserError(f"{str(file)!r} {what}{like(Path(file))}; give the path of a .py file.")
    if (known := sys.modules.get(path.stem)) is not None:
        if (own := vars(known).get("__file__")) and Path(own).resolve() == path:
            return known
        raise UserError(f"{str(file)!r}: a module {path.stem!r} is imported already; rename the file.")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[path.stem]
        raise UserError(f"{fault(path, error)}; fix it and type the same command.") from error
    return module


def like(missing: Path) -> str:
    """A question after the Python files in its folder, or among the recipes here, that are called nearly so."""
    places = {
        file.stem: file for folder in (missing.parent / "recipes", missing.parent) for file in folder.glob("*.py")
    }
    close = difflib.get_close_matches(missing.stem, places, 1)
    return f" (did you mean {str(places[close[0]])!r}?)" if close else ""


def fault(path: Path, error: Exception) -> str:
    """Where in the file at `path` an error arose, and what it says, in one line."""
    inside = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    line = error.lineno if isinstance(error, SyntaxError) else inside[-1] if inside else 1
    what = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return f"{path}, line {line}: {type(error).__name__}: {what.rstrip('.')}"
