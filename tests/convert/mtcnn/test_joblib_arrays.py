import io
import os
import pickle

import numpy as np
import pytest

from mien.convert.mtcnn.joblib_arrays import read_arrays
from mien.errors import ConversionFailed

joblib = pytest.importorskip("joblib")
lz4 = pytest.importorskip("lz4.frame")


def packed(value):
    file = io.BytesIO()
    joblib.dump(value, file)
    return lz4.compress(file.getvalue())


def test_arrays_come_back(rng):
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in ((3, 4, 5), (7,), (0, 2))]
    for found, expected in zip(read_arrays(packed(arrays)), arrays, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_fortran_order(rng):
    array = np.asfortranarray(rng.standard_normal((4, 6)).astype(np.float32))
    np.testing.assert_array_equal(read_arrays(packed([array]))[0], array)


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_code_in_a_pickle_is_not_run(tmp_path):
    mark = str(tmp_path / "ran")
    with pytest.raises(ConversionFailed, match="mkdir"):
        read_arrays(lz4.compress(pickle.dumps(Evil(mark))))
    assert not (tmp_path / "ran").exists()


def test_every_cut_is_refused(rng):
    whole = lz4.decompress(packed([rng.standard_normal(9).astype(np.float32)]))
    for length in range(len(whole)):
        with pytest.raises(ConversionFailed):
            read_arrays(lz4.compress(whole[:length]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not lz4 at all",
        lz4.compress(b"not a pickle"),
        packed([np.array(["text"])]),
        packed([np.arange(3, dtype=">f4")]),
        packed([np.arange(3, dtype="i4")]),
        packed({"not": "a list"}),
        packed(["neither"]),
        packed([np.zeros(100, np.float32)])[:-60],
        lz4.compress(packed([np.zeros(3, np.float32)])),
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(ConversionFailed):
        read_arrays(data)
