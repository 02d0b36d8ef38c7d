"""Asking by the Open Inference Protocol, written down from its specification."""

import json

import numpy as np

LENGTH = "inference-header-content-length"


def plain(name, array, datatype="FP32", *, nested=False):
    """A tensor in JSON."""
    data = array.tolist() if nested else array.ravel().tolist()
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": data}


def infer(server, model, *inputs, **more):
    """Send tensors in JSON; the answer as it comes."""
    return server.client.post(f"/v2/models/{model}/infer", json={"inputs": inputs, **more})


def infer_bytes(server, model, arrays, content=None, **more):
    """Send float32 tensors as bytes behind the JSON; the answer as it comes."""
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": "FP32",
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array in arrays.items()
    ]
    head = json.dumps({"inputs": inputs, **more}).encode()
    behind = b"".join(array.tobytes() for array in arrays.values()) if content is None else content
    headers = {LENGTH: str(len(head)), "content-type": "application/octet-stream"}
    return server.client.post(f"/v2/models/{model}/infer", content=head + behind, headers=headers)


def outputs(answer):
    """The outputs of an answer as arrays, by name, wherever they are."""
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(LENGTH, len(answer.content)))
    told, behind, found = json.loads(answer.content[:length]), answer.content[length:], {}
    for one in told["outputs"]:
        assert one["datatype"] == "FP32"
        size = one.get("parameters", {}).get("binary_data_size")
        if size is None:
            array = np.array(one["data"], np.float32)
        else:
            array, behind = np.frombuffer(behind[:size], "<f4"), behind[size:]
        found[one["name"]] = array.reshape(one["shape"])
    assert not behind
    return found


def refused(answer, status):
    """Whether an answer is an error in the shape of the protocol."""
    return answer.status_code == status and answer.json().keys() == {"error"}
