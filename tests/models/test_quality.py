import msgspec
import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.crops import Cut, cut_out
from mien.models.quality import Quality, QualityFacts, calibrated
from mien.models.stage import read_facts
from mien.packs.builtin import builtin_manifest
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

# ArcFace's template on 112 pixels, as InsightFace publishes it.
ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@pytest.fixture(scope="module")
def pack(shared, tmp_path_factory):
    mirror = f"file:{shared('models/open')}"
    return PackStore(tmp_path_factory.mktemp("quality") / "packs", mirror).install("lightqnet")


@pytest.fixture(scope="module")
def quality(pack):
    return Quality(pack, Runtime("cpu", 1), Settings())


@pytest.fixture(scope="module")
def found(kit, demo_pictures):
    pictures = demo_pictures[:4]
    faces = kit.stage("mtcnn")(pictures, [Faces.empty(picture.size_wh) for picture in pictures])
    assert sum(map(len, faces)) >= 4
    return pictures, faces


def test_calibration_joins_its_pairs_with_straight_lines():
    pairs = ((0.0, 0.0), (0.5, 0.2), (0.6, 1.0))
    np.testing.assert_allclose(
        calibrated(np.array([-1, 0, 0.25, 0.5, 0.55, 0.6, 2]), pairs), [0, 0, 0.1, 0.2, 0.6, 1, 1]
    )
    assert calibrated(np.zeros(0), pairs).shape == (0,)


def test_the_calibration_of_the_pack_keeps_every_order():
    facts = read_facts(builtin_manifest("lightqnet"), QualityFacts)
    raw = np.linspace(0, 0.65, 200)
    assert (np.diff(calibrated(raw, facts.calibration)) > 0).all()


@pytest.mark.parametrize("calibration", [[[0, 0]], [[0, 0], [0, 1]], [[0, 0.5], [1, 0.5]], [[0, 0], [1, 2]]])
def test_a_calibration_that_does_not_rise_is_refused(calibration):
    manifest = builtin_manifest("lightqnet")
    odd = msgspec.structs.replace(manifest, facts=manifest.facts | {"calibration": calibration})
    with pytest.raises(ManifestInvalid, match="lightqnet"):
        read_facts(odd, QualityFacts)


def test_the_cut_is_arcface_resized_from_112_to_96():
    cut = read_facts(builtin_manifest("lightqnet"), QualityFacts).cut
    # Pixel centres at integers: the edges of the pictures are resized, half a pixel outside.
    np.testing.assert_allclose(cut.template, (ARCFACE + 0.5) * 96 / 112 - 0.5, atol=1e-3)
    assert cut == Cut(by="points", template=cut.template)


def test_numbers_are_those_of_the_frozen_graph(quality, found, shared):
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python, the oracle")
    if not hasattr(cv2.dnn, "readNetFromTensorflow"):
        pytest.skip("this OpenCV reads no TensorFlow graphs")
    net = cv2.dnn.readNetFromTensorflow(str(shared("models/open/lightqnet-dm050.pb")))
    compared = 0
    for image, faces in zip(*found, strict=True):
        chips, _ = cut_out([image], [faces], quality.facts.cut, (96, 96))
        for chip, value in zip(chips, quality([image], [faces])[0].quality, strict=True):
            bgr = (chip[..., ::-1].astype(np.float32) - 128) / 128
            net.setInput(np.ascontiguousarray(bgr.transpose(2, 0, 1)[None]))
            assert value == pytest.approx(
                calibrated(net.forward()[0], quality.facts.calibration)[0], abs=1e-4
            )
            compared += 1
    assert compared >= 4


def test_a_blurred_face_is_worse(quality, found):
    for image, faces in zip(*found, strict=True):
        side = float(np.ptp(faces.box[:, ::2], axis=1).min(initial=200))
        blur = PIL.ImageFilter.GaussianBlur(side / 15)
        blurred = Image(np.asarray(PIL.Image.fromarray(image.rgb).filter(blur)))
        before, after = (quality([one], [faces])[0].quality for one in (image, blurred))
        assert (after < before - 0.1).all()


def test_a_batch_equals_single_pictures(quality, found):
    pictures, faces = found
    for image, given, together in zip(pictures, faces, quality(pictures, faces), strict=True):
        np.testing.assert_allclose(quality([image], [given])[0].quality, together.quality, atol=1e-3)


def test_no_face_and_no_picture(quality):
    image = Image(np.zeros((1, 1, 3), np.uint8))
    empty = Faces.empty((1, 1)).with_(points=np.zeros((0, 5, 2)))
    assert quality([image], [empty])[0].quality.shape == (0,)
    assert quality([], []) == []
