import io

import numpy as np
import onnxruntime
import pytest

from mien.convert.torch.minifasnet import v1se, v2
from mien.convert.torch.mobilefacenet import foamliu
from mien.errors import ConversionFailed

torch = pytest.importorskip("torch", reason="needs torch: make oracles")
nn = torch.nn

# Channels after widening, per block; the widths between blocks are 64, 128, 128.
V2 = [32, 103, (13, 13, 13, 13), 231, (231, 52, 26, 77, 26, 26), 308, (26, 26)]
V1SE = [32, 103, (13, 26, 13, 52), 231, (154, 52, 26, 52, 26, 26), 308, (26, 26)]
FILES = {"v2": "2.7_80x80_MiniFASNetV2.pth", "v1se": "4_0_0_80x80_MiniFASNetV1SE.pth"}
CONVERTERS = {"v2": v2, "v1se": v1se}


class Unit(nn.Module):
    def __init__(self, before, width, size=1, stride=1, pad=0, group=1, active=True):
        super().__init__()
        self.conv = nn.Conv2d(before, width, size, stride, pad, groups=group, bias=False)
        self.bn = nn.BatchNorm2d(width)
        if active:
            self.prelu = nn.PReLU(width)

    def forward(self, x):
        x = self.bn(self.conv(x))
        return self.prelu(x) if hasattr(self, "prelu") else x


class Squeeze(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1, self.bn1 = nn.Conv2d(width, width // 4, 1, bias=False), nn.BatchNorm2d(width // 4)
        self.fc2, self.bn2 = nn.Conv2d(width // 4, width, 1, bias=False), nn.BatchNorm2d(width)

    def forward(self, x):
        y = torch.relu(self.bn1(self.fc1(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(self.bn2(self.fc2(y)))


class Block(nn.Module):
    def __init__(self, before, inner, width, stride=1, squeeze=False):
        super().__init__()
        self.conv = Unit(before, inner)
        self.conv_dw = Unit(inner, inner, 3, stride, 1, inner)
        self.project = Unit(inner, width, active=False)
        self.residual = stride == 1
        if squeeze:
            self.se_module = Squeeze(width)

    def forward(self, x):
        y = self.project(self.conv_dw(self.conv(x)))
        if hasattr(self, "se_module"):
            y = self.se_module(y)
        return x + y if self.residual else y


class Stage(nn.Module):
    def __init__(self, width, inners, squeeze):
        super().__init__()
        last = len(inners) - 1
        self.model = nn.Sequential(
            *(Block(width, inner, width, 1, squeeze and i == last) for i, inner in enumerate(inners))
        )

    def forward(self, x):
        return self.model(x)


class MiniFASNet(nn.Module):
    def __init__(self, widths, squeeze):
        super().__init__()
        first, a, stage3, b, stage4, c, stage5 = widths
        self.conv1 = Unit(3, first, 3, 2, 1)
        self.conv2_dw = Unit(first, first, 3, 1, 1, first)
        self.conv_23, self.conv_3 = Block(first, a, 64, 2), Stage(64, stage3, squeeze)
        self.conv_34, self.conv_4 = Block(64, b, 128, 2), Stage(128, stage4, squeeze)
        self.conv_45, self.conv_5 = Block(128, c, 128, 2), Stage(128, stage5, squeeze)
        self.conv_6_sep = Unit(128, 512)
        self.conv_6_dw = Unit(512, 512, 5, group=512, active=False)
        self.linear, self.bn = nn.Linear(512, 128, bias=False), nn.BatchNorm1d(128)
        self.prob = nn.Linear(128, 3, bias=False)

    def forward(self, x):
        x = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(x))))
        x = self.conv_5(self.conv_45(self.conv_4(self.conv_34(x))))
        x = self.conv_6_dw(self.conv_6_sep(x)).flatten(1)
        return self.prob(self.bn(self.linear(x)))


def relu6(before, width, size=1, stride=1, group=1):
    return nn.Sequential(
        nn.Conv2d(before, width, size, stride, size // 2, groups=group, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU6(),
    )


class Inverted(nn.Module):
    def __init__(self, before, inner, width, stride):
        super().__init__()
        self.conv = nn.Sequential(
            relu6(before, inner),
            relu6(inner, inner, 3, stride, inner),
            nn.Conv2d(inner, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.residual = stride == 1 and before == width

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class Depthwise(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)
        self.pointwise = nn.Conv2d(64, 64, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(64), nn.BatchNorm2d(64)

    def forward(self, x):
        return torch.relu(self.bn2(self.pointwise(torch.relu(self.bn1(self.depthwise(x))))))


class Global(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise, self.bn = nn.Conv2d(512, 512, 7, groups=512, bias=False), nn.BatchNorm2d(512)

    def forward(self, x):
        return self.bn(self.depthwise(x))


class MobileFaceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.dw_conv = relu6(3, 64, 3, 2), Depthwise()
        rows = [(2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1)]
        blocks, before = [], 64
        for times, width, count, stride in rows:
            for i in range(count):
                blocks.append(Inverted(before, before * times, width, stride if i == 0 else 1))
                before = width
        self.features, self.conv2, self.gdconv = nn.Sequential(*blocks), relu6(128, 512), Global()
        self.conv3, self.bn = nn.Conv2d(512, 128, 1), nn.BatchNorm2d(128)

    def forward(self, x):
        x = self.gdconv(self.conv2(self.features(self.dw_conv(self.conv1(x)))))
        return self.bn(self.conv3(x)).flatten(1)


def shaken(module):
    """Statistics and slopes that a training might have left."""
    torch.manual_seed(5)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            for values, low, high in (
                (layer.weight, 0.5, 1.5),
                (layer.bias, -0.5, 0.5),
                (layer.running_mean, -0.3, 0.3),
                (layer.running_var, 0.3, 1.5),
            ):
                nn.init.uniform_(values, low, high)
        elif isinstance(layer, nn.PReLU):
            nn.init.uniform_(layer.weight, -0.5, 1.2)
    return module.eval()


def saved(state, **options):
    file = io.BytesIO()
    torch.save(state, file, **options)
    return file.getvalue()


def oracle(name):
    return MiniFASNet(V2, squeeze=False) if name == "v2" else MiniFASNet(V1SE, squeeze=True)


def assert_parity(model, onnx, x):
    session = onnxruntime.InferenceSession(onnx)
    found = session.run(None, {"image": x})[0]
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)


@pytest.mark.parametrize("name", ["v2", "v1se"])
def test_random_weights_equal_torch(name, rng):
    model = shaken(oracle(name))
    data = saved(model.state_dict())
    x = rng.uniform(0, 255, (2, 3, 80, 80)).astype(np.float32)
    assert_parity(model, CONVERTERS[name](data), x)
    assert CONVERTERS[name](data) == CONVERTERS[name](data)


@pytest.mark.parametrize("name", ["v2", "v1se"])
def test_real_weights_equal_torch(name, shared, rng):
    path = shared(f"models/open/{FILES[name]}")
    model = oracle(name).eval()
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    x = rng.uniform(0, 255, (3, 3, 80, 80)).astype(np.float32)
    assert_parity(model, CONVERTERS[name](path.read_bytes()), x)


def test_random_mobilefacenet_equals_torch(rng):
    model = shaken(MobileFaceNet())
    x = rng.standard_normal((2, 3, 112, 112)).astype(np.float32)
    assert_parity(model, foamliu(saved(model.state_dict())), x)


def test_mobilefacenet_equals_the_publishers_own_onnx(shared, rng):
    network = foamliu(shared("models/open/foamliu_mobilefacenet.pt").read_bytes())
    theirs = onnxruntime.InferenceSession(str(shared("models/open/foamliu_MobileFaceNet.onnx")))
    x = rng.standard_normal((2, 3, 112, 112)).astype(np.float32)
    found = onnxruntime.InferenceSession(network).run(["embedding"], {"image": x})[0]
    expected = np.concatenate([theirs.run(None, {"input0": one[None]})[0] for one in x])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_another_networks_weights_are_refused():
    plain, squeezed = (saved(oracle(name).state_dict()) for name in ("v2", "v1se"))
    with pytest.raises(ConversionFailed, match=r"there is no conv_3\.model\.3\.se_module\.fc1\.weight"):
        v1se(plain)
    with pytest.raises(ConversionFailed, match=r"tensors have no place, such as conv_3\.model\.3\.se_module"):
        v2(squeezed)
    with pytest.raises(ConversionFailed, match="MobileFaceNet"):
        foamliu(plain)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conv1.conv.weight", torch.zeros(32, 3, 5, 5)),
        ("conv1.conv.weight", torch.full((32, 3, 3, 3), float("nan"))),
        ("conv1.bn.running_var", -torch.ones(32)),
        ("conv1.bn.running_var", torch.ones(31)),
        ("conv2_dw.conv.weight", torch.zeros(64, 1, 3, 3)),
        ("conv_23.conv.prelu.weight", torch.zeros(1)),
        ("conv_34.project.conv.weight", torch.zeros(128, 8, 1, 1)),
        ("prob.weight", torch.zeros(4, 128)),
        ("prob.weight", torch.zeros(3, 64)),
        ("linear.weight", torch.zeros(128, 512, 1)),
    ],
)
def test_tensors_that_do_not_fit_are_refused(name, value):
    with pytest.raises(ConversionFailed):
        v2(saved({**oracle("v2").state_dict(), name: value}))
