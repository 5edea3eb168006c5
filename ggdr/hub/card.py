"""Model cards: the README.md of a model on the Hub, rendered from recipe, log and records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ggdr.errors import check_licence
from ggdr.hub.bibliography import ARXIV
from ggdr.hub.facts import Facts, facts_of, facts_of_recipe
from ggdr.hub.markdown import escape
from ggdr.hub.parts import papers, pieces
from ggdr.hub.results import TASKS, Result, model_index, results_in
from ggdr.hub.sections import opening, sections_of
from ggdr.recipe.about import Description

UNKNOWN = "unknown"
"""what the Hub calls a licence that nobody has chosen"""


def card_of(folder: Path, repo_id: str | None = None, *, license: str = "", about: Description | None = None) -> str:
    """The card of a run, a checkpoint or a saved model in `folder`, for the repository "org/name".

    `license`: of the weights, as the Hub writes it ("cc-by-nc-4.0"); empty: the recipe's. `about`: what a person says
    of the images that it learned from, beside what the recipe says of them. The card shows the grids of
    `latest_grids(folder)` as `samples/NAME`. UserError if there is no model, or its recipe names an unregistered part.
    """
    return card(facts_of(Path(folder), repo_id, about or Description()), license)


def card_of_recipe(file: Path, records: Iterable[Path] = ()) -> str:
    """The card of a recipe's file, and of the evaluations in `records` of a model that it made.

    UserError if the file binds no recipe, or a record is of another model.
    """
    return card(facts_of_recipe(Path(file), records), "")


def card(facts: Facts, license: str) -> str:
    """A card, from its facts; UserError if the licence is none that the Hub could know."""
    check_licence(license)
    license = license or facts.licence
    found = results_in(facts.records)
    parts = [f"---\n{front_matter(facts, found, license)}\n---", f"# {escape(facts.title)}", opening(facts, found)]
    parts += [f"## {heading}\n\n{text}" for heading, text in sections_of(facts, found, license) if text]
    return "\n\n".join(parts) + "\n"


def front_matter(facts: Facts, found: Sequence[Result], license: str) -> str:
    """What the Hub reads, as YAML."""
    from huggingface_hub import ModelCardData

    hub = facts.recipe.data.hub_id() if facts.recipe else ""
    names = dict.fromkeys(piece.part.name for piece in pieces(facts) if piece.part.paper)
    arxiv = [f"arxiv:{paper}" for paper in papers(facts) if ARXIV.fullmatch(paper)]
    task = TASKS[facts.translates]
    entries = model_index(found, task)
    return ModelCardData(
        library_name="ggdr",
        pipeline_tag=task,
        license=license or UNKNOWN,
        datasets=[hub] if hub else None,
        tags=["gan", *names, *arxiv],
        model_name=facts.title if entries else None,
        eval_results=entries or None,
    ).to_yaml()
