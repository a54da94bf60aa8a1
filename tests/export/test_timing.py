"""The quick timing orders a slow model after a fast one."""

from __future__ import annotations

from coffey.export.timing import median_ms


def test_more_work_takes_longer(variants):
    """Side by side in one run: the same runtime behind a wrapper that asks it ten times."""

    class Tenfold:
        def __init__(self, runtime):
            self.runtime = runtime

        def predict(self, texts):
            return [self.runtime.predict(texts) for _ in range(10)]

    runtime = variants.runtime()
    found = median_ms({"once": runtime, "tenfold": Tenfold(runtime)}, "play the music")
    assert 0 < found["once"] < found["tenfold"]
