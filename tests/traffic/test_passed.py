"""What was not audited between two audits is counted once, by confidence, wherever it lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coffey.traffic.compact import compact
from coffey.traffic.layout import segments_folder
from coffey.traffic.passed import sum_rates
from coffey.traffic.segment import SegmentWriter
from coffey.traffic.selection import select

MODEL, EDGES = "ab" * 32, (0.2, 0.55)


@pytest.fixture
def log(tmp_path, make_records):
    """300 requests, of which the first 100 were drawn uniformly; some compacted, some not."""
    records = [replace(one, model=MODEL, audit=n % 7 == 3) for n, one in enumerate(make_records(300))]
    records[100:] = [replace(one, audit_probability=0.3, audit_rate=0.2) for one in records[100:]]
    for part in (records[0:200:2], records[1:200:2], records[200:]):
        writer = SegmentWriter.create(segments_folder(tmp_path))
        writer.append(part)
        writer.seal()
        if part[-1] is not records[-1]:
            compact(tmp_path)
    return tmp_path, records


def counted(records, moments, after):
    """The same by hand."""
    sums = np.zeros((len(moments), len(EDGES) + 1))
    for one in records:
        if not one.audit and after < one.unix_s <= moments[-1]:
            stretch = next(n for n, moment in enumerate(moments) if one.unix_s <= moment)
            rate = one.audit_probability if one.audit_rate is None else one.audit_rate
            sums[stretch, sum(one.confidence >= edge for edge in EDGES)] += rate
    return sums


@pytest.mark.parametrize("first", [0, 20, 150, 290])
def test_every_stretch_is_counted(log, first):
    """Rates are added up by bin, after the moment where the last count ended, up to the last audit."""
    root, records = log
    moments = [one.unix_s for one in records[first:] if one.audit]
    after = records[first].unix_s - 30.0
    found = sum_rates(select(root, model=MODEL), moments, after=after, edges=EDGES)
    np.testing.assert_allclose(found, counted(records, moments, after))
    assert found.sum() > 0


def test_without_an_audit_nothing_is_counted(log):
    """Nothing is read, either."""
    assert sum_rates(select(log[0]), [], after=0.0, edges=EDGES).shape == (0, 3)
