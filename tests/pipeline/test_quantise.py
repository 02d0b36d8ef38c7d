import msgspec
import pytest

from mien import Mien, load_settings
from mien.errors import BadRequest
from mien.packs.store import PackStore


@pytest.fixture(scope="module")
def small(shared, modern_home, tmp_path_factory):
    """A `Mien` that may write: the packs of the other home, and one in eight bits."""
    home = tmp_path_factory.mktemp("small")
    (home / "packs").mkdir()
    for pack in (modern_home / "packs").iterdir():
        (home / "packs" / pack.name).symlink_to(pack)
    kit = Mien(load_settings(environ={}, home=home))
    kit.quantise("mobilefacenet", shared("data/faces_wild/people"))
    return kit


def test_a_pack_in_eight_bits_embeds_nearly_the_same(small, photos):
    (exact, close) = (
        next(
            Mien(msgspec.structs.replace(small.settings, embedder=name)).analyze(
                photos / "known/Barack Obama/blue-room-2010.jpg", ("embedding",)
            )
        ).faces
        for name in ("mobilefacenet", "mobilefacenet-int8")
    )
    (agreed,) = small.packs.get("mobilefacenet-int8").manifest.figures
    assert len(exact) == len(close) == 1
    assert 0.97 < float(exact.embedding[0] @ close.embedding[0]) < 1
    assert 0.97 < agreed.value < 1


def test_it_is_used_only_when_asked_for(small):
    assert "mobilefacenet-int8" in small.packs.present()
    assert small.manifest_for("embedding").name == "retail0095"
    assert PackStore(small.packs.folder).get("mobilefacenet-int8").manifest.threshold.fmr is None


def test_pictures_without_faces_teach_nothing(small, tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "grey.png")
    with pytest.raises(BadRequest, match="too few"):
        small.quantise("mobilefacenet", tmp_path)


def test_only_networks_can_be_quantised(small, photos):
    with pytest.raises(BadRequest, match="networks"):
        small.quantise("dlib-5", photos)
