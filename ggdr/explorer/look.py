"""How all pages look and sound: colours, sizes of phones and desks, dark mode, and names for those who only hear."""

from __future__ import annotations

from ggdr.lazy import optional

with optional("explore", "the page needs"):
    import gradio as gr

CSS = """
.gradio-container {max-width: 1180px !important; width: 100%; margin: auto}
.gradio-container h1 {font-size: 1.5rem; margin: 0}
.pixels img {image-rendering: pixelated}
#current img {width: 100%; object-fit: contain; cursor: crosshair}
#given img, #style img, #made img, #back img, #grid img, #losses img, #yours img, #found img {
  width: 100%; max-width: 100%; object-fit: contain
}
#given img, #style img {min-width: 280px}
#yours img, #found img {min-width: 130px}
#judgement {overflow: visible !important}
.untitled label[data-testid=block-label] {clip-path: inset(50%)}
.tiles {min-height: 0 !important}
.tiles .grid-wrap {height: auto !important; min-height: 0 !important; max-height: none !important}
.tiles .grid-container {grid-template-columns: repeat(auto-fill, minmax(74px, 1fr)) !important; height: auto}
#seeds .grid-container, #clusters .grid-container, #likeness .grid-container {
  grid-template-columns: repeat(4, minmax(0, 1fr)) !important
}
.tiles .caption-label {font-size: 12px; padding: 1px 5px; left: 4px; right: auto; bottom: 4px; max-width: 90%}
.command textarea {font-family: var(--font-mono); font-size: 13px; word-break: break-all}
.numbers {max-width: calc(100vw - 64px); overflow-x: auto}
.beside {align-items: end}
.dice {height: 42px; margin-bottom: 12px; white-space: nowrap}
.heading {flex-wrap: nowrap !important; align-items: start}
#shade {flex: none; min-width: 0}
#losses img {background: white}
.min_value, .max_value {color: var(--body-text-color-subdued) !important}
button[role=tab].selected {color: var(--primary-700) !important}
.dark button[role=tab].selected {color: var(--primary-300) !important}
.progress progress {width: 100%; height: 10px; accent-color: var(--primary-600)}
footer {display: none !important}
"""
"""CSS of all pages."""
CLEAN_SEC, KEEP_SEC = 3600, 86400
"""How often a page looks for old copies of pictures, and how long it keeps them, seconds."""
SCRIPT = """() => {
  const kept = localStorage.getItem("ggdr-shade");
  if (kept) document.body.classList.toggle("dark", kept === "dark");
  const name = () => {
    document.querySelectorAll("button:not([aria-label]), button[data-named]").forEach((button) => {
      const label = button.closest(".block")?.querySelector("[data-testid=block-label]")?.textContent.trim();
      if (!label || button.innerText.trim() || button.getAttribute("aria-label") === label) return;
      button.dataset.named = "";
      button.setAttribute("aria-label", label);
    });
    document.querySelectorAll(".empty[aria-label]:not([role])").forEach((place) => place.setAttribute("role", "img"));
  };
  let soon;
  new MutationObserver(() => { clearTimeout(soon); soon = setTimeout(name, 200); })
    .observe(document.body, {childList: true, characterData: true, subtree: true});
  name();
}"""
"""What a page runs when it is loaded: it takes the shade that was chosen last, and names pictures, which Gradio shows
in buttons without names, and places for pictures, whose names it gives to what may have none."""
SWITCH = """() => {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("ggdr-shade", dark ? "dark" : "light");
}"""
"""What the switch between dark and light runs."""


def theme() -> gr.themes.Base:
    """Return a theme with the fonts of the reader's own machine, so that the page loads nothing from elsewhere.

    Its colours keep a contrast of 4.5 to 1 or more between text and ground, light and dark (WCAG 2.2, 1.4.3).
    """
    soft = gr.themes.Soft(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return soft.set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_title_text_color="*primary_700",
        block_title_text_color_dark="*primary_50",
        block_label_text_color="*primary_700",
        block_label_text_color_dark="*primary_50",
        button_secondary_background_fill_hover_dark="*primary_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        checkbox_label_background_fill_selected="*primary_600",
        checkbox_label_background_fill_selected_dark="*primary_600",
    )


def page_blocks(name: str) -> gr.Blocks:
    """Return the empty page of a model; its copies of pictures are removed after a day."""
    return gr.Blocks(title=f"ggdr: {name}", analytics_enabled=False, delete_cache=(CLEAN_SEC, KEEP_SEC))


def heading(page: gr.Blocks, title: str, about: str) -> None:
    """Add what a page begins with: its title, a line in Markdown, and a switch between dark and light."""
    with gr.Row(elem_classes="heading"):
        gr.Markdown(f"# {title}\n{about}")
        shade = gr.Button("Dark / light", elem_id="shade", size="sm", scale=0)
    shade.click(None, js=SWITCH)
    page.load(None, js=SCRIPT)


def tiles(name: str, label: str, visible: bool = True) -> gr.Gallery:
    """Return a gallery of small pictures side by side, without smoothing."""
    return gr.Gallery(
        columns=4, show_label=False, label=label, allow_preview=False, elem_id=name, elem_classes=["pixels", "tiles"],
        height="auto", object_fit="contain", buttons=[], fit_columns=False, visible=visible,
    )  # fmt: skip


def picture_box(name: str, label: str, titled: bool = False, least_px: int = 160) -> gr.Image:
    """Return a picture that visitors do not change; `label`: what those hear who do not see it, all if `titled`."""
    return gr.Image(
        label=label, interactive=False, format="png", elem_id=name, buttons=[], min_width=least_px,
        elem_classes=["pixels"] if titled else ["pixels", "untitled"],
    )  # fmt: skip


def dropped(name: str, title: str, least_px: int = 160) -> gr.Image:
    """Return a place for a picture file of a visitor's, which keeps its name and what it holds."""
    return gr.Image(
        label=title, type="filepath", image_mode=None, sources=["upload", "clipboard"], elem_id=name,
        elem_classes="pixels", format="png", buttons=[], min_width=least_px,
    )  # fmt: skip
