"""Publishing on the Hub: what is shared of a run or a model, in one commit, and checked when it is there."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ggdr.documents import HUB_ID, read_object_or_empty
from ggdr.errors import UserError
from ggdr.folders import link_or_copy
from ggdr.hub.card import card_of
from ggdr.hub.facts import chief_of, facts_of, latest_grids, records_in, run_folder
from ggdr.recipe.about import About, Description
from ggdr.saving.model import LIVE, TRAINING_ALONE
from ggdr.saving.pretrained import INDEX, PARTS, Hub, open_model, translator_index, write_index

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CARD = "README.md"
ENCODER = "encoder"
"""what is shared beside a generator of noise and its discriminator, where it was trained"""
MARK = "<!-- Written by ggdr, which renews it with each push; without this line it stays as you write it. -->"


class Repository(NamedTuple):
    """A repository of the Hub to publish to."""

    repo_id: str
    """org/name"""
    private: bool | None = None
    """whether only its owners see it, if it is made; None: as the account's default"""
    revision: str | None = None
    """branch, made if it is not there; None: main"""


class CardWords(NamedTuple):
    """What a person says of a model that is shared, beside what its recipe says."""

    licence: str = ""
    """licence of the weights, as the Hub writes it; empty: the recipe's"""
    about: Description = Description()
    """the images that it learned from"""


class Unreachable(UserError):
    """The Hub did not answer, or not to the end: worth another try."""


class PushResult(NamedTuple):
    """What a push came to."""

    address: str
    changed: bool
    """whether there is a new commit"""
    kept_card: bool
    """whether the card there was written by a person, and left alone"""
    unsaid: tuple[str, ...] = ()
    """what the card should say and nobody has said"""


def assemble(source: Path, folder: Path, repo_id: str, words: CardWords) -> str:
    """Make `folder` hold what is shared of the run, checkpoint or model at `source`; a line that says what it is.

    The generator (the running mean) and the discriminator as a pipeline, the card, and of a run the newest grids,
    records of metrics, log, plot, and the recipe as JSON and as Python. UserError if there is no generator.
    """
    model = open_model(source, Hub())
    found = {
        name: saved
        for name, saved in model.networks.items()
        if not name.endswith(LIVE) and saved.description.get("kind") not in TRAINING_ALONE
    }
    shared = found if model.translates else (*PARTS, ENCODER)
    parts = {part: saved for part in shared if (saved := found.get(part)) is not None}
    if not model.translates and "generator" not in parts:
        raise UserError(f"{str(source)!r} holds no generator, which is what is shared; give the run, or a model.")
    for part, saved in parts.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps(saved.description, indent=1), encoding="utf-8")
        link_or_copy(saved.file, folder / part / "model.safetensors")
    if model.translates:
        index = translator_index({name: saved.description for name, saved in parts.items()}, *model.played())
        (folder / INDEX).write_text(index, encoding="utf-8")
    else:
        write_index(folder, parts)
    chief = chief_of(parts)
    weights, run = chief.file.parent, run_folder(source.resolve())
    pictures = [*sorted((run / "samples").glob("reals*.png")), *latest_grids(source)]
    for file, name in [
        *((file, file.name) for file in (run / "metrics.jsonl", run / "losses.png")),
        *((weights / name, name) for name in ("recipe.json", "recipe.py")),
        *((file, f"samples/{file.name}") for file in pictures),
    ]:
        if file.is_file():
            put = shutil.copyfile if file.suffix == ".jsonl" else link_or_copy  # a log grows
            put(file, folder / name)
    for number, record in enumerate(records_in([run, source, run / "model"])):
        (folder / "metrics").mkdir(exist_ok=True)
        (folder / "metrics" / f"{number:03}-{'-'.join(record['metrics'])}.json").write_text(
            json.dumps(record, indent=1), encoding="utf-8"
        )
    (folder / CARD).write_text(
        f"{card_of(source, repo_id, license=words.licence, about=words.about)}\n{MARK}\n", encoding="utf-8"
    )
    seen = read_object_or_empty(weights / "progress.json").get("images_seen")
    return f"ggdr: {chief.description['config']['type']}" + (f", {seen / 1000:g} kimg" if seen else "")


def publish(source: Path, place: Repository, message: str | None, words: CardWords) -> PushResult:
    """Assemble and push. UserError, Unreachable if it is worth another try, if it cannot be."""
    with tempfile.TemporaryDirectory() as folder:
        said = assemble(source, Path(folder), place.repo_id, words)
        pushed = push(Path(folder), place, message or said)
    facts = facts_of(source, place.repo_id, words.about)
    left = missing_words(words.licence or facts.licence, facts.about, "--licence")
    return pushed if pushed.kept_card else pushed._replace(unsaid=left)


def missing_words(licence: str, about: About | None, flag: str) -> tuple[str, ...]:
    """Say what a card should tell and nobody has said, and what to type; `flag` chooses the licence."""
    without = f"nobody has chosen a licence for the weights: the card says `unknown`. Choose one: {flag} cc-by-4.0"
    images = (
        "nobody has described the images that it learns from, and the card says so. Describe them: --about.images '...'"
        " --about.licence '...'"
    )
    said = (not licence, without), (about is None or not about.is_described, images)
    return tuple(text for missing, text in said if missing)


def push(folder: Path, place: Repository, message: str) -> PushResult:
    """Make the repository hold the folder, by one commit, and look whether it does.

    Nothing changed: no commit. Grids of samples there make room for these; other files there stay, and so does a card
    without our mark. UserError, Unreachable if it is worth another try, if it cannot be.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        create_repository(api, place)
        own = has_own_card(api, place)
        before = api.repo_info(place.repo_id, revision=place.revision).sha
        made = api.upload_folder(
            repo_id=place.repo_id,
            folder_path=folder,
            revision=place.revision,
            commit_message=message,
            ignore_patterns=[CARD] if own else None,
            delete_patterns=["samples/*kimg.png"],
        )
        check_upload(api, folder, place, made.oid, but={CARD} if own else set())
    except UserError:
        raise
    except Exception as error:  # what a failing network raises depends on the client's version
        raise push_error(error, place.repo_id) from error
    return PushResult(f"{api.endpoint}/{place.repo_id}", made.oid != before, own)


def create_repository(api: HfApi, place: Repository) -> None:
    """A repository, and the branch, that this account may write to."""
    if not re.fullmatch(HUB_ID, place.repo_id):
        raise UserError(f"{place.repo_id!r} is no name of a Hub repository; give one such as 'org/name'.")
    api.create_repo(place.repo_id, private=place.private, exist_ok=True)
    if place.revision:
        api.create_branch(place.repo_id, branch=place.revision, exist_ok=True)


def check_writable(place: Repository) -> None:
    """UserError unless this account can push there, Unreachable if that cannot be known; makes the repository."""
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        api.whoami()
        create_repository(api, place)
    except UserError:
        raise
    except Exception as error:  # as above
        raise push_error(error, place.repo_id) from error


def has_own_card(api: HfApi, place: Repository) -> bool:
    """Whether the repository has a card that a person wrote."""
    if not api.file_exists(place.repo_id, CARD, revision=place.revision):
        return False
    there = Path(api.hf_hub_download(place.repo_id, CARD, revision=place.revision))
    return MARK not in there.read_text(encoding="utf-8", errors="replace")


def check_upload(api: HfApi, folder: Path, place: Repository, commit: str, but: set[str]) -> None:
    """Unreachable unless each file is in the commit, of the same bytes."""
    there = {entry.path: entry for entry in api.list_repo_tree(place.repo_id, revision=commit, recursive=True)}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        entry = there.get(name)
        if name not in but and (entry is None or not is_same_file(file, entry)):
            raise Unreachable(f"{place.repo_id} does not hold {name} as it was sent; push again.")


def is_same_file(file: Path, entry) -> bool:
    """Whether an entry of a repository's tree is this file, by LFS's hash, or git's."""
    data = file.read_bytes()
    if entry.lfs:
        return entry.lfs.sha256 == hashlib.sha256(data).hexdigest()
    return entry.blob_id == hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def push_error(error: Exception, repo_id: str) -> UserError:
    """What stands in the way, in a sentence that says what to type; Unreachable if another try may help."""
    from huggingface_hub import get_token
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    reply = error.response if isinstance(error, HfHubHTTPError) else None
    status = reply.status_code if reply is not None else None
    if get_token() is None:
        return UserError("nobody is logged in to the Hub here; type: hf auth login.")
    if status == 401 and not isinstance(error, RepositoryNotFoundError):
        return UserError("the Hub does not know this token, or it has expired; type: hf auth login.")
    if status in (401, 403, 404):
        return UserError(
            f"this account may not write to {repo_id!r}: give a name of its user or organization, or a token with"
            " the right to write, by: hf auth login."
        )
    reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    kind = UserError if status is not None and status < 500 and status not in (408, 409, 412, 429) else Unreachable
    return kind(f"pushing to {repo_id!r} failed: {reason}.")


def leftovers(folder: Path) -> Iterable[Path]:
    """What a push that was killed left in a run's folder."""
    return folder.glob(".pushing-*")
