import asyncio
import json
import threading

import numpy as np
import onnxruntime
import pytest

from mien.errors import Overloaded, TimedOut
from mien.server.inference.tensors import MOST_ELEMENTS
from mien.server.inference.turns import Turns
from server.inference.asking import LENGTH, infer, infer_bytes, outputs, plain, refused


@pytest.fixture(scope="module")
def directly(mien_home):
    """Run a network of the starter set without Mien."""

    def run(pack, file, **inputs):
        path = mien_home / "packs" / pack / file
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return dict(zip([one.name for one in session.get_outputs()], session.run(None, inputs), strict=True))

    return run


@pytest.fixture
def faces(rng):
    return rng.normal(0, 1, (2, 3, 24, 24)).astype(np.float32)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].shape == array.shape
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("nested", [False, True])
def test_numbers_in_json_give_what_the_network_gives(server, directly, faces, nested):
    answer = infer(server, "mtcnn:rnet", plain("image", faces, nested=nested), id="a1")
    same(outputs(answer), directly("mtcnn", "rnet.onnx", image=faces))
    told = answer.json()
    assert (told["id"], told["model_name"], told["model_version"]) == ("a1", "mtcnn:rnet", "1")


def test_whole_numbers_are_numbers(server, directly):
    zeros = np.zeros((1, 3, 24, 24), np.float32)
    tensor = plain("image", zeros.astype(int))
    same(outputs(infer(server, "mtcnn:rnet", tensor)), directly("mtcnn", "rnet.onnx", image=zeros))


def test_an_id_is_given_back_only_if_there_is_one(server, faces):
    assert "id" not in infer(server, "mtcnn:rnet", plain("image", faces)).json()


def test_bytes_give_what_numbers_give(server, directly, faces):
    answer = infer_bytes(server, "mtcnn:rnet", {"image": faces})
    assert answer.headers["content-type"] == "application/json"
    same(outputs(answer), directly("mtcnn", "rnet.onnx", image=faces))


def test_outputs_as_bytes_all_or_one_by_one(server, directly, faces):
    expected = directly("mtcnn", "rnet.onnx", image=faces)
    every = infer_bytes(server, "mtcnn:rnet", {"image": faces}, parameters={"binary_data_output": True})
    assert every.headers["content-type"] == "application/octet-stream"
    assert json.loads(every.content[: int(every.headers[LENGTH])])["outputs"][0].keys() == {
        "name",
        "datatype",
        "shape",
        "parameters",
    }
    same(outputs(every), expected)
    wanted = [{"name": "shift", "parameters": {"binary_data": True}}, {"name": "face"}]
    same(outputs(infer(server, "mtcnn:rnet", plain("image", faces), outputs=wanted)), expected)
    wanted = [{"name": "shift", "parameters": {"binary_data": False}}]
    more = {"outputs": wanted, "parameters": {"binary_data_output": True}}
    answer = infer(server, "mtcnn:rnet", plain("image", faces), **more)
    assert LENGTH not in answer.headers
    same(outputs(answer), {"shift": expected["shift"]})


def test_sides_of_any_length_and_several_requests_at_once(server, directly, rng):
    pictures = [rng.normal(0, 1, (1, 3, 20 + i, 31)).astype(np.float32) for i in range(6)]
    answers = [None] * len(pictures)

    def ask(i):
        answers[i] = infer_bytes(server, "mtcnn:pnet", {"image": pictures[i]})

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(pictures))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for picture, answer in zip(pictures, answers, strict=True):
        same(outputs(answer), directly("mtcnn", "pnet.onnx", image=picture))


def test_what_the_network_cannot_be_run_on_is_refused(server):
    tiny = np.zeros((1, 3, 1, 1), np.float32)
    assert refused(infer(server, "mtcnn:pnet", plain("image", tiny)), 400)


ONE = np.zeros((1, 3, 24, 24), np.float32)
GOOD = plain("image", ONE)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": "picture"}, "picture"),
        ({"datatype": "FP16"}, "FP32"),
        ({"datatype": "fp32"}, "FP32"),
        ({"shape": [3, 24, 24]}, "shape"),
        ({"shape": [1, 3, 24, 25]}, "shape"),
        ({"shape": [0, 3, 24, 24]}, "shape"),
        ({"shape": [-1, 3, 24, 24]}, "shape"),
        ({"shape": [2, 3, 24, 24]}, "elements"),
        ({"shape": [10**30, 3, 24, 24]}, "elements"),
        ({"shape": [2428, 3, 24, 24]}, "at most"),
        ({"data": GOOD["data"][:-1]}, "elements"),
        ({"data": []}, "elements"),
        ({"data": [GOOD["data"]]}, "flat"),
        ({"data": ["0"] * 1728}, "flat"),
        ({"data": [None] * 1728}, "flat"),
        ({"data": [True] * 1728}, "flat"),
        ({"data": [[0] * 1727, 0]}, "no array"),
        ({"data": {"a": 1}}, "elements"),
        ({"data": [1e39] * 1728}, "beyond"),
        ({"data": [10**25] * 1728}, "flat"),
        ({"parameters": {"binary_data_size": 6912}}, "either"),
        ({"parameters": {"shared_memory_region": "x"}}, "shared_memory_region"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_a_reason(server, changes, word):
    answer = infer(server, "mtcnn:rnet", GOOD | changes)
    assert refused(answer, 400)
    assert word in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"inputs": []}',
        b'{"inputs": [{"name": "image"}]}',
        b'{"inputs": ' + b"[" * 100_000,
        b'{"inputs": [{"name": "image", "shape": [1, 3, 24, 24], "datatype": "FP32", "data": ' + b"[" * 5000,
        b"\xff\xfe",
    ],
)
def test_bodies_that_cannot_be_read_are_refused(server, body):
    assert refused(server.client.post("/v2/models/mtcnn:rnet/infer", content=body), 400)


def test_inputs_are_given_once_each(server):
    assert refused(infer(server, "mtcnn:rnet", GOOD, GOOD), 400)
    assert refused(infer(server, "mtcnn:rnet"), 400)


@pytest.mark.parametrize(
    "more",
    [
        {"outputs": [{"name": "nothing"}]},
        {"outputs": [{"name": "face", "parameters": {"classification": 2}}]},
        {"outputs": [{"name": "face", "parameters": {"binary_data": "yes"}}]},
        {"parameters": {"binary_data_output": 1}},
        {"outputs": "face"},
        {"id": 7},
    ],
)
def test_what_cannot_be_answered_is_refused(server, more):
    assert refused(infer(server, "mtcnn:rnet", GOOD, **more), 400)


@pytest.mark.parametrize("content", [b"", ONE.tobytes()[:-1], ONE.tobytes() + b"\0"])
def test_bytes_of_another_number_are_refused(server, content):
    assert refused(infer_bytes(server, "mtcnn:rnet", {"image": ONE}, content), 400)


@pytest.mark.parametrize("length", ["0", "-1", "10000000", "x", "1.5", ""])
def test_a_length_that_cannot_be_is_refused(server, length):
    body = json.dumps({"inputs": [GOOD]})
    answer = server.client.post("/v2/models/mtcnn:rnet/infer", content=body, headers={LENGTH: length})
    assert refused(answer, 400)


@pytest.mark.parametrize("size", [-1, "6912", True, 6912.5, 10**30])
def test_sizes_that_cannot_be_are_refused(server, size):
    tensor = {**GOOD, "parameters": {"binary_data_size": size}}
    del tensor["data"]
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {LENGTH: str(len(head))}
    answer = server.client.post("/v2/models/mtcnn:rnet/infer", content=head + ONE.tobytes(), headers=headers)
    assert refused(answer, 400)


def test_packed_bodies_are_not_unpacked(server):
    answer = server.client.post(
        "/v2/models/mtcnn:rnet/infer", content=b"\x1f\x8b", headers={"content-encoding": "gzip"}
    )
    assert refused(answer, 415)


def test_a_tensor_is_bounded_by_what_a_request_may_hold(serve):
    with serve(server={"max_body_bytes": 100_000}, wait=False) as server:
        assert refused(infer(server, "mtcnn:rnet", GOOD | {"shape": [15, 3, 24, 24]}), 400)
        large = np.zeros((15, 3, 24, 24), np.float32)
        assert refused(infer_bytes(server, "mtcnn:rnet", {"image": large}), 413)
    assert large.size < MOST_ELEMENTS


def test_networks_that_give_templates_are_for_keys_that_may_verify(serve):
    faces = np.zeros((1, 3, 150, 150), np.float32)
    with serve(wait=False) as server:
        server.client.headers = server.key("detect")
        assert refused(infer_bytes(server, "dlib-resnet29", {"image": faces}), 403)
        assert outputs(infer(server, "mtcnn:rnet", GOOD))
        server.client.headers = server.key("detect", "verify")
        assert outputs(infer_bytes(server, "dlib-resnet29", {"image": faces}))["embedding"].shape == (1, 128)
        server.client.headers = server.key("verify")
        assert refused(infer(server, "mtcnn:rnet", GOOD), 403)


def test_only_so_many_run_and_wait():
    free, running = threading.Event(), threading.Semaphore(0)

    def work():
        running.release()
        assert free.wait(10)
        return "done"

    async def placed(turns):
        async with turns.place():
            return await turns.do(work)

    async def asked():
        turns = Turns(at_once=2, waiting=1, timeout_s=10)
        tasks = [asyncio.create_task(placed(turns)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refusal:
            await placed(turns)
        assert refusal.value.retry_after_s
        await asyncio.to_thread(lambda: [running.acquire(timeout=10) for _ in range(2)])
        assert not running.acquire(blocking=False)
        free.set()
        return [*await asyncio.gather(*tasks), await placed(turns)]

    assert asyncio.run(asked()) == ["done"] * 4


def test_who_waits_too_long_is_told_so_and_what_fails_leaves_its_place():
    free = threading.Event()

    def fail():
        raise ValueError("of the network")

    async def asked():
        turns = Turns(at_once=1, waiting=1, timeout_s=0.01)
        first = asyncio.create_task(turns.do(free.wait))
        await asyncio.sleep(0)
        with pytest.raises(TimedOut):
            await turns.do(free.wait)
        free.set()
        assert await first
        with pytest.raises(ValueError, match="of the network"):
            await turns.do(fail)
        return await turns.do(lambda: "done")

    assert asyncio.run(asked()) == "done"
