"""Long work for one visitor: in a separate thread, saying how far it is, and stopped by a click or with the page."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from ggdr.lazy import optional

with optional("explore", "the page needs"):
    import gradio as gr

Result = TypeVar("Result")
WAIT_SEC = 0.5
"""Longest wait between two looks at how far a job is, seconds."""


class Report(NamedTuple):
    """How far a job is."""

    done: int
    total: int
    more: Any = None
    """Whatever is to be shown meanwhile."""


class Stopped(Exception):
    """Somebody stopped the job."""


class Job(Generic[Result]):
    """Work that calls `report` now and then; iterate over the newest reports, then take the result."""

    def __init__(self, work: Callable[[Job[Result]], Result]):
        self.work = work
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.stopping = threading.Event()
        self.result: Result | None = None
        """What the work returned; None until then, and after a stop."""
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        """Do the work, in the job's thread."""
        try:
            self.result = self.work(self)
        except Stopped:
            pass
        except Exception as error:  # raised where the visitor waits
            self.error = error

    def report(self, report: Report) -> None:
        """Say how far the work is; `Stopped` if it is to end here."""
        if self.stopping.is_set():
            raise Stopped
        self.reports.put(report)

    def stop(self) -> None:
        """End the work at its next report."""
        self.stopping.set()

    def __iter__(self) -> Iterator[Report]:
        """Yield the newest report, again and again until the work ends; its error is raised. To leave is to stop."""
        self.thread.start()
        try:
            while self.thread.is_alive() or not self.reports.empty():
                if (newest := self.newest()) is not None:
                    yield newest
        finally:
            self.stop()
            self.thread.join()
        if self.error is not None:
            raise self.error

    def newest(self) -> Report | None:
        """Return the last report of those that wait, None if none comes soon; those before it are dropped."""
        found = None
        try:
            found = self.reports.get(timeout=WAIT_SEC)
            while True:
                found = self.reports.get_nowait()
        except queue.Empty:
            return found


class Jobs:
    """The jobs that run for a page's visitors, one of a kind each."""

    def __init__(self) -> None:
        self.running: dict[tuple[str | None, str], Job[Any]] = {}

    def follow(self, visitor: str | None, kind: str, job: Job[Any]) -> Iterator[Report]:
        """Yield the reports of a job, which `stop` ends meanwhile."""
        self.stop(visitor, kind)
        self.running[visitor, kind] = job
        try:
            yield from job
        finally:
            if self.running.get((visitor, kind)) is job:
                del self.running[visitor, kind]

    def stop(self, visitor: str | None, kind: str) -> None:
        """End a visitor's job of a kind, if there is one."""
        if job := self.running.get((visitor, kind)):
            job.stop()

    def leave(self, visitor: str | None) -> None:
        """End all jobs of a visitor."""
        for whose, kind in list(self.running):
            if whose == visitor:
                self.stop(whose, kind)


class JobControls(NamedTuple):
    """The buttons that start and stop a kind of long work, and the bar that shows how far it is."""

    kind: str
    start: gr.Button
    stop: gr.Button
    bar: gr.HTML

    @classmethod
    def build(cls, kind: str, begin: str) -> JobControls:
        """Add them to the page; `begin`: what the button says."""
        with gr.Row():
            start = gr.Button(begin, variant="primary", elem_id=f"{kind}-start", min_width=120)
            stop = gr.Button("Stop", interactive=False, elem_id=f"{kind}-stop", min_width=80)
        return cls(kind, start, stop, gr.HTML(elem_id=f"{kind}-bar", elem_classes="progress", visible=False))

    def outputs(self) -> list[Any]:
        """Return the outputs that `working` and `ended` have values for."""
        return [self.stop, self.bar]

    def working(self, report: Report, unit: str) -> list[Any]:
        """Return how the buttons and the bar look meanwhile."""
        text = f"{report.done:,} of {report.total:,} {unit}"
        bar = f'<progress value="{report.done}" max="{report.total}" aria-label="{text}"></progress><div>{text}</div>'
        return [gr.update(interactive=True), gr.update(value=bar, visible=True)]

    def ended(self, said: str = "") -> list[Any]:
        """Return how they look when the work is done, or has been stopped, as `said`."""
        return [gr.update(interactive=False), gr.update(value=f"<div>{said}</div>", visible=bool(said))]

    def stoppable(self, jobs: Jobs) -> None:
        """Connect the button that stops a visitor's work."""

        def stop(request: gr.Request) -> None:
            jobs.stop(request.session_hash, self.kind)

        self.stop.click(stop, None, None, queue=False)
