from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from coffey.serve.metrics import SECONDS, Histogram


def read(ask, port: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = ask(port, "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_count_what_was_asked(server, ask, artifact) -> None:
    """Requests by status, latency buckets, texts and the model are as the requests made them."""
    before = read(ask, server.port)
    for _ in range(3):
        ask(server.port, "POST", "/v1/predict", {"inputs": ["hello", "parcel"]})
    ask(server.port, "POST", "/v1/predict", b"nonsense")
    after = read(ask, server.port)

    def grown(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after[key] - before.get(key, 0.0)

    assert grown("coffey_requests_total", route="predict", status="200") == 3
    assert grown("coffey_requests_total", route="predict", status="422") == 1
    assert grown("coffey_request_seconds_count", route="predict") == 3
    assert grown("coffey_request_seconds_bucket", route="predict", le="+Inf") == 3
    assert grown("coffey_answered_total") == 6
    assert grown("coffey_traffic_served_total") == 6
    assert grown("coffey_run_inputs_sum") == 6
    assert after[("coffey_queue_inputs", ())] == 0
    assert after[("coffey_ready", ())] == 1
    assert after[("coffey_model_info", (("digest", artifact.name),))] == 1


def test_buckets_reach_from_50_microseconds_to_seconds() -> None:
    """A small model's latency falls between buckets, not below the first."""
    assert SECONDS[0] == 5e-05
    assert SECONDS[-1] == 5.0
    assert list(SECONDS) == sorted(set(SECONDS))


def test_a_histogram_counts_at_or_below_each_bound() -> None:
    """Prometheus's rule for `le`."""
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 3.0):
        histogram.observe(value)
    assert histogram.buckets() == [("1.0", 2), ("2.0", 4), ("+Inf", 5)]
    assert histogram.sum == 8.0
