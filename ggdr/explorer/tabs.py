"""Tabs that show the current image in other ways: other seeds, other styles, other places, and from inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ggdr.explorer import inside
from ggdr.explorer.commands import FOLDER, command_box, command_line
from ggdr.explorer.controls import Controls, settings_of
from ggdr.explorer.inside import ImagePoint
from ggdr.explorer.look import picture_box, tiles
from ggdr.explorer.pictures import SEEDS, Downloads, grid_tiles, to_picture
from ggdr.explorer.studio import ImageSettings, Model, Studio
from ggdr.latent.codes import Codes
from ggdr.lazy import optional

with optional("explore", "the page needs"):
    import gradio as gr

SLIDERS, FURTHEST = 5, 3.0
"""directions of the edit tab, and how far each goes, standard deviations"""
MIXING = (
    "Each layer of the generator is told a style. The coarse layers, from 0 on, take care of pose and shape, the fine"
    " ones of colour and texture: another seed lends its styles to some of them."
)
EDITING = (
    "Directions along which this model's images change most. Nobody told it what they mean: move one and look. 1 is one"
    " standard deviation of what the model draws."
)
METHODS = "pca: where the styles that are drawn vary most (GANSpace); sefa: what its weights amplify most (SeFa)."
CLUSTERS = (
    "**What the generator treats alike**: positions of its feature maps in one cluster have one colour, a picture for"
    " each size of its maps. A click in the image shows the cluster there, and its share of the image."
)
LIKENESS = (
    "**What the discriminator understands**: GGDR's decoder redraws the generator's feature map from the image alone."
    " Bright where both are alike; the number is their mean cosine, 1 at most."
)


class Tab(NamedTuple):
    """A tab that shows the current image in another way."""

    tab: gr.Tab
    inputs: list[Any]
    """Inputs of the tab beside the controls."""
    outputs: list[Any]
    render: Callable[..., list[Any]]
    """Function of (settings, *inputs) that returns a value for each output."""

    def skip(self) -> list[Any]:
        """Return values that leave the tab as it is."""
        return [gr.skip()] * len(self.outputs)


class Offer(NamedTuple):
    """What a visitor takes home of an image that is made from a code: a picture, the code, and a command."""

    png: gr.DownloadButton
    code: gr.DownloadButton
    command: gr.Textbox

    @classmethod
    def build(cls, name: str, visible: bool = True) -> Offer:
        """Add the buttons and the command line to the page."""
        with gr.Row():
            png = gr.DownloadButton("Download PNG", elem_id=f"{name}-save", min_width=120, visible=visible)
            code = gr.DownloadButton("Download code", elem_id=f"{name}-code", min_width=120, visible=visible)
        what = "this very image of the code, which you download here"
        return cls(png, code, command_box(f"{name}-command", what, visible))

    def values(self, studio: Studio, downloads: Downloads, model: Model, codes: Codes, name: str) -> list[str]:
        """Return what the three hold for the image of a code."""
        line = command_line("generate", studio, "--code", f"{name}.safetensors", "--out", FOLDER)
        png = downloads.save_image(model.render(codes), name)
        return [png, downloads.save_code(codes, model.generator, name), line]


def seeds_tab(studio: Studio, controls: Controls) -> Tab:
    """Return a tab with a grid of seeds under the same psi, class and noise; a click makes one the current image."""
    with gr.Tab("Seeds") as tab:
        gr.Markdown("Other images of the same settings. A click makes one the current image.")
        first = gr.State(0)
        gallery = tiles("seeds", "images of other seeds")
        more = gr.Button("The next seeds", elem_id="more")

    def render(settings: ImageSettings, start: int) -> list[Any]:
        return [grid_tiles(studio.model, settings, start)]

    def chosen(start: int, event: gr.SelectData) -> int:
        return start + event.index

    gallery.select(chosen, [first], [controls.seed])
    more.click(lambda start: start + SEEDS, [first], [first]).then(
        lambda start, *asked: render(settings_of(*asked), start)[0], [first, *controls], [gallery]
    )
    return Tab(tab, [first], [gallery], render)


def mix_tab(studio: Studio, downloads: Downloads) -> Tab:
    """Return a tab with the current image and the styles of another seed at some layers."""
    count = studio.model.generator.num_style_codes()
    with gr.Tab("Mix") as tab:
        gr.Markdown(MIXING)
        mixed = picture_box("mixed", "the image with the styles of another seed")
        lender = gr.Number(1, label="seed that lends its styles", precision=0, minimum=0, elem_id="lender")
        layers = gr.CheckboxGroup(
            [str(layer) for layer in range(count)], value=[str(layer) for layer in range(count // 2)],
            label="layers that take them", info="0 is the coarsest.", elem_id="layers",
        )  # fmt: skip
        offer = Offer.build("mixed")

    def render(settings: ImageSettings, other: float | None, chosen: list[str]) -> list[Any]:
        model, taken = studio.model, tuple(sorted(map(int, chosen)))
        codes = model.mix(settings, int(other or 0), taken)
        name = f"seed{settings.seed:04}-mixed"
        return [to_picture(model.render(codes)), *offer.values(studio, downloads, model, codes, name)]

    return Tab(tab, [lender, layers], [mixed, *offer], render)


def edit_tab(studio: Studio, downloads: Downloads) -> Tab:
    """Return a tab with the current image moved along the strongest directions."""
    with gr.Tab("Edit") as tab:
        gr.Markdown(EDITING)
        edited = picture_box("edited", "the image, edited")
        method = gr.Radio(["pca", "sefa"], value="pca", label="directions found by", info=METHODS, elem_id="method")
        sliders = [
            gr.Slider(-FURTHEST, FURTHEST, 0, step=0.1, label=f"direction {which}", elem_id=f"direction{which}")
            for which in range(SLIDERS)
        ]
        reset = gr.Button("Back to the image itself")
        offer = Offer.build("edited")
    reset.click(lambda: [0.0] * SLIDERS, None, sliders)

    def render(settings: ImageSettings, how: str, *amounts: float) -> list[Any]:
        model = studio.model
        codes = model.edit(settings, how, amounts)  # type: ignore[arg-type]
        name = f"seed{settings.seed:04}-edited"
        return [to_picture(model.render(codes)), *offer.values(studio, downloads, model, codes, name)]

    return Tab(tab, [method, *sliders], [edited, *offer], render)


def inside_tab(studio: Studio, point: gr.State) -> Tab:
    """Return a tab with clusters of feature maps at the clicked point, the decoder's similarity, and D's score."""
    with gr.Tab("Inside") as tab:
        said = gr.Markdown(elem_id="judgement")
        gr.Markdown(CLUSTERS)
        clusters = tiles("clusters", "clusters of the generator's feature maps")
        title = gr.Markdown(LIKENESS)
        likeness = tiles("likeness", "where the decoder's map is like the generator's")

    def render(settings: ImageSettings, point: tuple[float, float] | None) -> list[Any]:
        """D's answer, clusters, and where the decoder draws alike, if there is one."""
        model, place = studio.model, ImagePoint(*point) if point else None
        drawn = inside.similarity_gallery(model, settings)
        return [
            inside.describe_score(model, settings),
            inside.gallery(model, settings, place),
            gr.update(visible=bool(drawn)),
            gr.update(value=drawn, visible=bool(drawn)),
        ]

    return Tab(tab, [point], [said, clusters, title, likeness], render)
