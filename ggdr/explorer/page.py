"""The explorer's page: a current image with its controls, and tabs that show other views of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import PIL.Image

from ggdr.explorer import inside
from ggdr.explorer.inside import ImagePoint
from ggdr.explorer.pictures import SEEDS, grid_tiles, save_download, to_picture
from ggdr.explorer.run_tab import run_tab
from ggdr.explorer.studio import ImageSettings, Studio
from ggdr.latent.directions import num_style_codes
from ggdr.lazy import optional
from ggdr.networks.base import ImageSpec
from ggdr.registry import Capability
from ggdr.sampling.labels import describe_labels

with optional("explore", "the page needs"):
    import gradio as gr

SLIDERS, FURTHEST = 5, 3.0
"""directions of the edit tab, and how far each goes, standard deviations"""


class Controls(NamedTuple):
    """The controls that the current image depends on."""

    seed: gr.Number
    psi: gr.Slider | gr.State
    label: gr.Dropdown | gr.Slider | gr.Textbox | gr.State
    noise: gr.Radio | gr.State


class Tab(NamedTuple):
    """A tab that shows the current image in another way."""

    tab: gr.Tab
    inputs: list[Any]
    """Inputs of the tab beside the controls."""
    outputs: list[Any]
    render: Callable[..., list[Any]]
    """Function of (settings, *inputs) that returns a value for each output."""


def settings_of(seed: float | None, psi: float | None, label: str | float | None, noise: str) -> ImageSettings:
    """Return the settings that the controls hold."""
    return ImageSettings(int(seed or 0), psi, None if label is None else label_of(label), noise)  # type: ignore[arg-type]


def label_of(label: str | float) -> int | tuple[float, ...]:
    """Parse a label control: the number of a class, as text, or a vector, as a number or some with commas."""
    if not isinstance(label, str):
        return (float(label),)
    try:
        return tuple(map(float, label.split(","))) if "," in label else int(label)
    except ValueError:
        raise gr.Error(f"the label is {label!r}; give numbers with commas between.", print_exception=False) from None


def label_control(spec: ImageSpec) -> gr.Dropdown | gr.Slider | gr.Textbox | gr.State:
    """Return the control that chooses the label: a class by its name, a number in its range, or a vector."""
    if not spec.labels:
        return gr.State(None)
    if not spec.label_ranges:
        names = spec.label_names or tuple(map(str, range(spec.labels)))
        classes = [(name, str(place)) for place, name in enumerate(names)]
        return gr.Dropdown(classes, value="0", label="class", elem_id="class")
    middles = [(low + high) / 2 for low, high in spec.label_ranges]
    if spec.labels == 1:
        (low, high), title = spec.label_ranges[0], spec.label_names[0] if spec.label_names else "label"
        return gr.Slider(low, high, middles[0], label=title, elem_id="class")
    text = ",".join(f"{middle:g}" for middle in middles)
    return gr.Textbox(text, label=f"label: {describe_labels(spec)}", elem_id="class", submit_btn=True)


class Page:
    """The web page of a model, or of a run."""

    def __init__(self, studio: Studio, run: Path | None = None):
        """Build the page of a studio; `run`: a run's folder to watch too."""
        self.studio, self.run = studio, run
        self.provides = studio.model.generator.config.provides

    def build(self) -> gr.Blocks:
        """Build all of the page, and connect its parts."""
        with gr.Blocks(title=f"ggdr: {self.studio.name}", analytics_enabled=False) as page:
            gr.Markdown(f"## {Path(self.studio.name).name or self.studio.name}\n{self.about()}")
            with gr.Row(equal_height=False):
                with gr.Column(scale=2, min_width=300):
                    image, save, controls = self.current()
                with gr.Column(scale=3, min_width=320):
                    point = gr.State(None)
                    tabs = self.tabs(controls, point)
            self.wire(page, image, save, controls, tabs)
            self.follow_clicks(image, controls, tabs, point)
        return page

    def about(self) -> str:
        """Describe the model in a line."""
        spec, name = self.studio.model.generator.spec, self.studio.model.generator.config.name
        kind = "numbers as label" if spec.label_ranges else "classes"
        names = f" ({describe_labels(spec)})" if spec.label_names else ""
        labels = f", {spec.labels} {kind}{names}" if spec.labels else ""
        return f"`{name}`, {spec.height} x {spec.width} px, {spec.channels} channels{labels}"

    def current(self) -> tuple[gr.Image, gr.DownloadButton, Controls]:
        """Return the image and its controls; a control that the generator does not support is hidden."""
        spec = self.studio.model.generator.spec
        image = gr.Image(
            elem_id="current", elem_classes="pixels", show_label=False, interactive=False, format="png", buttons=[]
        )
        seed = gr.Number(0, label="seed", precision=0, minimum=0, elem_id="seed")
        truncates, noisy = Capability.TRUNCATION in self.provides, Capability.NOISE in self.provides
        psi = gr.Slider(-1, 1.5, 1, step=0.05, label="psi", elem_id="psi") if truncates else gr.State(None)
        label = label_control(spec)
        noise = gr.Radio(["const", "random", "none"], value="const", label="noise") if noisy else gr.State("const")
        save = gr.DownloadButton("Download PNG", elem_id="save")
        return image, save, Controls(seed, psi, label, noise)

    def tabs(self, controls: Controls, point: gr.State) -> list[Tab]:
        """Return the tabs that the model supports."""
        made = [self.seeds_tab(controls)]
        if Capability.WS in self.provides:
            made.append(self.mix_tab())
        if Capability.INPUT_MATRICES in self.provides:
            made.append(self.edit_tab())
        if inside.can_inspect(self.studio.model):
            made.append(self.inside_tab(point))
        if self.run is not None:
            run_tab(self.studio, self.run)
        return made

    def seeds_tab(self, controls: Controls) -> Tab:
        """Return a tab with a grid of seeds under the same psi, class and noise; a click makes one the current
        image."""
        with gr.Tab("Seeds") as tab:
            first = gr.State(0)
            gallery = self.gallery("seeds")
            more = gr.Button("Other seeds")

        def render(settings: ImageSettings, start: int) -> list[Any]:
            return [grid_tiles(self.studio.model, settings, start)]

        def chosen(start: int, event: gr.SelectData) -> int:
            return start + event.index

        gallery.select(chosen, [first], [controls.seed])
        more.click(lambda start: start + SEEDS, [first], [first]).then(
            lambda start, *asked: render(settings_of(*asked), start)[0], [first, *controls], [gallery]
        )
        return Tab(tab, [first], [gallery], render)

    def mix_tab(self) -> Tab:
        """Return a tab with the current image and the styles of another seed at some layers."""
        count = num_style_codes(self.studio.model.generator)
        with gr.Tab("Mix") as tab:
            mix = gr.Image(show_label=False, interactive=False, format="png", elem_id="mixed", elem_classes="pixels",
                           buttons=[])  # fmt: skip
            lender = gr.Number(1, label="seed that lends its styles", precision=0, minimum=0, elem_id="lender")
            layers = gr.CheckboxGroup(
                [str(layer) for layer in range(count)], value=[str(layer) for layer in range(count // 2)],
                label="layers that are lent, the coarsest is 0", elem_id="layers",
            )  # fmt: skip

        def render(settings: ImageSettings, other: float | None, chosen: list[str]) -> list[Any]:
            return [to_picture(self.studio.model.mix(settings, int(other or 0), tuple(sorted(map(int, chosen)))))]

        return Tab(tab, [lender, layers], [mix], render)

    def edit_tab(self) -> Tab:
        """Return a tab with the current image moved along the strongest directions."""
        with gr.Tab("Edit") as tab:
            edited = gr.Image(show_label=False, interactive=False, format="png", elem_id="edited",
                              elem_classes="pixels", buttons=[])  # fmt: skip
            method = gr.Radio(["sefa", "pca"], value="pca", label="directions found by")
            sliders = [
                gr.Slider(-FURTHEST, FURTHEST, 0, step=0.1, label=f"direction {which}", elem_id=f"direction{which}")
                for which in range(SLIDERS)
            ]
            reset = gr.Button("Back to the image itself")
        reset.click(lambda: [0.0] * SLIDERS, None, sliders)

        def render(settings: ImageSettings, how: str, *amounts: float) -> list[Any]:
            return [to_picture(self.studio.model.edit(settings, how, amounts))]  # type: ignore[arg-type]

        return Tab(tab, [method, *sliders], [edited], render)

    def inside_tab(self, point: gr.State) -> Tab:
        """Return a tab with clusters of feature maps at the clicked point, the decoder's similarity, and D's score."""
        with gr.Tab("Inside") as tab:
            said = gr.Markdown(elem_id="judgement")
            gr.Markdown("**Clusters of G's feature maps**, a picture a side")
            clusters = self.gallery("clusters")
            title = gr.Markdown("**Where D's decoder redraws G's map**, bright where it is like it (mean cosine)")
            likeness = self.gallery("likeness")

        def render(settings: ImageSettings, point: tuple[float, float] | None) -> list[Any]:
            """D's answer, clusters, and where the decoder draws alike, if there is one."""
            model, place = self.studio.model, ImagePoint(*point) if point else None
            drawn = inside.similarity_gallery(model, settings)
            shown = gr.update(visible=bool(drawn))
            return [
                inside.describe_score(model, settings, place),
                inside.gallery(model, settings, place),
                shown,
                gr.update(value=drawn, visible=bool(drawn)),
            ]

        return Tab(tab, [point], [said, clusters, title, likeness], render)

    def gallery(self, name: str) -> gr.Gallery:
        """Return a gallery of small pictures side by side, without smoothing."""
        return gr.Gallery(
            columns=4, show_label=False, allow_preview=False, elem_id=name, elem_classes="pixels", height="auto",
            object_fit="contain", buttons=[], fit_columns=False,
        )  # fmt: skip

    def wire(
        self, page: gr.Blocks, image: gr.Image, save: gr.DownloadButton, controls: Controls, tabs: list[Tab]
    ) -> None:
        """Connect controls to the image and the open tab; a tab is drawn when it is opened, or its inputs change."""
        active = gr.State(0)
        inputs = [active, *controls, *(each for tab in tabs for each in tab.inputs)]
        everything = [output for tab in tabs for output in tab.outputs]

        def draw(place: int, *asked: Any) -> list[Any]:
            """Values for all tabs' outputs, of which those of the open one are new."""
            values, rest = [], list(asked[len(controls) :])
            for number, tab in enumerate(tabs):
                own, rest = rest[: len(tab.inputs)], rest[len(tab.inputs) :]
                fresh = number == place
                values += tab.render(settings_of(*asked[: len(controls)]), *own) if fresh else skip_outputs(tab)
            return values

        def current(*asked: Any) -> list[Any]:
            """The image and its file."""
            settings = settings_of(*asked)
            image = self.studio.model.image(settings)
            return [to_picture(image), save_download(image, f"seed{settings.seed:04}")]

        # The image answers at once; what the open tab shows of it may take longer.
        page.load(current, [*controls], [image, save]).then(draw, inputs, everything)
        for control in visitor_inputs(controls):
            control.change(
                current, [*controls], [image, save], show_progress="hidden", trigger_mode="always_last"
            ).then(draw, inputs, everything, show_progress="hidden")
        for number, tab in enumerate(tabs):
            tab.tab.select(lambda number=number: number, None, [active]).then(draw, inputs, everything)
            for each in visitor_inputs(tab.inputs):
                each.change(draw, inputs, everything, show_progress="hidden", trigger_mode="always_last")

    def follow_clicks(self, image: gr.Image, controls: Controls, tabs: list[Tab], point: gr.State) -> None:
        """Make a click in the image set the point that is inspected."""
        reading = [tab for tab in tabs if point in tab.inputs]
        clicked = image.select(clicked_point, [image], [point])
        for tab in reading:
            clicked.then(
                lambda where, *asked, tab=tab: tab.render(settings_of(*asked), where), [point, *controls], tab.outputs
            )


def visitor_inputs(inputs: Iterable[Any]) -> list[Any]:
    """Return the inputs that a visitor changes."""
    return [each for each in inputs if not isinstance(each, gr.State)]


def skip_outputs(tab: Tab) -> list[Any]:
    """Return values that leave a tab as it is, since it is not open."""
    return [gr.skip()] * len(tab.outputs)


def clicked_point(image: Any, event: gr.SelectData) -> tuple[float, float]:
    """Return the point that was clicked, as shares of width and height."""
    across, down = event.index
    picture = image if isinstance(image, PIL.Image.Image) else PIL.Image.fromarray(image)
    return min(across / picture.width, 0.999), min(down / picture.height, 0.999)
