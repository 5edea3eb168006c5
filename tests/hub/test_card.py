"""Model cards: what they say of runs, checkpoints, converted models and recipes, and what the Hub reads in them."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import tiny
import torch
from diffusers import DiffusionPipeline
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from places import OWN_GOLDEN, ROOT, TINY

from ggdr.data.images import ImageFiles
from ggdr.hub.bibliography import citation, entries
from ggdr.hub.card import card_of, card_of_recipe
from ggdr.hub.facts import latest_grids
from ggdr.hub.markdown import code_block, escape, inline_code, markdown_table
from ggdr.hub.repository import CardWords, assemble
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.recipe.about import About, Description
from ggdr.recipe.files import load_recipe, to_json
from ggdr.registry import REGISTRIES, discover
from ggdr.saving.model import save_model
from ggdr.train import main as train
from ggdr.verbs.convert import main as convert
from ggdr.verbs.evaluate import main as evaluate

RECIPES = sorted((ROOT / "recipes").glob("*.py"))
FLAGS = "--total-kimg 0.016 --checkpoint-kimg 0.008 --sample-kimg 0.008 --metric-kimg 0.008 --metrics.swd swd".split()
ODD = 'a|b `c` *d* <script>alert("e")</script>\n\n# f [g](h) _i_ & \\ ```'


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run of two steps, measured twice by `ggdr evaluate` and once a step by itself."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    assert train([TINY, "--out", str(out), *FLAGS, "--metrics.swd.images", "64"]) == 0
    assert evaluate([str(out), "--metrics", "swd", "--images", "64", "--repeats", "2"]) == 0
    return out


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(trained, tmp_path / "tiny"))


def record_of(run: Path) -> Path:
    return next((run / "metrics").glob("*.json"))


def changed(record: Path, change) -> None:
    """Change a record as it lies there."""
    found = json.loads(record.read_text())
    change(found)
    record.write_text(json.dumps(found))


def section(card: str, heading: str) -> str:
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", card, re.DOTALL | re.MULTILINE).group(1)


class Page(HTMLParser):
    """What a browser would make of a card: its tags, its text, and how many cells each row has."""

    def __init__(self, card: str):
        super().__init__()
        self.tags: list[str] = []
        self.text, self.rows = "", []
        self.feed(MarkdownIt("commonmark").enable("table").render(ModelCard(card).text))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_data(self, data):
        self.text += data


def test_the_hub_reads_the_metadata(trained):
    data = ModelCard(card_of(trained, "me/tiny")).data
    assert (data.library_name, data.pipeline_tag) == ("ggdr", "unconditional-image-generation")
    assert {"gan", "stylegan2", "ggdr", "ada", "arxiv:2207.13320"} <= set(data.tags)
    assert data.license == "unknown" and data.model_name == "tiny"
    record = json.loads(record_of(trained).read_text())["metrics"]["swd"]["values"]
    found = {result.metric_name: result for result in data.eval_results}
    assert found["swd mean"].metric_value == record["mean"]["mean"] and found["swd mean"].metric_type == "swd"
    assert found["swd mean"].metric_args["interval_95"] == record["mean"]["interval"]
    assert found["swd mean"].dataset_type == "digits" and found["swd mean"].metric_args["generated"] == 64


def test_a_stranger_sees_what_it_is_how_it_looks_and_how_good_it_is(trained):
    card = card_of(trained, "me/tiny")
    opening = card.split("## ")[0]
    assert "# tiny" in opening and "A generator (`stylegan2`) of gray images, 16 x 16 px" in opening
    assert f"](samples/{latest_grids(trained)[0].name})" in opening and re.search(
        r"\*\*Measured\*\*, with 95 % intervals: `swd` mean [\d.]+ \([\d.-]+ \.\. [\d.]+\), lower is better\.", opening
    )
    assert "64 generated against 64 real images, no truncation" in section(card, "Evaluation")


def test_every_part_stands_with_its_docstring_and_paper(trained):
    parts = section(card_of(trained), "Parts")
    for part in (
        "standard",
        "stylegan2",
        "unet",
        "non_saturating",
        "r1",
        "path_length",
        "ggdr",
        "ada",
        "digits",
        "swd",
    ):
        assert f"| `{part}` | " in parts
    assert "discriminator in unet" in parts and "`resolutions=(8,)`" in parts
    assert "(Lee et al. 2022, eq. 4)" in parts and "https://arxiv.org/abs/2207.13320" in parts


def test_the_training_table_is_the_log_s_last_line(trained):
    training = section(card_of(trained), "Training")
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert "ggdr train recipe.py --out runs/tiny" in training
    assert "| real images shown | 0.016 of 0.016 kimg |" in training and "| device | 1 x cpu |" in training
    assert (
        f"| last loss of D, `ggdr` | {[row['loss/d/ggdr'] for row in rows if 'loss/d/ggdr' in row][-1]:.4g} |"
        in training
    )
    assert f"| last `p` | {[row['augment/p'] for row in rows if 'augment/p' in row][-1]:.4g} |" in training
    assert f"| `swd` mean | {rows[-1]['metric/swd/mean']:.4g} | 0.016 | at most 64 images" in training
    assert "| weights of the generator | 3,800 |" in training


def test_a_checkpoint_s_card_ends_where_the_checkpoint_does(trained):
    first = sorted((trained / "checkpoints").iterdir())[0]
    card = card_of(first)
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert "0.008 of 0.016 kimg" in card and "fakes-000000.008kimg.png" in card
    assert f"| last loss of G, `non_saturating` | {rows[0]['loss/g/non_saturating']:.4g} |" in card
    assert "**Not measured yet**" in card and ModelCard(card).data.eval_results is None


def test_run_model_and_generator_have_the_same_card(trained):
    whole = card_of(trained, "me/tiny")
    assert ModelCard(card_of(trained / "model", "me/tiny")).data.eval_results == ModelCard(whole).data.eval_results
    assert section(card_of(trained / "model", "me/tiny"), "Evaluation") == section(whole, "Evaluation")


def test_a_card_rendered_while_a_run_goes_on_draws_no_random_number(trained):
    before = torch.get_rng_state()
    card_of(trained)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_snippet_runs(trained, tmp_path, monkeypatch):
    card = card_of(trained, "me/tiny")
    snippet = re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1)
    assert len(snippet.strip().splitlines()) == 5
    monkeypatch.chdir(tmp_path)
    exec(snippet.replace('"me/tiny"', repr(str(trained))), {})
    assert (tmp_path / "sample.png").stat().st_size > 50


def test_the_call_of_diffusers_that_a_card_on_the_hub_shows_loads_what_is_pushed(trained, tmp_path):
    assemble(trained, tmp_path, "me/tiny", CardWords())
    (call,) = re.findall(r"`(DiffusionPipeline.*?)`", (tmp_path / "README.md").read_text())
    assert DiffusionPipeline.__name__ in call
    pipe = eval(call.replace('"me/tiny"', repr(str(tmp_path))))
    assert type(pipe).__name__ == "GANPipeline" and pipe(seeds=[0]).images
    assert "DiffusionPipeline" not in card_of(trained)


def test_what_is_assembled_keeps_the_log_as_it_was_while_the_run_goes_on(run, tmp_path):
    assemble(run, tmp_path / "shared", "me/tiny", CardWords())
    before = (tmp_path / "shared/metrics.jsonl").read_text()
    with (run / "metrics.jsonl").open("a") as log:
        log.write("{}\n")
    assert (tmp_path / "shared/metrics.jsonl").read_text() == before, "a log grows: it is copied, not linked"


@pytest.mark.parametrize(("network", "labels"), [(tiny.STYLEGAN2, 3), (DCGANGeneratorConfig(channels=8), 0)])
def test_the_snippet_fits_what_the_generator_takes(network, labels, tmp_path, monkeypatch):
    save_model(network.build(ImageSpec(16, 16, 1, labels)), tmp_path / "model/generator")
    monkeypatch.chdir(tmp_path)
    snippet = re.search(r"```python\n(.*?)```", card_of(tmp_path / "model"), re.DOTALL).group(1)
    exec(re.sub(r'from_pretrained\(".*?"\)', 'from_pretrained("model")', snippet), {})
    assert (tmp_path / "sample.png").is_file()


def test_records_of_other_weights_are_left_out(run):
    changed(record_of(run), lambda record: record["source"].update(weights="0123"))
    card = card_of(run)
    assert "**Not measured yet**" in card and ModelCard(card).data.eval_results is None


def test_the_last_of_equal_measurements_counts_and_others_stand_beside_it(run):
    for number, images in enumerate((64, 32)):
        again = shutil.copy(record_of(run), run / f"metrics/900{number}-swd.json")

        def change(record, images=images):
            record["date"] = "2999-01-01T00:00:00"
            record["metrics"]["swd"]["fake"]["number"] = images
            record["metrics"]["swd"]["values"]["mean"]["mean"] = float(images)

        changed(Path(again), change)
    rows = [line for line in section(card_of(run), "Evaluation").splitlines() if line.startswith("| `swd` mean |")]
    assert [row.split(" | ")[1] for row in rows] == ["64", "32"]


def test_what_is_not_finite_is_said_and_kept_from_the_hub(run):
    changed(record_of(run), lambda record: record["metrics"]["swd"]["values"]["mean"].update(mean=None, interval=None))
    card = card_of(run)
    assert "| `swd` mean | not a number |" in card
    values = [result.metric_value for result in ModelCard(card).data.eval_results]
    assert len(values) == 1 and all(map(math.isfinite, values))


@pytest.mark.parametrize(
    ("extractor", "psi", "label"),
    [("inception", 1.0, "fid"), ("digits", 1.0, "fid-digits"), ("inception", 0.7, "fid-psi0.7")],
)
def test_nothing_is_called_fid_that_compares_with_no_other_fid(run, extractor, psi, label):
    def change(record):
        entry = record["metrics"].pop("swd")
        entry["settings"] |= {"extractor": {"type": extractor}}
        record["metrics"]["fid"] = entry | {"type": "fid", "values": {"distance": entry["values"]["mean"]}}
        record["source"]["truncation"]["psi"] = psi

    changed(record_of(run), change)
    assert [result.metric_type for result in ModelCard(card_of(run)).data.eval_results] == [label]


def test_memorization_is_a_limit_by_its_values_or_by_their_absence(run):
    assert "Not measured: `memorization`" in section(card_of(run), "Limits")

    def change(record):
        values = record["metrics"]["swd"]["values"]
        both = {"copied": values["mean"] | {"mean": 0.25}, "reals": values["mean"] | {"mean": 0.5}}
        record["metrics"]["memorization"] = record["metrics"]["swd"] | {"type": "memorization", "values": both}

    changed(record_of(run), change)
    assert "25.0% of the generated images" in section(card_of(run), "Limits")
    changed(record_of(run), lambda record: record["metrics"]["memorization"]["values"]["reals"].update(mean=None))
    assert "Not measured: `memorization`" in section(card_of(run), "Limits")


@pytest.mark.parametrize("damage", [{"metrics": {"swd": 3}}, {"source": None}, {"format": 2}])
def test_a_damaged_record_is_no_record(run, damage):
    changed(record_of(run), lambda record: record.update(damage))
    assert "**Not measured yet**" in card_of(run)


def test_odd_texts_stay_texts(run):
    recipe = replace(
        load_recipe(run / "recipe.py"),
        data=ImageFiles(source=ODD),
        about=About(
            sources=(ODD,), name=ODD, url=ODD, images=ODD, licence=ODD, limits=ODD, paper=ODD, note=ODD, metric=ODD,
            table=ODD, figures={ODD: ODD},
        ),
    )  # fmt: skip
    document = to_json(recipe)
    for file in run.rglob("recipe.json"):
        file.write_text(json.dumps(document))
    changed(record_of(run), lambda record: record["warnings"].append(ODD))
    odd = Path(run.rename(run.with_name("t|iny `<b>` *x*")))
    page = Page(card_of(odd))
    assert not {"script", "b", "em"} & set(page.tags) and page.tags.count("h1") == 1
    assert set(page.rows) == {2, 4, 5}, "a cell was cut in two"
    assert page.text.count('<script>alert("e")</script>') >= 6 and "t|iny `<b>` *x*" in page.text
    assert ModelCard(card_of(odd)).data.model_name == "t|iny `<b>` *x*"


@pytest.mark.parametrize("text", [ODD, "", "plain words", "`", "a\\|b", "_a_b_"])
def test_pieces_of_markdown_keep_their_text(text):
    words = " ".join(text.split())
    page = Page(f"---\na: 1\n---\n\n{markdown_table(['x', 'y'], [[escape(text), inline_code(text)]])}")
    assert page.rows == [2, 2] and set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert page.text.count(words) >= 2 or not words
    assert code_block(text, "").count("\n") == text.rstrip().count("\n") + 2


def test_where_the_images_lie_is_nobody_else_s_business(run, tmp_path):
    for file in run.rglob("recipe.json"):
        document = json.loads(file.read_text()) | {"data": to_json(ImageFiles(source=str(tmp_path / "photos")))}
        file.write_text(json.dumps(document | {"init_from": str(tmp_path / "base")}))
    card = card_of(run)
    assert str(tmp_path) not in card and "`source='photos'`" in card and "`'base'`" in card
    assert "--data.source FOLDER_OR_ZIP_OR_HUB_ID" in card


def test_data_of_the_hub_is_named_and_linked(run):
    for file in run.rglob("recipe.json"):
        document = json.loads(file.read_text()) | {"data": to_json(ImageFiles(source="org/cats"))}
        file.write_text(json.dumps(document))
    card = card_of(run)
    assert ModelCard(card).data.datasets == ["org/cats"] and "(https://huggingface.co/datasets/org/cats)" in card


def test_a_converted_checkpoint_has_a_card(tmp_path):
    convert([str(OWN_GOLDEN / "official_ggdr_snapshot.pkl"), str(tmp_path / "conv")])
    card = card_of(tmp_path / "conv", "me/conv")
    assert "of RGB images, 32 x 32 px, converted by ggdr from a published checkpoint" in card
    assert "has its own licence" in section(card, "Licence") and "## Training" not in card
    assert ModelCard(card).data.tags[1:3] == ["stylegan2", "unet"]


def test_a_licence_is_given_or_refused(trained):
    assert ModelCard(card_of(trained, license="cc-by-nc-4.0")).data.license == "cc-by-nc-4.0"
    with pytest.raises(ValueError, match="licence 'my own' is not a name the Hub knows; give one such as"):
        card_of(trained, license="my own")


def test_what_cannot_have_a_card_is_refused(run, tmp_path):
    with pytest.raises(ValueError, match="holds no model|no model"):
        card_of(tmp_path)
    for file in run.rglob("recipe.json"):
        document = json.loads(file.read_text())
        document["regularizers"]["mine"] = {"type": "of_my_own"}
        file.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="unknown regularizer 'of_my_own'.*add --use FILE.py"):
        card_of(run)


def test_the_committed_cards_are_fresh(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from render_model_cards import main

    assert main(["--check"]) == 0, capsys.readouterr().err
    shutil.copytree(ROOT / "model_cards", tmp_path / "cards")
    (tmp_path / "cards/digits.md").write_text("by hand")
    (tmp_path / "cards/gone.md").write_text("of a recipe that is gone")
    assert main(["--check", "--out", str(tmp_path / "cards")]) == 1
    assert {"digits.md", "gone.md"} == set(re.findall(r"(\w+\.md) is stale", capsys.readouterr().err))
    assert main(["--out", str(tmp_path / "cards")]) == 0 and main(["--check", "--out", str(tmp_path / "cards")]) == 0
    assert not (tmp_path / "cards/gone.md").exists()


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_s_card_keeps_the_paper_s_numbers_out_of_the_hub_s(file):
    card, recipe = card_of_recipe(file), load_recipe(file)
    assert recipe.about is not None and "**Not trained with this code yet**" in card
    assert ModelCard(card).data.eval_results is None
    for model, value in recipe.about.figures.items():
        assert f"| {model} | {value} |" in section(card, "Evaluation")
        assert value in sys.modules[file.stem].__doc__, "docstring and figures disagree"


def test_each_recipe_says_what_its_own_images_are_and_all_of_one_set_the_same():
    abouts = [load_recipe(file).about for file in RECIPES]
    described = {tuple(getattr(about, field.name) for field in fields(Description)) for about in abouts}
    assert all(about.images for about in abouts)
    assert len({about.images for about in abouts}) == len(described), "the same images, but another name or licence"


def test_a_recipe_with_a_record_shows_it(trained):
    card = card_of_recipe(Path(TINY), [record_of(trained)])
    assert (
        "**Measured** of a model that it trained" in card
        and "0.016 of 0.064 kimg" in card
        and "**Not trained" not in card
    )
    assert {result.metric_type for result in ModelCard(card).data.eval_results} == {"swd"}


def test_a_record_of_another_model_is_refused(trained, tmp_path):
    with pytest.raises(ValueError, match="is of another generator or other images than the recipe's; measure again"):
        card_of_recipe(ROOT / "recipes/digits.py", [record_of(trained)])
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ValueError, match="is no record of a generator's images; make one by `ggdr evaluate"):
        card_of_recipe(ROOT / "recipes/digits.py", [tmp_path / "a.json"])


def test_nothing_committed_names_a_place_on_a_disk():
    for file in (ROOT / "model_cards").rglob("*.*"):
        assert not re.search(r"[\"'` (]/(home|root|tmp|work|mnt|Users|opt|data)/", file.read_text()), file


def test_the_bibliography_is_of_our_parts():
    discover()
    ours = {part.paper for registry in REGISTRIES.values() for part in registry.values()}
    assert "2207.13320" in entries() and entries().keys() <= ours
    assert all(
        {"title", "author", "year"} <= set(re.findall(r"^  (\w+)", text, re.MULTILINE)) for text in entries().values()
    )
    assert "eprint = {1234.56789}" in citation("1234.56789") and "doi = {10.1/x}" in citation("10.1/x")
