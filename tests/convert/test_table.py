import pytest

from mien.convert.table import CONVERTERS, converter
from mien.errors import ManifestInvalid


@pytest.mark.parametrize("name", CONVERTERS)
def test_every_name_leads_to_a_function(name):
    assert callable(converter(name))


def test_unknown_name_lists_the_known():
    with pytest.raises(ManifestInvalid) as failure:
        converter("caffe2")
    assert "dlib-resnet" in failure.value.hint
