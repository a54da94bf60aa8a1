"""`coffey traffic sql` answers as a table and as JSON, and says what is wrong with a query."""

from __future__ import annotations

import json

import pytest

from coffey.cli.output import guarded
from coffey.cli.traffic import traffic


def run(capsys, *arguments):
    code = guarded(lambda: traffic(list(arguments)), debug=False)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def served(live):
    """A project with 40 served requests, of which every second was audited by a tick."""
    live.serve(live.known(40, seed=51))
    live.load().tick()
    return live


def test_the_log_and_the_audits_are_asked_in_sql(served, capsys):
    """JSON holds columns and rows; the table holds the same."""
    statement = "SELECT count(*) AS served, (SELECT count(*) FROM audits) AS audited FROM traffic"
    code, out, err = run(capsys, "sql", statement, "--config", str(served.config), "--json")
    assert code == 0, err
    assert json.loads(out) == {"columns": ["served", "audited"], "rows": [[40, 20]], "more": False}
    code, out, _ = run(
        capsys, "sql", "SELECT id FROM traffic", "--limit", "3", "--config", str(served.config)
    )
    assert code == 0
    assert "The first 3 rows" in out


def test_a_query_that_is_not_understood_is_a_usage_error(served, capsys):
    """Exit code 2 and the reason on stderr."""
    code, out, err = run(capsys, "sql", "DROP VIEW traffic", "--config", str(served.config))
    assert (code, out) == (2, "")
    assert "DROP is not a SELECT" in err
