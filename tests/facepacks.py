"""Packs for tests of single-face families: real ones of ../shared, and small ones written on the spot."""

from types import MappingProxyType

import numpy as np

from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.table import load_stage
from mien.packs.manifest import File, Licence, Manifest, Origin, Source
from mien.packs.pack import Pack
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings


def real_stages(folder, mirror, names):
    """Install packs from a folder of source files; their stages by name."""
    store = PackStore(folder, mirror.as_uri())
    runtime = Runtime("cpu", 1)
    return {name: load_stage(store.install(name, accept_licence=True), runtime, Settings()) for name in names}


def written_pack(folder, family, gives, facts, *, given=None, files=MappingProxyType({})):
    """A pack of networks that already lie in the folder."""
    manifest = Manifest(
        name="written",
        version=1,
        gives=gives,
        family=family,
        summary="",
        licence=Licence("x", "x", "x", commercial=True),
        origin=Origin("x", "x", "x", "x"),
        sources=tuple(
            Source(name, "https://nowhere.example/x", "0" * 64, len(files[name])) for name in files
        ),
        files=tuple(File(name, name) for name in files),
        input=given,
        facts=facts,
    )
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return Pack(manifest, folder)


def network(outputs, size_wh, nodes, constants):
    """ONNX bytes of a network `x` float32 `(n, 3, h, w)`, from nodes and arrays by name."""

    from onnx import TensorProto, helper, numpy_helper

    width, height = size_wh
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output], **more) for kind, inputs, output, more in nodes],
        "written",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, height, width))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


def constant_network(size_wh, values):
    """A network that says the same numbers `y` of every picture."""
    nodes = [
        ("ReduceMean", ["x"], "mean", {"axes": [1, 2, 3], "keepdims": 1}),
        ("Flatten", ["mean"], "flat", {}),
        ("Mul", ["flat", "zero"], "none", {}),
        ("Add", ["none", "values"], "y", {}),
    ]
    values = np.asarray(values, np.float32).reshape(1, -1)
    return network(["y"], size_wh, nodes, {"zero": np.float32(0), "values": values})


def centroid_network(size_wh):
    """A network that finds three points `y` `(n, 3, 2)`: where red, green and blue are, in pixels."""
    width, height = size_wh
    grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5))[:, None, None]
    nodes = [
        ("ReduceSum", ["x", "plane"], "mass", {"keepdims": 0}),
        ("Max", ["mass", "least"], "some", {}),
    ]
    for axis in "uv":
        nodes += [
            ("Mul", ["x", axis], f"{axis}x", {}),
            ("ReduceSum", [f"{axis}x", "plane"], f"{axis}sum", {"keepdims": 0}),
            ("Div", [f"{axis}sum", "some"], f"{axis}flat", {}),
            ("Unsqueeze", [f"{axis}flat", "last"], f"{axis}last", {}),
        ]
    nodes.append(("Concat", ["ulast", "vlast"], "y", {"axis": 2}))
    constants = {"plane": np.array([2, 3]), "last": np.array([2]), "least": np.float32(1e-6)}
    constants |= dict(zip("uv", grid.astype(np.float32), strict=True))
    return network(["y"], size_wh, nodes, constants)


def dotted(size_wh, dots, radius=3.0):
    """A black picture with a soft red, green and blue dot at three places."""
    x, y = np.meshgrid(np.arange(size_wh[0]), np.arange(size_wh[1]))
    planes = [255 * np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * radius**2)) for u, v in dots]
    return Image(np.stack(planes, 2).astype(np.uint8))


def turned(image, quarters):
    """A picture turned clockwise by quarters."""
    return image.with_(rgb=np.ascontiguousarray(np.rot90(image.rgb, -quarters)))


def turned_points(points, size_wh, quarters):
    """Where points of a picture of this size are after its turn."""
    width, height = size_wh
    for _ in range(quarters % 4):
        points = np.stack([height - 1 - points[..., 1], points[..., 0]], -1)
        width, height = height, width
    return points


def turned_faces(faces, quarters):
    """Box, score and points of faces after the turn of their picture."""
    corners = turned_points(faces.box.reshape(-1, 2, 2) - 0.5, faces.size_wh, quarters) + 0.5
    box = np.concatenate([corners.min(1), corners.max(1)], 1)
    size_wh = faces.size_wh[:: -1 if quarters % 2 else 1]
    points = None if faces.points is None else turned_points(faces.points, faces.size_wh, quarters)
    return Faces(size_wh, box, faces.score, points=points)


def mirrored(image):
    """The mirror image."""
    return image.with_(rgb=np.ascontiguousarray(image.rgb[:, ::-1]))


def mirrored_faces(faces):
    """Box, score and points of faces in the mirror image; eyes and mouth corners change sides."""
    width = faces.size_wh[0]
    box = faces.box[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [width, 0, width, 0]
    points = faces.points[:, [1, 0, 2, 4, 3]] * [-1, 1] + [width - 1, 0]
    return Faces(faces.size_wh, box, faces.score, points=points)
