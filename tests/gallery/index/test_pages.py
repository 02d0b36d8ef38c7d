import sys
from pathlib import Path

import numpy as np
import pytest

from mien.gallery.index.pages import use_large_pages

MB = 1 << 20


def large_mb():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("AnonHugePages"))


@pytest.mark.parametrize("size", [0, 1, 4096, MB, 2 * MB + 1, 7 * MB])
@pytest.mark.parametrize("offset", [0, 3])
def test_what_is_in_memory_stays(rng, size, offset):
    content = rng.integers(0, 256, size + offset, np.uint8)
    before = content.copy()
    use_large_pages(content.ctypes.data + offset, size)
    np.testing.assert_array_equal(content, before)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked")
def test_pages_become_large_where_the_kernel_has_them():
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not setting.exists() or "[never]" in setting.read_text():
        pytest.skip("large pages are switched off")
    # As FAISS has its memory: from malloc, in small pages.
    pieces = bytearray(64 * MB)
    before = large_mb()
    use_large_pages(np.frombuffer(pieces, np.uint8).ctypes.data, len(pieces))
    if large_mb() == before:
        pytest.skip("this kernel does not do it at once")
    assert large_mb() - before >= 32
