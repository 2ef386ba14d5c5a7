"""docker-compose.yml: by the schema, complete, in order, and with no more rights than needed."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import asyncpg
import pytest
from pydantic_settings import BaseSettings

from libs.runtime.databases import SERVICES, login_of
from libs.runtime.fresh_secrets import fresh_secrets
from libs.runtime.generated_settings import settings_of, variable_of
from libs.runtime.provisioning import ProvisioningSettings
from tests.support.compose import COMPOSE_FILE, compose, containers, filled_in, processes, variables
from tests.support.sources import ROOT

WITH_WORKER = sorted(service for service in SERVICES if (ROOT / "services" / service / "worker.py").exists())
WEB = [service.replace("_", "-") for service in SERVICES]
WORKERS = [f"{service.replace('_', '-')}-worker" for service in WITH_WORKER]
# Containers that run someone else's image.
BROUGHT = {"postgres", "kafka"}


def model_of(name: str) -> type[BaseSettings]:
    """The settings model of what a container runs."""
    command = containers()[name]["command"]
    return ProvisioningSettings if command == ["migrate"] else settings_of(command[1])


def test_it_follows_the_compose_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run(
        [*command, str(COMPOSE_FILE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_service_and_every_worker_has_its_container() -> None:
    assert containers().keys() == {*WEB, *WORKERS, "migrate", *BROUGHT}


def test_every_container_runs_what_it_is_named_after() -> None:
    for name, container in processes().items():
        role, *rest = container["command"]
        of_service = {"serve": "{}", "work": "{}-worker", "migrate": "migrate"}[role]
        assert of_service.format(rest[0].replace("_", "-") if rest else "") == name


def test_everything_waited_for_exists_and_can_be_waited_for() -> None:
    for name, container in containers().items():
        for other, wait in container.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in containers()[other], f"{name} waits for {other}'s health"
            else:
                assert (other, wait["condition"]) == ("migrate", "service_completed_successfully")


def test_nothing_of_ours_starts_before_the_migrations_are_done() -> None:
    for name in processes():
        assert ("postgres" if name == "migrate" else "migrate") in containers()[name]["depends_on"], name


def test_workers_wait_for_kafka_and_the_gateway_for_every_service() -> None:
    assert all("kafka" in containers()[worker]["depends_on"] for worker in WORKERS)
    assert {*WEB, "migrate"} - {"gateway"} == containers()["gateway"]["depends_on"].keys()


@pytest.mark.parametrize("name", processes())
def test_every_variable_is_a_setting_of_its_process(name: str) -> None:
    known = {variable_of(model_of(name), field) for field in model_of(name).model_fields}
    assert containers()[name]["environment"].keys() <= known


@pytest.mark.parametrize("name", processes())
def test_every_process_starts_with_its_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in filled_in(containers()[name]["environment"]).items():
        monkeypatch.setenv(variable, value)
    settings = model_of(name)()
    assert name == "migrate" or settings.model_dump()["environment"] == "production"


def test_every_service_logs_in_as_itself_with_its_own_password() -> None:
    for name, container in processes().items():
        if name != "migrate":
            service = container["command"][1]
            url = container["environment"]["YIBAO_DATABASE_URL"]
            assert re.fullmatch(
                rf"postgresql://{login_of(service)}:\$\{{{service.upper()}_PASSWORD:\?[^}}]+\}}@postgres/{service}",
                url,
            )
            used = set(re.findall(r"\$\{(\w+_PASSWORD)", json.dumps(container)))
            assert used == {f"{service.upper()}_PASSWORD"}


def test_the_gateway_reaches_every_service_by_its_container() -> None:
    upstream = json.loads(containers()["gateway"]["environment"]["YIBAO_UPSTREAM_URLS"])
    assert upstream == {
        service: f"http://{service.replace('_', '-')}:8000" for service in SERVICES if service != "gateway"
    }


def test_no_secret_has_a_default() -> None:
    assert {name for name, how in variables().items() if how != "?"} == {"YIBAO_PORT"}


def test_the_example_names_every_secret_and_gives_none() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not line.endswith("=")] == []
    named = {line.removesuffix("=") for line in lines}
    assert named == {name for name, how in variables().items() if how == "?"}
    assert named - fresh_secrets().keys() == {"EXCHANGE_KEYS_FOLDER", "PAPER_SEALS_FOLDER"}


@pytest.mark.parametrize("name", processes())
def test_our_processes_have_no_rights_they_do_not_need(name: str) -> None:
    container = containers()[name]
    assert container["user"] == "10001:10001"
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]


def test_every_container_has_limits_and_says_when_it_is_well() -> None:
    for name, container in containers().items():
        assert container["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert name == "migrate" or container["healthcheck"]["test"], name


def test_only_who_must_reaches_the_outside() -> None:
    assert compose()["networks"]["inside"]["internal"] is True
    outside = {name for name, container in containers().items() if "outside" in container["networks"]}
    assert outside == {"gateway", "transfer-worker"}
    assert {name for name, container in containers().items() if container.get("ports")} == {"gateway"}
    assert all(port.startswith("127.0.0.1:") for port in containers()["gateway"]["ports"])


async def test_postgres_has_the_version_of_the_embedded_one(database: str) -> None:
    connection = await asyncpg.connect(database)
    version = connection.get_server_version()
    await connection.close()
    assert containers()["postgres"]["image"] == f"postgres:{version.major}"


def test_kafka_has_the_version_of_the_development_broker() -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text(encoding="utf-8")
    version = re.findall(r"<kafka.version>([\d.]+)</kafka.version>", pom)
    assert [f"apache/kafka:{v}" for v in version] == [containers()["kafka"]["image"]]


def test_the_image_is_built_without_root_from_the_lock() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    final = dockerfile.split("FROM ")[-1]
    user = re.findall(r"^USER (\S+)", final, re.MULTILINE)
    assert user == [containers()["gateway"]["user"]]
    assert "--require-hashes -r /tmp/requirements-runtime.lock" in dockerfile
