"""The whole loop on the bundled example: plan, label, distill, prove, ship, serve, audit, decide, mend."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from coffey.core.clock import monotonic
from coffey.core.progress import Progress
from coffey.core.records import JsonObject
from coffey.dashboard.plain import plain
from coffey.project.demo.corpus import Corpus
from coffey.project.demo.outcome import demo_outcome
from coffey.project.demo.replay import replay
from coffey.project.demo.serving import server_of, wait_logged, wait_served
from coffey.project.demo.setup import set_up
from coffey.project.demo.steps import Steps
from coffey.project.project import Project
from coffey.project.reporting import keep_result, write_page
from coffey.registry.protocol import CHAMPION

CALM_REQUESTS = 1500
DRIFTED_REQUESTS = 1800
NEW_SHARE = 0.4
"""Share of the drifted traffic that goes to the desks that have just opened."""


def run_demo(folder: Path, *, compare: bool, progress: Progress) -> JsonObject:
    """Run what was not run yet in `folder`; the JSON object that `coffey demo --json` prints.

    Raises:
        CoffeyError: a step failed; the next run goes on from there.
    """
    began = monotonic()
    corpus = set_up(folder, progress)
    project = Project.load(folder / "coffey.toml", progress=progress)
    steps = Steps(project.store / "demo", progress)
    found = {
        "plan": steps.once(
            "plan", "Plan: does it pay? Measuring first", lambda: project.plan(probe=True, quick=True)
        ),
        "distill": steps.once(
            "distill-compare" if compare else "distill",
            "Label and distill in stages",
            lambda: project.distill(compare=compare),
        ),
        "bench": steps.once(
            "bench", "Bench: latency under load, teacher beside student", lambda: project.bench(seconds=2)
        ),
        "reconcile": steps.once("reconcile", "Reconcile: forecast beside actual", project.reconcile),
        "replan": steps.once("replan", "Plan again with the measured rate", project.plan),
    }
    if project.models().aliases.get(CHAMPION) is None:
        project.promote("challenger", who="coffey demo", reason="the first student passed the gate")
    with nullcontext("") if steps.done("recovered") else server_of(folder / "coffey.toml") as url:
        found |= _watch(project, steps, corpus, url, progress)
    outcome = demo_outcome(project.settings, found, seconds=monotonic() - began)
    from coffey.dashboard.reports import demo_report

    page = write_page(project.workspace, "demo", demo_report, outcome)
    outcome = {**outcome, "report": page, "store": str(project.store), "config": str(folder / "coffey.toml")}
    keep_result(project.workspace, "demo", outcome)
    return outcome


def _watch(
    project: Project, steps: Steps, corpus: Corpus, url: str, progress: Progress
) -> dict[str, dict[str, Any]]:
    calm, drifted, later = traffic_of(corpus)

    def send(texts: Sequence[str], task: str) -> JsonObject:
        answered = replay(url, texts, task=task, progress=progress)
        wait_logged(url)
        return {"replay": plain(answered)}

    def look(name: str, title: str, texts: Sequence[str], task: str) -> dict[str, Any]:
        """Two steps, so that a tick that was killed is ended by a tick, without another replay."""
        sent = steps.once(f"{name}-sent", title, lambda: send(texts, task))
        return {**sent, **steps.once(name, f"{title}: tick", lambda: {"tick": plain(project.tick())})}

    before = look("before", "Serve and audit: traffic like the holdout", calm, "replay")
    after = look("after", "Two desks open: the traffic drifts", drifted, "replay, drifted")
    if url:
        wait_served(url, project.workspace.registry.resolve(CHAMPION).digest)
    recovered = look("recovered", "The same traffic after the repair", later, "replay after the repair")
    return {"before": before, "after": after, "recovered": recovered}


def traffic_of(corpus: Corpus) -> tuple[list[str], list[str], list[str]]:
    """Requests like the holdout; drifted ones; later ones of the same mix. No text is in two of them."""
    old = [snippet.text for snippet in corpus.traffic]
    new = [snippet.text for snippet in corpus.new_traffic]
    calm, rest = old[:CALM_REQUESTS], old[CALM_REQUESTS:]
    drifted_new = int(DRIFTED_REQUESTS * NEW_SHARE)
    drifted_old = min(DRIFTED_REQUESTS - drifted_new, len(rest) // 2)
    first = _interleaved(rest[:drifted_old], new[:drifted_new])
    second = _interleaved(rest[drifted_old : 2 * drifted_old], new[drifted_new : 2 * drifted_new])
    return calm, first, second


def _interleaved(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Both, evenly mixed, each in its order."""
    places = [(index / len(first), text) for index, text in enumerate(first)]
    places += [(index / len(second), text) for index, text in enumerate(second)]
    return [text for _, text in sorted(places)]
