import numpy as np
import pytest

from mien.gallery.index.pages import use_large_pages

MB = 1 << 20


@pytest.mark.parametrize("size", [0, 1, 4096, MB, 2 * MB + 1, 7 * MB])
@pytest.mark.parametrize("offset", [0, 3])
def test_what_is_in_memory_stays(rng, size, offset):
    content = rng.integers(0, 256, size + offset, np.uint8)
    before = content.copy()
    use_large_pages(content.ctypes.data + offset, size)
    np.testing.assert_array_equal(content, before)
