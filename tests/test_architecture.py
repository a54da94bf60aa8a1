"""The rooms and who may enter them: the contracts hold, and each catches what it forbids."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def with_planted(tmp_path: Path, module: str, line: str) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file = tmp_path / "src" / module
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text() if file.exists() else '"""Planted."""\n'
    file.write_text(f"{before}\n{textwrap.dedent(line)}\n")
    return tmp_path


@pytest.mark.slow
def test_the_contracts_hold():
    """The tree as it is keeps every import contract."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("coffey/core/ids.py", "import coffey.stats.intervals", "Layers"),
        ("coffey/serve/dataplane.py", "def later():\n    import coffey.traffic.compact", "A server loads"),
        ("coffey/monitor/drift.py", "import torch", "The serving half"),
        ("coffey/project/project.py", "import coffey.teacher.checkpoint", "Backends are chosen"),
        ("coffey/distill/chain.py", "import coffey.testing.teacher", "Product code"),
        ("coffey/traffic/query.py", "import starlette", "Web framework"),
        ("coffey/stats/intervals.py", "import coffey.stats.percentiles", "No cycles"),
        ("coffey/surprise/__init__.py", "import coffey.core.ids", "Layers"),
    ],
)
def test_a_planted_import_is_caught(tmp_path, module, line, contract):
    """Each contract breaks when a forbidden import is planted, and names itself."""
    folder = with_planted(tmp_path, module, line)
    if contract == "No cycles":
        with (folder / "src/coffey/stats/percentiles.py").open("a") as file:
            file.write("\nimport coffey.stats.intervals\n")
    result = lint(folder)
    assert result.returncode != 0
    broken = [row for row in result.stdout.splitlines() if "BROKEN" in row or "not listed" in row.lower()]
    assert any(contract in row for row in broken) or contract in result.stdout, result.stdout


def test_every_module_says_what_it_is_for():
    """Every module of the package starts with a docstring."""
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.py")
        if not path.read_text().lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == []
