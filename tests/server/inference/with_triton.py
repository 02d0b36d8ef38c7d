"""Drives NVIDIA's own client of the protocol; run by `test_client.py` in a venv that has it.

Arguments: host and port, API key, file with an array. Prints what it was told, as JSON, and writes arrays.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tritonclient.http as triton

address, key, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
headers = {"x-api-key": key}
client = triton.InferenceServerClient(address)
image = np.load(folder / "image.npy")


def infer(name, *, binary, outputs=None):
    """Run a network and write what it gives; the client adds to the headers."""
    tensor = triton.InferInput("image", list(image.shape), "FP32")
    tensor.set_data_from_numpy(image, binary_data=binary)
    found = client.infer("mtcnn:rnet", [tensor], outputs=outputs, headers=dict(headers), request_id=name)
    names = [one["name"] for one in found.get_response()["outputs"]]
    np.savez(folder / f"{name}.npz", **{one: found.as_numpy(one) for one in names})
    return found.get_response()["id"]


try:
    client.infer("nothing", [], headers=headers)
    error = ""
except triton.InferenceServerException as refusal:
    error = refusal.message()
told = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready("mtcnn:rnet", "1", headers=headers),
    "unknown_ready": client.is_model_ready("nothing", headers=headers),
    "server": client.get_server_metadata(headers=headers),
    "model": client.get_model_metadata("mtcnn:rnet", headers=headers),
    "index": client.get_model_repository_index(headers=headers),
    "ids": [
        infer("binary", binary=True),
        infer("json", binary=False),
        infer("mixed", binary=True, outputs=[triton.InferRequestedOutput("face", binary_data=False)]),
    ],
    "error": error,
}
client.close()
json.dump(told, sys.stdout)
