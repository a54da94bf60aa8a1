"""The Python API: a project, and everything the commands do, under the same names."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coffey.core.progress import Progress, Silent
from coffey.core.settings import Settings
from coffey.dashboard.progress import RichProgress, is_watched
from coffey.project.configuration import load_settings
from coffey.project.frame import Frame
from coffey.project.wiring import open_modules
from coffey.project.workspace import Workspace
from coffey.registry.protocol import CHAMPION
from coffey.registry.version import Version

if TYPE_CHECKING:
    from coffey.core.records import JsonObject
    from coffey.project.distill_result import DistillResult
    from coffey.project.labelling import LabelResult
    from coffey.project.models import ModelsResult
    from coffey.project.publishing import PulledStudent, SavedCheckpoint
    from coffey.project.results import BenchOutcome, PlanResult
    from coffey.project.tick_result import TickResult


class Project:
    """One `coffey.toml` and its store.

    What the methods return shows itself: a few lines in a terminal (`rich.print`), verdict, figures and a
    chart in a notebook; `plot()` and `plots()` give the charts of the report, `to_arrow()` and `to_pandas()`
    the figures as a table.

    Example:
        ```python
        project = coffey.Project.load("coffey.toml")
        project.distill()
        project.promote()
        ```
    """

    def __init__(self, settings: Settings, folder: Path, *, progress: Progress | None = None) -> None:
        """Use `settings`; `folder` is what a python teacher and the user's own students are imported from.

        Without `progress`, it is drawn on stderr in a terminal or a notebook, and nobody hears it elsewhere.
        """
        open_modules(settings, folder)
        self._drawn = RichProgress() if progress is None and is_watched() else None
        self._space = Workspace(settings, folder, progress=progress or self._drawn or Silent())

    def __repr__(self) -> str:
        return f"<Project {self.settings.project.name!r} in {str(self.store)!r}>"

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

    def plan(self, *, probe: bool = False, quick: bool = False, pilot: bool = False) -> PlanResult:
        """Costs, savings, the break-even day and the candidates; with `probe`, from measurements here.

        A `quick` probe serves nothing: tens of seconds instead of minutes, and no rate under load. A `pilot`
        trains the candidates briefly, to foresee their quality.
        """
        from coffey.project.planning import plan_project
        from coffey.project.results import PlanResult

        with self._drawing():
            return PlanResult(plan_project(self._space, probe=probe, quick=quick, pilot=pilot))

    def reconcile(self) -> JsonObject:
        """What the last plan before the last `distill` forecast, beside what happened."""
        from coffey.project.reconciling import reconcile_project

        return reconcile_project(self._space)

    def label(self) -> LabelResult:
        """Ask the teacher for what the label store lacks."""
        from coffey.project.distilling import prepare

        with self._drawing():
            return prepare(self._space).labelled.result

    def distill(self, *, compare: bool = False, report: bool = True) -> DistillResult:
        """Train the chain, export, gate and register a challenger; `compare` trains the control arms too."""
        from coffey.project.distilling import distill
        from coffey.project.reporting import keep_distill_report

        with self._drawing():
            result = distill(self._space, compare=compare)
        return keep_distill_report(self._space, result) if report else result

    def bench(
        self, name: str | None = None, *, seconds: float = 10.0, http: bool = True, teacher: bool = True
    ) -> BenchOutcome:
        """Time a version, alias or artifact folder (the champion, else the challenger) beside the teacher."""
        from coffey.project.benching import bench_options, bench_project, find_student
        from coffey.project.reporting import keep_bench_report
        from coffey.project.results import BenchOutcome

        options = bench_options(self.settings, seconds=seconds, http=http)
        student = find_student(self._space, name)
        with self._drawing():
            result = bench_project(self._space, student, options=options, teacher=teacher)
        return BenchOutcome(keep_bench_report(self._space, result, student))

    def tick(self) -> TickResult:
        """One idempotent step of audit and control."""
        from coffey.project.tick_result import TickResult
        from coffey.project.ticking import tick_project

        with self._drawing():
            return TickResult.of(tick_project(self._space))

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

    def save_checkpoint(self, folder: str | Path, name: str | None = None) -> SavedCheckpoint:
        """Write a version (the champion, else the challenger) as a `transformers` checkpoint.

        `AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)` loads it; its
        logits are held against the trained student's.

        Raises:
            UnknownVersion: there is no such version.
            ArtifactError: a student of a module of your own, which has no such form.
        """
        from coffey.project.publishing import save_checkpoint

        return save_checkpoint(self._space, Path(folder), name)

    def push(self, repo_id: str, name: str | None = None, *, private: bool = True) -> str:
        """Upload a version's checkpoint to the Hugging Face hub; the address of the commit.

        Raises:
            CoffeyError: the hub refused, or cannot be reached.
        """
        from coffey.project.publishing import push

        return push(self._space, repo_id, name, private=private)

    def pull(self, source: str | Path, *, revision: str | None = None) -> PulledStudent:
        """Take a student that Coffey wrote elsewhere, a folder or a hub id, as challenger, if it passes here.

        It is measured on this project's holdout; code that comes with it is not run.

        Raises:
            ArtifactError: Coffey did not write it.
            DataError: it gives other labels than the teacher.
        """
        from coffey.project.publishing import pull

        with self._drawing():
            return pull(self._space, str(source), revision=revision)

    def log_to_mlflow(self, name: str | None = None, *, register_as: str | None = None) -> Any:
        """Log a version's signed artifact and figures to MLflow, as a `pyfunc` model; its `ModelInfo`.

        It goes to the active run, or to a new one; `register_as` also registers it there.

        Raises:
            UnknownVersion: there is no such version.
            MissingExtra: MLflow is not installed.
        """
        from coffey.project.mlflow_logging import log_to_mlflow

        return log_to_mlflow(self._space, name, register_as=register_as)

    def sql(self, statement: str) -> Frame:
        """All rows of one SELECT over the views `traffic` and `audits`; see `coffey traffic sql`.

        Raises:
            QueryRefused: when it is read: it is not one SELECT, or it is not understood.
        """
        from coffey.project.querying import traffic_table

        return Frame(lambda: traffic_table(self._space, statement))

    def traffic(self) -> Frame:
        """Every served request that was logged; `sql` takes a part of them."""
        return self.sql("SELECT * FROM traffic")

    def audits(self) -> Frame:
        """Every audit: the student's answer beside the teacher's."""
        return self.sql("SELECT * FROM audits")

    def soft_labels(self) -> Frame:
        """The teacher's answers to the transfer set and the holdout, as far as it was asked."""
        from coffey.project.soft_labels import soft_label_table

        return Frame(lambda: soft_label_table(self._space))

    def _drawing(self) -> AbstractContextManager[object]:
        """Leaves the terminal as it was, however the block ends."""
        return self._drawn or nullcontext()
