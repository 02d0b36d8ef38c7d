import sys
import types

import msgspec
import numpy as np
import pytest

from mien.core.image import Image
from mien.models.mtcnn import MtcnnFacts, pyramid_levels
from mien.ops.boxes import iou

FACTS = MtcnnFacts((0.6, 0.7, 0.7), 0.709, 40, 400_000, 500, (0.5, 0.7, 0.7, 0.7))


@pytest.fixture(scope="module")
def detector(kit):
    return kit.stage("mtcnn")


@pytest.fixture(scope="module")
def published(monkeypatch_module):
    """MTCNN as facenet-pytorch publishes it; what it takes from torchvision is stood in for."""
    torch = pytest.importorskip("torch", reason="needs torch: make oracles")

    def batched_nms(boxes, scores, groups, threshold):
        kept = []
        order = scores.argsort(descending=True, stable=True).tolist()
        overlaps = torch.from_numpy(iou(boxes.numpy(), boxes.numpy()))
        for i in order:
            if all(groups[i] != groups[j] or overlaps[i, j] <= threshold for j in kept):
                kept.append(i)
        return torch.tensor(kept, dtype=torch.long)

    for name in ("torchvision", "torchvision.transforms", "torchvision.ops", "torchvision.ops.boxes"):
        monkeypatch_module.setitem(sys.modules, name, types.ModuleType(name))
    sys.modules["torchvision.transforms"].functional = None
    sys.modules["torchvision.ops.boxes"].batched_nms = batched_nms
    pytest.importorskip("requests", reason="needs facenet-pytorch: make oracles")
    facenet = pytest.importorskip("facenet_pytorch", reason="needs facenet-pytorch: make oracles")
    return facenet.MTCNN(min_face_size=40, keep_all=True, thresholds=[0.6, 0.7, 0.7], factor=0.709)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def overlaps(detector, published, pictures, sure=0.99):
    """IoU of each sure published face with the nearest of ours, and the greatest offset of its points."""
    import PIL.Image

    found_iou, offset = [], []
    for image in pictures:
        boxes, scores, points = published.detect(PIL.Image.fromarray(image.rgb), landmarks=True)
        found = detector([image], [None])[0]
        if boxes is None:
            assert not (found.score > sure).any()
            continue
        for box, score, five in zip(boxes, scores, points, strict=True):
            inside = box.min() >= 0 and (box[2:] <= image.size_wh).all()
            if score < sure or box[2] - box[0] < 44 or not inside:
                continue  # at the edge of what either looks for
            overlap = iou(found.box, box[None].astype(np.float32))[:, 0]
            found_iou.append(overlap.max(initial=0))
            best = int(overlap.argmax())
            offset.append(np.abs(found.points[best] - five).max() / (box[2] - box[0]))
    return np.array(found_iou), np.array(offset)


def test_boxes_are_those_that_facenet_pytorch_publishes(detector, published, demo_pictures):
    found, offset = overlaps(detector, published, demo_pictures)
    assert len(found) >= 3
    assert np.median(found) >= 0.93
    assert found.min() >= 0.85
    assert offset.max() < 0.06


@pytest.mark.slow
def test_boxes_are_those_that_facenet_pytorch_publishes_in_the_wild(detector, published, wild_pictures):
    """The published detector agrees with itself, after a shift by one pixel, no better than this."""
    found, offset = overlaps(detector, published, wild_pictures[::4])
    assert len(found) >= 40
    assert np.median(found) >= 0.93
    assert (found >= 0.9).mean() >= 0.85
    assert found.min() >= 0.8
    assert np.median(offset) < 0.03


def test_a_batch_equals_its_pictures(detector, demo_pictures):
    together = detector(demo_pictures[:4], [None] * 4)
    for image, faces in zip(demo_pictures, together, strict=False):
        alone = detector([image], [None])[0]
        np.testing.assert_allclose(alone.box, faces.box, atol=1e-3)
        np.testing.assert_allclose(alone.points, faces.points, atol=1e-3)
        assert faces.size_wh == image.size_wh


def test_pyramid_is_bounded():
    scale, size_wh = pyramid_levels((640, 480), FACTS)[0]
    assert (scale, size_wh) == (0.3, (193, 145))
    for _, (width, height) in pyramid_levels((20_000, 15_000), FACTS):
        assert width * height <= 402_000
    assert pyramid_levels((39, 39), FACTS) == []
    assert pyramid_levels((20_000, 50), FACTS)[0][1][1] >= 12


def test_pictures_smaller_than_a_face(detector):
    for height, width in ((1, 1), (1, 500), (39, 39), (500, 2)):
        faces = detector([Image(np.full((height, width, 3), 90, np.uint8))], [None])[0]
        assert len(faces) == 0
        assert faces.points.shape == (0, 5, 2)


def test_an_empty_batch(detector):
    assert detector([], []) == []


def test_a_face_cut_by_the_edge(detector, demo_pictures):
    image = demo_pictures[0]
    face = detector([image], [None])[0].largest()[0]
    left = int(face.box[0] + 0.25 * face.width)
    cut = Image(np.ascontiguousarray(image.rgb[:, left:]))
    found = detector([cut], [None])[0]
    assert len(found) >= 1
    assert abs(found.largest()[0].box[2] - (face.box[2] - left)) < 0.2 * face.width


def test_crops_in_blocks_equal_crops_at_once(detector, demo_pictures, monkeypatch):
    whole = detector(demo_pictures, [None] * len(demo_pictures))
    monkeypatch.setattr("mien.models.mtcnn._MOST_CROPS", 7)
    for one, two in zip(whole, detector(demo_pictures, [None] * len(demo_pictures)), strict=True):
        np.testing.assert_allclose(one.box, two.box, atol=1e-3)


@pytest.mark.parametrize(
    "wrong", [{"factor": 1.0}, {"min_face": 0}, {"thresholds": [0.6, 0.7]}, {"most_pixels": 0}]
)
def test_facts_out_of_range_are_refused(wrong):
    facts = msgspec.to_builtins(FACTS) | wrong
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(facts, MtcnnFacts)
