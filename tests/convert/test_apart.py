import io
import sys

import pytest

from mien.convert import apart
from mien.convert.apart import convert_apart
from mien.convert.table import CONVERTERS, converter
from mien.errors import ConversionFailed


def test_the_same_as_without(shared):
    source = shared("models/open/fer2013_mini_XCEPTION.102-0.66.hdf5").read_bytes()
    assert convert_apart("keras", [source]) == converter("keras")(source)


def test_refusals_come_back_with_their_hint():
    pytest.importorskip("h5py")
    with pytest.raises(ConversionFailed) as inside:
        converter("keras")(b"no Keras file")
    with pytest.raises(ConversionFailed) as outside:
        convert_apart("keras", [b"no Keras file"])
    assert (outside.value.message, outside.value.hint) == (inside.value.message, inside.value.hint)


@pytest.mark.parametrize("code", ["import os; os.abort()", "bytearray(1 << 40)", "raise SystemError"])
def test_a_crash_is_a_refusal(code, monkeypatch, tmp_path):
    script = tmp_path / "child"
    script.write_text(f"#!{sys.executable}\n{code}\n")
    script.chmod(0o755)
    monkeypatch.setattr(apart.sys, "executable", str(script))
    with pytest.raises(ConversionFailed, match="crash"):
        convert_apart("keras", [b""])


def test_a_hang_is_a_refusal(monkeypatch, tmp_path):
    script = tmp_path / "child"
    script.write_text(f"#!{sys.executable}\nimport time; time.sleep(60)\n")
    script.chmod(0o755)
    monkeypatch.setattr(apart.sys, "executable", str(script))
    monkeypatch.setattr(apart, "_MOST_SECONDS", 0.2)
    with pytest.raises(ConversionFailed, match="busy"):
        convert_apart("keras", [io.BytesIO().getvalue()])


def test_native_converters_exist():
    assert CONVERTERS.keys() >= apart.NATIVE
