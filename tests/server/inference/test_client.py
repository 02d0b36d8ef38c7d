"""NVIDIA's client of the protocol, as it is given out, against our server."""

import json
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

PYTHON = Path(__file__).resolve().parents[3] / ".oracles" / "triton" / "bin" / "python"


def test_tritonclient_gets_what_onnx_runtime_gives(serve, mien_home, rng, tmp_path):
    if not PYTHON.exists():
        pytest.skip("needs tritonclient: make oracles-server")
    image = rng.normal(0, 1, (2, 3, 24, 24)).astype(np.float32)
    np.save(tmp_path / "image.npy", image)
    with serve(wait=False) as server:
        key = server.key("detect")["authorization"].removeprefix("Bearer ")
        words = [
            PYTHON,
            Path(__file__).with_name("with_triton.py"),
            server.url.removeprefix("http://"),
            key,
            tmp_path,
        ]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["live"], told["model_ready"], told["unknown_ready"]) == (True, True, False)
    assert told["server"]["name"] == "mien"
    assert [one["name"] for one in told["model"]["outputs"]] == ["face", "shift"]
    assert "mtcnn:pnet" in {one["name"] for one in told["index"]}
    assert told["ids"] == ["binary", "json", "mixed"]
    assert "'nothing'" in told["error"]
    session = onnxruntime.InferenceSession(
        mien_home / "packs" / "mtcnn" / "rnet.onnx", providers=["CPUExecutionProvider"]
    )
    face, shift = session.run(["face", "shift"], {"image": image})
    for name in ("binary", "json"):
        found = np.load(tmp_path / f"{name}.npz")
        np.testing.assert_allclose(found["face"], face, atol=1e-5)
        np.testing.assert_allclose(found["shift"], shift, atol=1e-5)
    mixed = np.load(tmp_path / "mixed.npz")
    assert mixed.files == ["face"]
    np.testing.assert_allclose(mixed["face"], face, atol=1e-5)
