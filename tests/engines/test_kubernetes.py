"""The manifests of docs/kubernetes.yaml: valid, and run by a stand-in of Kubernetes on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import kubernetes_validate
import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT

SERIES = ("1.28", "1.31", "1.34")
QUICK = ["--space", "quick", "--trials", "4", "--confirm", "0", "--no-audit", "--no-report"]
Manifest = Mapping[str, Any]


class StandIn:
    """Runs containers as processes: replicas, arguments, services by selector, volumes as folders. No isolation."""

    def __init__(self, manifests: list[Manifest], *, volumes: Mapping[str, Path]) -> None:
        self._manifests, self._volumes = manifests, volumes
        self._ports = {str(service["metadata"]["name"]): self._port_of(service) for service in self.of("Service")}
        bin_folder = str(Path(sys.executable).parent)
        path = os.pathsep.join([bin_folder, os.environ["PATH"]])
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}

    def of(self, kind: str) -> list[Manifest]:
        """The manifests of a kind."""
        return [manifest for manifest in self._manifests if manifest["kind"] == kind]

    def words(self, template: Manifest) -> list[str]:
        """The command of a pod's only container, where services are ports of loopback and mounts are folders."""
        (container,) = template["spec"]["containers"]
        claims = {v["name"]: v["persistentVolumeClaim"]["claimName"] for v in template["spec"].get("volumes", ())}
        mounts = {m["mountPath"]: self._volumes[claims[m["name"]]] for m in container.get("volumeMounts", ())}
        words = [*container["command"], *container.get("args", ())]
        for name, (port, free) in self._ports.items():
            words = [word.replace(f"{name}:{port}", f"127.0.0.1:{free}") for word in words]
            if any(each["containerPort"] == port for each in container.get("ports", ())):
                words = [str(free) if word == str(port) else word for word in words]
        return [_moved(word, mounts) for word in words]

    def started(self, template: Manifest, *options: str, output: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """A pod, with options added to its command."""
        command = [*self.words(template), *options]
        return subprocess.Popen(command, env=self._environment, text=True, stdout=output, stderr=subprocess.STDOUT)

    def _port_of(self, service: Manifest) -> tuple[int, int]:
        """The port of a service, which a pod that it selects must offer, and a free one of loopback."""
        (port,) = (each["port"] for each in service["spec"]["ports"])
        selected = [
            container
            for deployment in self.of("Deployment")
            if service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
            for container in deployment["spec"]["template"]["spec"]["containers"]
        ]
        assert [each["containerPort"] for container in selected for each in container["ports"]] == [port]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            return port, free.getsockname()[1]


def _moved(word: str, mounts: Mapping[str, Path]) -> str:
    for place, folder in mounts.items():
        if word.startswith(f"{place}/"):
            return str(folder) + word.removeprefix(place)
    return word


@pytest.fixture
def manifests() -> list[Manifest]:
    """The documents of the file."""
    return list(yaml.safe_load_all((ROOT / "docs" / "kubernetes.yaml").read_text()))


@pytest.fixture
def volume(wear: pd.DataFrame, tmp_path: Path) -> Iterator[Path]:
    """The volume of the search, with the data on it."""
    folder = tmp_path / "volume"
    folder.mkdir()
    wear.rename(columns={"tool_wear": "wear", "run": "tool"}).to_csv(folder / "machine.csv", index=False)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("series", SERIES)
def test_the_manifests_are_valid(manifests: list[Manifest], series: str) -> None:
    """By Kubernetes' own schemas; an unknown field is an error."""
    for manifest in manifests:
        kubernetes_validate.validate(manifest, series, strict=True)


def test_the_policy_and_the_selectors_cover_all_pods(manifests: list[Manifest]) -> None:
    """Every pod may talk to the scheduler and nobody else may; each deployment selects its own pods."""
    templates = [manifest["spec"]["template"] for manifest in manifests if "template" in manifest["spec"]]
    (policy,) = (manifest["spec"] for manifest in manifests if manifest["kind"] == "NetworkPolicy")
    (allowed,) = (rule["podSelector"]["matchLabels"] for rule in policy["ingress"][0]["from"])
    for template in templates:
        assert allowed.items() <= template["metadata"]["labels"].items()
    for manifest in manifests:
        if manifest["kind"] == "Deployment":
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            assert manifest["spec"]["selector"]["matchLabels"] == labels


def test_the_search_runs_on_its_workers(manifests: list[Manifest], volume: Path) -> None:
    """Scheduler, three workers and the job, each with the command of its manifest; then the job's successor."""
    stand_in = StandIn(manifests, volumes={"cemai-data": volume})
    (job,) = stand_in.of("Job")
    with ExitStack() as pods:
        for deployment in stand_in.of("Deployment"):
            for _ in range(deployment["spec"]["replicas"]):
                pod = stand_in.started(deployment["spec"]["template"])
                pods.enter_context(pod)
                pods.callback(pod.terminate)
        for _ in range(2):  # the second one resumes a run that is complete
            driver = stand_in.started(job["spec"]["template"], *QUICK, output=subprocess.PIPE)
            said, _ = driver.communicate(timeout=180)
            assert driver.returncode == 0, said
    trials = (volume / "runs" / "machine" / "trials.jsonl").read_text().splitlines()
    assert len(trials) >= 4
