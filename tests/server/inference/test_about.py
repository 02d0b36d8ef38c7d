import hashlib
import shutil
from importlib.metadata import version

import onnxruntime
import pytest

from mien.packs.builtin import builtin_manifest
from server.inference.asking import refused

STARTER = ["dlib-resnet29", "mmod", "mtcnn:onet", "mtcnn:pnet", "mtcnn:rnet"]
TYPES = {"tensor(float)": "FP32"}


def get(server, path):
    answer = server.client.get(f"/v2{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("path", ["", "/"])
def test_the_server_says_what_it_is(server, path):
    told = get(server, path)
    assert (told["name"], told["version"]) == ("mien", version("mien"))
    assert "binary_tensor_data" in told["extensions"]


def test_health(server):
    assert get(server, "/health/live") == {"live": True}
    assert get(server, "/health/ready") == {"ready": True}
    server.service.stopping.set()
    try:
        answer = server.client.get("/v2/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"ready": False})
    finally:
        server.service.stopping.clear()


def test_each_network_of_each_installed_pack_is_a_model(server):
    # dlib-5 and dlib-68 are trees, not networks.
    assert sorted(get(server, "/models")["models"]) == STARTER


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": true}'])
def test_the_index_of_triton_lists_them_too(server, body):
    found = server.client.post("/v2/repository/index", content=body).json()
    assert sorted(one["name"] for one in found) == STARTER
    assert {(one["state"], one["reason"]) for one in found} == {("READY", "")}


@pytest.mark.parametrize("model", STARTER)
def test_a_model_has_the_tensors_of_its_file(server, mien_home, model):
    pack, _, stem = model.partition(":")
    manifest = builtin_manifest(pack)
    file = mien_home / "packs" / pack / (f"{stem}.onnx" if stem else manifest.files[0].name)
    told = get(server, f"/models/{model}/versions/{manifest.version}")
    assert told == get(server, f"/models/{model.replace(':', '%3A')}")
    assert (told["name"], told["platform"]) == (model, "onnx_onnxv1")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for mine, theirs in ((told["inputs"], session.get_inputs()), (told["outputs"], session.get_outputs())):
        shapes = [[side if isinstance(side, int) else -1 for side in one.shape] for one in theirs]
        names = [(one.name, TYPES[one.type], shape) for one, shape in zip(theirs, shapes, strict=True)]
        assert [(one["name"], one["datatype"], one["shape"]) for one in mine] == names
    facts = told["parameters"]
    assert facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (facts["pack"], facts["file"], facts["licence"]["id"]) == (pack, file.name, manifest.licence.id)
    assert facts["preprocessing"]["mean"] == list(manifest.input.mean)
    assert len(facts["preprocessing"]["scale"]) == 3
    embeds = pack == "dlib-resnet29"
    assert (facts["space"] is not None, facts["threshold"] is not None) == (embeds, embeds)
    assert get(server, f"/models/{model}/ready") == {"name": model, "ready": True}
    assert get(server, f"/models/{model}/versions/{manifest.version}/ready")["ready"] is True


@pytest.mark.parametrize(
    "model",
    ["nothing", "mtcnn", "mtcnn:nothing", "mtcnn:", ":pnet", "dlib-5", "mmod:mmod", "..", "mmod/versions/99"],
)
@pytest.mark.parametrize("rest", ["", "/ready"])
def test_what_is_no_model_is_unknown(server, model, rest):
    path = model.replace("..", "%2e%2e")
    assert refused(server.client.get(f"/v2/models/{path}{rest}"), 404)


def test_what_is_not_answered_is_an_error_of_the_protocol(server):
    assert refused(server.client.get("/v2/nothing"), 404)
    assert refused(server.client.delete("/v2/models"), 405)


def test_a_damaged_pack_is_listed_as_unavailable_and_does_not_hide_the_others(serve, mien_home, tmp_path):
    packs = tmp_path / "served" / "packs"
    shutil.copytree(mien_home / "packs", packs)
    (packs / "mmod" / "mmod.onnx").write_bytes(b"cut short")
    with serve() as server:
        found = {one["name"]: one["state"] for one in server.client.post("/v2/repository/index").json()}
        assert found["mmod"] == "UNAVAILABLE"
        assert found["mtcnn:pnet"] == "READY"
        ready = server.client.post("/v2/repository/index", json={"ready": True}).json()
        assert "mmod" not in {one["name"] for one in ready}
        assert refused(server.client.get("/v2/models/mmod/ready"), 503)


def test_models_are_for_keys_and_health_is_for_everybody(serve):
    with serve() as server:
        headers = server.key("search")
        assert refused(server.client.get("/v2"), 401)
        assert server.client.get("/v2", headers=headers).status_code == 200
        assert refused(server.client.get("/v2/models", headers=headers), 403)
        assert server.client.get("/v2/health/live").status_code == 200
