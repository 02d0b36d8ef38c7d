import numpy as np
import onnxruntime
import pytest

from mien.convert.mtcnn.joblib_arrays import read_arrays
from mien.convert.mtcnn.networks import onet, pnet, rnet
from mien.errors import ConversionFailed

torch = pytest.importorskip("torch", reason="needs torch: make oracles")
F = pytest.importorskip("torch.nn.functional", reason="needs torch: make oracles")


@pytest.fixture(scope="module")
def weights(starter_files):
    folder = starter_files / "mtcnn" / "assets" / "weights"
    return {name: (folder / f"{name}net.lz4").read_bytes() for name in "pro"}


def tensors(data):
    return [torch.from_numpy(array.copy()) for array in read_arrays(data)]


def block(x, w, b, a):
    return F.prelu(F.conv2d(x, w.permute(3, 2, 0, 1), b), a.ravel())


def dense(x, w, b):
    return x @ w + b


def columns_first(x):
    return x.permute(0, 3, 2, 1).reshape(len(x), -1)


def forward_p(x, w):
    x = F.max_pool2d(block(x, *w[0:3]), 2, 2, ceil_mode=True)
    x = block(block(x, *w[3:6]), *w[6:9])
    shift = F.conv2d(x, w[9].permute(3, 2, 0, 1), torch.zeros(4)) + w[10].reshape(1, 4, 1, 1)
    face = F.conv2d(x, w[11].permute(3, 2, 0, 1), w[12]).softmax(1)[:, 1:]
    return {"face": face, "shift": shift}


def forward_r(x, w):
    x = F.max_pool2d(block(x, *w[0:3]), 3, 2, ceil_mode=True)
    x = F.max_pool2d(block(x, *w[3:6]), 3, 2, ceil_mode=True)
    x = columns_first(block(x, *w[6:9]))
    x = F.prelu(dense(x, *w[9:11]), w[11])
    return {"face": dense(x, *w[14:16]).softmax(1)[:, 1:], "shift": dense(x, *w[12:14])}


def forward_o(x, w):
    for i, size in ((0, 3), (3, 3), (6, 2)):
        x = F.max_pool2d(block(x, *w[i : i + 3]), size, 2, ceil_mode=True)
    x = F.prelu(dense(columns_first(block(x, *w[9:12])), *w[12:14]), w[14])
    face = dense(x, *w[19:21]).softmax(1)[:, 1:]
    return {"face": face, "shift": dense(x, *w[15:17]), "points": dense(x, *w[17:19])}


@pytest.mark.parametrize(
    ("name", "convert", "forward", "size"),
    [("p", pnet, forward_p, (63, 80)), ("r", rnet, forward_r, (24, 24)), ("o", onet, forward_o, (48, 48))],
)
def test_networks_equal_an_independent_forward(weights, rng, name, convert, forward, size):
    x = rng.standard_normal((3, 3, *size)).astype(np.float32)
    session = onnxruntime.InferenceSession(convert(weights[name]))
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"image": x}), strict=True))
    with torch.no_grad():
        expected = forward(torch.from_numpy(x), tensors(weights[name]))
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value.numpy(), atol=1e-4)


@pytest.mark.parametrize("convert", [pnet, rnet, onet])
def test_weights_of_another_network_are_refused(weights, convert):
    for name, own in (("p", pnet), ("r", rnet), ("o", onet)):
        if own is convert:
            assert convert(weights[name]) == convert(weights[name])
        else:
            with pytest.raises(ConversionFailed):
                convert(weights[name])
