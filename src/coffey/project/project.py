"""The Python API: a project, and everything the commands do, under the same names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from coffey.core.progress import Progress, Silent
from coffey.core.settings import Settings
from coffey.project.configuration import load_settings
from coffey.project.wiring import open_modules
from coffey.project.workspace import Workspace
from coffey.registry.protocol import CHAMPION
from coffey.registry.version import Version

if TYPE_CHECKING:
    from coffey.control.tick import TickReport
    from coffey.core.records import JsonObject
    from coffey.project.distill_result import DistillResult
    from coffey.project.labelling import LabelResult
    from coffey.project.models import ModelsResult


class Project:
    """One `coffey.toml` and its store.

    Example:
        ```python
        project = coffey.Project.load("coffey.toml")
        project.distill()
        project.promote()
        ```
    """

    def __init__(self, settings: Settings, folder: Path, *, progress: Progress | None = None) -> None:
        """Use `settings`; `folder` is what a python teacher and the user's own students are imported from."""
        open_modules(settings, folder)
        self._space = Workspace(settings, folder, progress=progress or Silent())

    @classmethod
    def load(cls, path: str | Path = "coffey.toml", *, progress: Progress | None = None) -> Project:
        """Read a configuration file.

        Raises:
            ConfigError: every problem of the file, together.
        """
        file = Path(path).resolve()
        return cls(load_settings(file), file.parent, progress=progress)

    @property
    def settings(self) -> Settings:
        """What `coffey.toml` says."""
        return self._space.settings

    @property
    def store(self) -> Path:
        """The folder of the project's store."""
        return self._space.store

    @property
    def workspace(self) -> Workspace:
        """The project's parts: teacher, label store, registry, keys."""
        return self._space

    def plan(self, *, probe: bool = False, quick: bool = False, pilot: bool = False) -> JsonObject:
        """Costs, savings, the break-even day and the candidates; with `probe`, from measurements here.

        A `quick` probe serves nothing: tens of seconds instead of minutes, and no rate under load. A `pilot`
        trains the candidates briefly, to foresee their quality.
        """
        from coffey.project.planning import plan_project

        return plan_project(self._space, probe=probe, quick=quick, pilot=pilot)

    def reconcile(self) -> JsonObject:
        """What the last plan before the last `distill` forecast, beside what happened."""
        from coffey.project.reconciling import reconcile_project

        return reconcile_project(self._space)

    def label(self) -> LabelResult:
        """Ask the teacher for what the label store lacks."""
        from coffey.project.distilling import prepare

        return prepare(self._space).labelled.result

    def distill(self, *, compare: bool = False, report: bool = True) -> DistillResult:
        """Train the chain, export, gate and register a challenger; `compare` trains the control arms too."""
        from coffey.project.distilling import distill
        from coffey.project.reporting import keep_distill_report

        result = distill(self._space, compare=compare)
        return keep_distill_report(self._space, result) if report else result

    def bench(
        self, name: str | None = None, *, seconds: float = 10.0, http: bool = True, teacher: bool = True
    ) -> JsonObject:
        """Time a version, alias or artifact folder (the champion, else the challenger) beside the teacher."""
        from coffey.project.benching import bench_options, bench_project, find_student
        from coffey.project.reporting import keep_bench_report

        options = bench_options(self.settings, seconds=seconds, http=http)
        student = find_student(self._space, name)
        result = bench_project(self._space, student, options=options, teacher=teacher)
        return keep_bench_report(self._space, result, student)

    def tick(self) -> TickReport:
        """One idempotent step of audit and control."""
        from coffey.project.ticking import tick_project

        return tick_project(self._space)

    def report(self) -> Path:
        """Draw everything that was done so far into one HTML page; its path."""
        from coffey.project.reporting import whole_report

        return whole_report(self._space)

    def models(self) -> ModelsResult:
        """What is live and why."""
        from coffey.project.models import list_models

        return list_models(self._space.registry)

    def promote(self, name: str = "challenger", *, who: str = "python", reason: str = "") -> Version:
        """Make a version the champion.

        Raises:
            UnknownVersion: there is no such version.
            AliasMoved: another process promoted meanwhile.
        """
        registry = self._space.registry
        version = registry.resolve(name)
        evidence = {"reason": reason} if reason else {}
        registry.promote(version.name, evidence=evidence, who=who, instead_of=registry.alias(CHAMPION))
        return version

    def rollback(self, *, who: str = "python", reason: str = "asked for") -> Version:
        """Swap champion and previous; a running server follows within `serve.follow_seconds`.

        Raises:
            UnknownVersion: there is no previous champion.
        """
        self._space.registry.rollback(who=who, reason=reason)
        return self._space.registry.resolve(CHAMPION)
