"""What `deploy/` says is valid where it is sent, and true of the server that it starts."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer.main
import yaml

from coffey.artifact.signing import PUBLIC_KEY
from coffey.cli.app import app
from coffey.control import gauges
from coffey.core.settings import ServeSettings
from coffey.serve import metrics
from coffey.serve.routes import routes
from coffey.serve.server import ServeOptions
from coffey.traffic.ledger import METRIC as LEDGER

DEPLOY = Path(__file__).parents[1] / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
MANIFESTS = [path for path in KUBERNETES if path.name != "kustomization.yaml"]
VERSION = "1.34"
LOG_FLUSH_S = 5


def read(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


DEPLOYMENT = read(DEPLOY / "kubernetes" / "deployment.yaml")
POD = DEPLOYMENT["spec"]["template"]["spec"]
SERVER = POD["containers"][0]
TICK = read(DEPLOY / "kubernetes" / "tick.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
KSERVE = read(DEPLOY / "kserve.yaml")["spec"]["predictor"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "coffey.json").read_text(encoding="utf-8"))
RULES = read(DEPLOY / "prometheus" / "coffey-rules.yaml")
_SUFFIX = re.compile(r"_(total|bucket|sum|count|info)$")
PODS = {"deployment": POD, "tick": TICK, "kserve": KSERVE}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_fits_its_schema(path: Path):
    """Strictly: an unknown field is refused."""
    kubernetes_validate.validate(read(path), VERSION, strict=True)


def test_the_schema_refuses_a_slip():
    """The check above can fail."""
    slipped = read(DEPLOY / "kubernetes" / "service.yaml")
    slipped["spec"]["prots"] = slipped["spec"].pop("ports")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(slipped, VERSION, strict=True)


def test_the_pod_that_kserve_starts_fits_the_schema_of_pods():
    """KServe's own fields aside, its predictor is the specification of a pod."""
    spec = {key: value for key, value in KSERVE.items() if key not in ("minReplicas", "maxReplicas")}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "predictor"}, "spec": spec}
    kubernetes_validate.validate(pod, VERSION, strict=True)


def test_the_kustomization_lists_every_manifest():
    assert set(read(DEPLOY / "kubernetes" / "kustomization.yaml")["resources"]) == {
        path.name for path in MANIFESTS
    }


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS.keys())
def test_a_pod_runs_a_command_that_exists_with_few_rights(pod: dict[str, Any]):
    """Not as root, no privilege to gain, nothing written outside its mounts, every mount a volume."""
    (container,) = pod["containers"]
    _parse(container["args"])
    rights = {**pod.get("securityContext", {}), **container["securityContext"]}
    assert rights["runAsNonRoot"]
    assert rights["readOnlyRootFilesystem"]
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}


def test_probes_ask_what_the_server_answers():
    """At the port that it listens on."""
    paths = {route.path for route in routes("support-intents") if route.method == "GET"}
    probes = [SERVER[key] for key in ("startupProbe", "readinessProbe", "livenessProbe")]
    kserve = KSERVE["containers"][0]
    probes += [kserve["readinessProbe"], kserve["livenessProbe"]]
    assert {probe["httpGet"]["path"] for probe in probes} <= paths
    scraped = DEPLOYMENT["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"]
    assert scraped in paths
    assert SERVER["ports"][0]["containerPort"] == ServeSettings().port == kserve["ports"][0]["containerPort"]


def test_selectors_find_the_servers():
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"].items()
    folder = DEPLOY / "kubernetes"
    selected = [
        DEPLOYMENT["spec"]["selector"]["matchLabels"],
        read(folder / "service.yaml")["spec"]["selector"],
        read(folder / "disruption-budget.yaml")["spec"]["selector"]["matchLabels"],
        read(folder / "network-policy.yaml")["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels for selector in selected)
    target = read(folder / "autoscaler.yaml")["spec"]["scaleTargetRef"]
    assert target["name"] == DEPLOYMENT["metadata"]["name"]


def test_kustomize_adds_no_label_to_who_may_ask():
    """It adds the application's labels to every `matchLabels` of pods, also to those of the clients."""
    policy = read(DEPLOY / "kubernetes" / "network-policy.yaml")
    peers = [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
    clients = [peer["podSelector"] for peer in peers if "podSelector" in peer]
    assert clients
    assert all(set(selector) == {"matchExpressions"} for selector in clients)


def test_the_autoscaler_alone_says_how_many_servers_run():
    """A number in the deployment would undo its work whenever the deployment is applied."""
    assert "replicas" not in DEPLOYMENT["spec"]
    assert read(DEPLOY / "kubernetes" / "autoscaler.yaml")["spec"]["minReplicas"] >= 2


def test_the_autoscaler_reads_a_metric_that_is_there():
    (scaled,) = read(DEPLOY / "kubernetes" / "autoscaler.yaml")["spec"]["metrics"]
    assert f'"{scaled["pods"]["metric"]["name"]}"' in Path(metrics.__file__).read_text(encoding="utf-8")


def test_a_leaving_server_has_the_time_it_takes():
    """Kubernetes and systemd kill it only after the drain, the requests in work and the flush of the log."""
    options = ServeOptions(resolve=lambda: None, load=lambda folder: None)
    needed = options.drain_seconds + options.finish_seconds + LOG_FLUSH_S
    for pod in (POD, KSERVE):
        waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] >= waits + needed
    unit = (DEPLOY / "systemd" / "coffey-serve.service").read_text(encoding="utf-8")
    (limit,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(limit) >= needed


def test_the_keys_are_called_what_the_server_looks_for():
    text = (DEPLOY / "kubernetes" / "deployment.yaml").read_text(encoding="utf-8")
    assert PUBLIC_KEY in text
    assert SERVER["args"][SERVER["args"].index("--api-keys") + 1].startswith("/etc/coffey/")


def test_the_dockerfile_is_free_of_findings():
    """Linted: building it needs an engine."""
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_dockerfile_copies_what_the_context_holds():
    """`.dockerignore` lets in exactly what is copied, and all of it is there."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for name in line.split()
    }
    ignored = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((DEPLOY.parent / name).exists() for name in copied)
    (command,) = re.findall(r"^CMD \[(.+)\]$", text, re.MULTILINE)
    _parse(re.findall(r'"([^"]+)"', command))


@pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
def test_a_unit_is_read_by_systemd(path: Path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(
        ["systemd-analyze", "verify", path],
        capture_output=True,
        text=True,
        check=False,
        cwd=DEPLOY / "systemd",
    )
    findings = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert findings == []


@pytest.mark.parametrize("path", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_exists(path: Path):
    (command,) = re.findall(r"^ExecStart=\S+/coffey (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    _parse(shlex.split(command))


def _parse(words: list[str]) -> None:
    """Read a command line as `coffey` would, without running it."""
    group: Any = typer.main.get_command(app)
    assert group.commands[words[0]].make_context(words[0], list(words[1:])) is not None


def expressions() -> list[str]:
    """Every query of the dashboard and of the alert rules."""
    drawn = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    marked = [one["expr"] for one in DASHBOARD["annotations"]["list"]]
    alerted = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    return drawn + marked + alerted


def test_queries_name_metrics_that_exist():
    """Of the server, its supervisor, or the gauges that a tick writes."""
    sources = (metrics, gauges)
    text = "".join(Path(str(one.__file__)).read_text(encoding="utf-8") for one in sources)
    known = set(re.findall(r'"(coffey_\w+)"', text)) | {LEDGER}
    known |= {f"coffey_{name}" for name in re.findall(r'put\(\s*"(\w+)"', text)}
    asked = {name for expression in expressions() for name in re.findall(r"coffey_\w+", expression)}
    assert len(asked) > 20
    assert {name for name in asked if name not in known and _SUFFIX.sub("", name) not in known} == set()


def test_panels_have_names_and_places_of_their_own():
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("what", ["check", "test"])
def test_alert_rules_say_what_they_should(what: str):
    """`promtool` reads them and plays the cases beside them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Prometheus) is not installed")
    name = {"check": "coffey-rules.yaml", "test": "coffey-rules-test.yaml"}[what]
    command = [promtool, what, "rules", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=DEPLOY / "prometheus")
    assert done.returncode == 0, done.stdout + done.stderr
