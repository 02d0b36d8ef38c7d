"""What is told to Docker, Kubernetes, systemd and proxies holds together with what the program does."""

import configparser
import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import typer
from fastapi.routing import APIRoute

from mien import load_settings
from mien.cli.exits import BY_ERROR
from mien.cli.main import app
from mien.errors import InferenceError, SettingsError
from mien.server.app import make_app
from mien.serving import Serving
from mien.settings import Settings

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
PAGE = ROOT / "docs" / "deploy.md"
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "Dockerfile.cuda"]
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
COMPOSE = ROOT / "compose.yaml"
EVERYTHING = [*DOCKERFILES, COMPOSE, PAGE, *sorted(path for path in DEPLOY.rglob("*") if path.is_file())]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
IMAGE = f"mien:{PROJECT['version']}"
UID = 10001
# What a request that has begun may take, and what the server adds.
GRACE_S = Serving().timeout_s + 5


def name(path):
    return path.name


def instructions(path):
    """A Dockerfile as (stage, instruction, rest); stages by name."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    stage, found = "", []
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.split(" AS ")[1]
        if word:
            found.append((stage, word, rest.strip()))
    return found


def lineage(path):
    """The stages of which the image consists that is built without --target, its own first."""
    parents = {stage: rest.split(" AS ")[0] for stage, word, rest in instructions(path) if word == "FROM"}
    stages = [list(parents)[-1]]
    while parents[stages[-1]] in parents:
        stages.append(parents[stages[-1]])
    return stages


def final(path, wanted):
    """What an instruction says in the image, the last word of its stages."""
    said = [
        rest
        for one in reversed(lineage(path))
        for stage, word, rest in instructions(path)
        if stage == one and word == wanted
    ]
    return said[-1] if said else None


def environment(path):
    lines = [
        rest
        for stage in lineage(path)
        for one, word, rest in instructions(path)
        if (one, word) == (stage, "ENV")
    ]
    return dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))


def documents():
    return [(path, one) for path in KUBERNETES for one in yaml.safe_load_all(path.read_text("utf-8"))]


def pods():
    for path, one in documents():
        if one["kind"] == "Pod":
            yield pytest.param(one["spec"], id=path.name)
        elif one["kind"] == "Deployment":
            yield pytest.param(one["spec"]["template"]["spec"], id=path.name)


def kind(wanted):
    (found,) = (one for _, one in documents() if one["kind"] == wanted)
    return found


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(COMPOSE.read_text("utf-8"))


@pytest.fixture(scope="module")
def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read(DEPLOY / "mien.service", "utf-8")
    return parser


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    found = make_app(load_settings(environ={}, home=tmp_path_factory.mktemp("home"), store="memory"))
    return {route.path for route in found.api.routes if isinstance(route, APIRoute)}


# Everywhere


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_variables_are_settings(path):
    known = {f"MIEN_{field.upper()}" for field in Settings.__struct_fields__ if field != "server"}
    known |= {f"MIEN_SERVER_{field.upper()}" for field in Serving.__struct_fields__}
    assert set(re.findall(r"\bMIEN_[A-Z_]+\b", path.read_text("utf-8"))) <= known


@pytest.mark.parametrize("path", EVERYTHING, ids=name)
def test_no_secret_is_written_down(path):
    text = path.read_text("utf-8")
    assert not re.search(r"mien_[0-9a-z]{13}_", text)
    assert not re.search(r"-----BEGIN|:[^/@\s]+@[a-z]", text)
    assert not re.search(
        r"(?i)\b(password|secret|token)\s*[:=]\s*['\"]?[\w/+]{6,}", text.replace("secretName", "")
    )


def test_images_are_pinned():
    froms = [
        rest.split(" AS ")[0]
        for path in DOCKERFILES
        for _, word, rest in instructions(path)
        if word == "FROM"
    ]
    given = {
        f"${{{argument}}}": value
        for path in DOCKERFILES
        for _, word, rest in instructions(path)
        if word == "ARG"
        for argument, _, value in [rest.partition("=")]
    }
    images = {
        re.sub(r"\$\{\w+\}", lambda found: given[found[0]], one) for one in froms if "/" in one or ":" in one
    }
    images |= {
        service["image"] for service in yaml.safe_load(COMPOSE.read_text("utf-8"))["services"].values()
    }
    images |= {container["image"] for pod in pods() for container in pod.values[0]["containers"]}
    assert len(images) == 5
    for image in images:
        tag = image.rpartition(":")[2]
        assert "/" not in tag
        assert re.search(r"\d", tag), image
        if "mien" in image:
            assert image.endswith(IMAGE)


# Images


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_images_run_as_nobody_special(path):
    assert final(path, "USER") == f"{UID}:{UID}"
    made = " ".join(rest for _, word, rest in instructions(path) if word == "RUN")
    assert f"useradd --uid {UID} --gid {UID}" in made
    assert f"--owner={UID} --group={UID} --mode=0700 /data" in made


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_images_start_the_server(path):
    # In exec form: signals arrive at the server, not at a shell.
    assert json.loads(final(path, "ENTRYPOINT")) == ["mien"]
    assert json.loads(final(path, "CMD")) == ["serve"]
    assert final(path, "STOPSIGNAL") == "SIGTERM"
    found = environment(path)
    settings = load_settings(
        environ={key: value for key, value in found.items() if key != "MIEN_HOME"}, home=Path("/data")
    )
    assert found["MIEN_HOME"] == "/data"
    assert json.loads(final(path, "VOLUME")) == ["/data"]
    assert final(path, "EXPOSE") == str(settings.server.port)
    assert not settings.server.on_loopback
    assert settings.device == ("cuda" if "cuda" in path.name else "cpu")


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_images_have_what_the_project_offers(path):
    asked = {
        extra
        for _, word, rest in instructions(path)
        if word == "ARG" and rest.startswith("EXTRAS=")
        for extra in rest.partition("=")[2].split(",")
    }
    assert {"server", "convert", "postgres"} <= asked <= set(PROJECT["optional-dependencies"])
    said = {rest for _, word, rest in instructions(path) if word == "ARG" and rest.startswith("EXTRAS=")}
    assert len(said) == 1  # the same where wheels are made and where they are installed


def test_only_what_images_need_is_sent_to_docker():
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "**"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for path in DOCKERFILES
        for _, word, rest in instructions(path)
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)
    included = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"][
        "targets"
    ]
    needed = {
        *included["wheel"]["force-include"],
        PROJECT["readme"],
        *PROJECT["license-files"],
        "pyproject.toml",
    }
    assert needed <= copied


@pytest.mark.parametrize("status", [200, 503, None])
def test_the_health_check_tells_what_the_server_says(status):
    checks = {final(path, "HEALTHCHECK").partition(" CMD ")[2] for path in DOCKERFILES}
    (check,) = checks
    command = json.loads(check)
    assert command[0] == "python"

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    asked = []
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        port = str(server.server_port)
        thread = threading.Thread(target=server.handle_request)
        if status is not None:
            thread.start()
        else:
            server.server_close()
        environ = {"PATH": os.environ["PATH"], "MIEN_SERVER_PORT": port, "http_proxy": "http://127.0.0.1:9"}
        done = subprocess.run(
            [sys.executable, *command[1:]], env=environ, stderr=subprocess.DEVNULL, timeout=30
        )
        if status is not None:
            thread.join()
    assert done.returncode == (0 if status == 200 else 1)
    assert asked == ([] if status is None else ["/v1/health/ready"])


# Compose


def test_services_are_locked_in(compose):
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        assert "cap_add" not in service
        assert service["restart"] == "unless-stopped"
        assert {"pids_limit", "mem_limit", "logging"} <= service.keys()
        assert all(re.search("noexec,nosuid,nodev$", one) for one in service["tmpfs"])
    assert compose["services"]["database"]["user"] == "999:999"


def test_secrets_are_files_that_exist_nowhere_in_the_project(compose):
    wanted = {secret for service in compose["services"].values() for secret in service["secrets"]}
    assert wanted == set(compose["secrets"])
    for secret in compose["secrets"].values():
        assert set(secret) == {"file"}
        assert secret["file"].startswith("./secrets/")
        assert f"{secret['file'][2:]}" in PAGE.read_text("utf-8")
    for service in compose["services"].values():
        mounted = {f"/run/secrets/{secret}" for secret in service["secrets"]}
        named = {value for value in service["environment"].values() if value.startswith("/run/secrets/")}
        assert named == mounted


def test_only_this_machine_reaches_the_service_and_nobody_the_database(compose):
    services = compose["services"]
    assert services["mien"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in services["database"]
    assert compose["networks"]["inside"]["internal"] is True
    assert services["database"]["networks"] == ["inside"]
    assert set(services["mien"]["networks"]) == {"inside", "outside"}
    address = services["mien"]["environment"]["MIEN_STORE"]
    user, host, database = re.fullmatch(r"postgresql://(\w+)@(\w+)/(\w+)", address).groups()
    assert host in services
    told = services[host]["environment"]
    assert (told["POSTGRES_USER"], told["POSTGRES_DB"]) == (user, database)
    assert f"{host}:5432:{database}:{user}:" in PAGE.read_text("utf-8")
    assert services["mien"]["depends_on"][host]["condition"] == "service_healthy"
    assert services[host]["healthcheck"]["test"][0] == "CMD"


def test_what_is_kept_is_in_volumes(compose):
    kept = [volume.split(":") for service in compose["services"].values() for volume in service["volumes"]]
    assert {source for source, _ in kept} == set(compose["volumes"])
    assert ["home", "/data"] in kept


def test_everybody_gets_time_to_finish(compose, unit):
    times = [
        float(compose["services"]["mien"]["stop_grace_period"].removesuffix("s")),
        float(unit["Service"]["TimeoutStopSec"]),
        float(kind("Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]),
        float(re.search(r"--stop-timeout (\d+)", PAGE.read_text("utf-8"))[1]),
    ]
    assert all(GRACE_S < one < 3 * GRACE_S for one in times)


# Kubernetes


@pytest.mark.parametrize("pod", list(pods()))
def test_pods_are_locked_in(pod):
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    told = pod["securityContext"]
    assert told["runAsNonRoot"] is True
    assert {told["runAsUser"], told["runAsGroup"], told["fsGroup"]} == {UID}
    assert told["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
    for container in pod["containers"]:
        guard = container["securityContext"]
        assert guard["allowPrivilegeEscalation"] is False
        assert guard["readOnlyRootFilesystem"] is True
        assert guard["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()


@pytest.mark.parametrize("pod", list(pods()))
def test_pods_write_to_volumes_and_read_keys_from_a_secret(pod):
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    (container,) = pod["containers"]
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert set(volumes) == {mount["name"] for mount in mounts.values()}
    assert (
        volumes[mounts["/data"]["name"]]["persistentVolumeClaim"]["claimName"]
        == (kind("PersistentVolumeClaim")["metadata"]["name"])
    )
    assert "emptyDir" in volumes[mounts["/tmp"]["name"]]
    told = {one["name"]: one["value"] for one in container["env"]}
    folder, _, file = told["MIEN_GALLERY_KEY"].rpartition("/")
    assert mounts[folder]["readOnly"] is True
    secret = volumes[mounts[folder]["name"]]["secret"]
    assert secret["defaultMode"] == 0o440
    assert f"create secret generic {secret['secretName']} --from-file={file}" in PAGE.read_text("utf-8")


def test_probes_ask_what_is_there_under_a_name_that_is_always_answered(routes):
    (container,) = kind("Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": Serving().port}
    probes = {one: container[one] for one in ("startupProbe", "readinessProbe", "livenessProbe")}
    for probe in probes.values():
        assert probe["httpGet"]["path"] in routes
        assert probe["httpGet"]["port"] in ports
        assert probe["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    # Whoever is only busy is not killed.
    assert probes["livenessProbe"]["httpGet"]["path"] == "/v1/health/live"
    assert probes["readinessProbe"]["httpGet"]["path"] == "/v1/health/ready"
    patience_s = probes["livenessProbe"]["periodSeconds"] * probes["livenessProbe"]["failureThreshold"]
    assert patience_s > Serving().timeout_s


def test_one_writer_of_sqlite_at_a_time():
    assert kind("Deployment")["spec"]["replicas"] == 1
    assert kind("Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert kind("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_labels_meet():
    deployment, service, policy = kind("Deployment"), kind("Service"), kind("NetworkPolicy")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    # The shell, which fetches networks, is not the server: no traffic is led to it, and it may go out.
    assert kind("Pod")["metadata"]["labels"] != labels
    assert policy["spec"]["egress"] == []
    assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert all(rule["from"] for rule in policy["spec"]["ingress"])
    assert service["spec"]["ports"][0]["targetPort"] == "http"


# systemd


def test_the_unit_is_locked_in(unit):
    service = unit["Service"]
    assert service["User"] == service["Group"] == "mien"
    assert "u mien " in (DEPLOY / "mien.sysusers").read_text("utf-8")
    on = ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "MemoryDenyWriteExecute")
    assert all(service[one] == "yes" for one in on)
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["Environment"] == f"MIEN_HOME=/var/lib/{service['StateDirectory']}"
    assert service["StateDirectoryMode"] == "0700"
    assert service["ExecStart"].split()[1:] == ["serve"]


def test_the_unit_gives_up_where_it_is_of_no_use_to_go_on(unit):
    codes = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    assert codes == {BY_ERROR[InferenceError], BY_ERROR[SettingsError]}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_no_fault(tmp_path):
    text = (DEPLOY / "mien.service").read_text("utf-8")
    copy = tmp_path / "mien.service"
    copy.write_text(re.sub("ExecStart=.*", f"ExecStart={shutil.which('true')}", text), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "mien.service" in line]) == (0, [])
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-300:]


# Proxies


@pytest.mark.parametrize("file", ["nginx.conf", "Caddyfile"])
def test_proxies_let_in_and_out_what_the_server_does(file):
    text = (DEPLOY / file).read_text("utf-8")
    (size,) = re.findall(r"(?:client_max_body_size|max_size) (\d+)", text)
    assert int(size) * 1024 * 1024 == Serving().max_body_bytes
    assert f"127.0.0.1:{Serving().port}" in text
    assert re.search(r"proxy_buffering off|flush_interval -1", text)
    assert "MIEN_SERVER_HOSTS" in text
    assert "MIEN_SERVER_ORIGINS" in text


def test_nginx_passes_on_what_the_server_goes_by_and_writes_nothing_down():
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for line in (
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "access_log off;",
        "proxy_request_buffering off;",
    ):
        assert line in text
    # Events say something every fifteen seconds.
    assert int(re.search(r"proxy_read_timeout (\d+)s", text)[1]) > max(15, Serving().timeout_s)


# The page


def commands():
    """Each `mien ...` of the page, however it is wrapped: words after it."""
    text = re.sub(r"\\\n", " ", PAGE.read_text("utf-8"))
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    lines += re.findall(r"`(mien [^`]+)`", text)
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[:2] == ["docker", "run"] and "--entrypoint" not in words and IMAGE in words:
            yield words[words.index(IMAGE) + 1 :]
        elif words[:3] == ["docker", "compose", "run"]:
            yield words[words.index("mien") + 1 :]
        elif words and (words[0] in {"mien", "sudo"} or "--" in words):
            programs = [i for i, word in enumerate(words) if word == "mien" or word.endswith("/bin/mien")]
            yield from (words[i + 1 :] for i in programs[-1:])


def test_commands_of_the_page_exist():
    seen = list(commands())
    assert ["keys", "create", "admin", "--scope", "admin"] in seen
    assert len(seen) > 12
    for words in seen:
        found, rest = typer.main.get_command(app), list(words)
        while rest and rest[0] in getattr(found, "commands", {}):
            found = found.commands[rest.pop(0)]
        assert not hasattr(found, "commands") or not words, words
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("-")} <= options, words


def test_extras_of_the_page_exist():
    text = PAGE.read_text("utf-8")
    asked = {one for many in re.findall(r"(?:\.\[|EXTRAS=)([a-z,]+)", text) for one in many.split(",")}
    assert {"server", "convert"} <= asked <= set(PROJECT["optional-dependencies"])


def test_routes_of_the_page_exist(routes):
    named = set(re.findall(r"`GET (/[\w/]+)`", PAGE.read_text("utf-8")))
    assert named == {"/v1/health/live", "/v1/health/ready", "/metrics"}
    assert named <= routes


def test_the_prometheus_example_is_yaml():
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(block)["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"127.0.0.1:{Serving().port}"]
