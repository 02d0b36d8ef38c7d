import os
from pathlib import Path

import pytest

from mien.runtime import machine
from mien.runtime.machine import Machine, this_machine


def test_it_describes_this_machine():
    found = this_machine()
    assert found.cores >= 1
    assert found.onnxruntime != "unknown"
    if Path("/proc/meminfo").exists():
        total_kib = int(Path("/proc/meminfo").read_text().split()[1])
        assert found.memory_bytes == pytest.approx(1024 * total_kib, rel=0.01)


def test_the_processor_is_the_first_one_named(monkeypatch, tmp_path):
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Fast: One\nprocessor\t: 1\nmodel name\t: Other\n")
    monkeypatch.setattr(machine, "_CPUINFO", told)
    assert this_machine().processor == "Fast: One"


def test_a_system_that_tells_little_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(machine.platform, "processor", lambda: "arm")
    monkeypatch.setattr(machine.os, "sysconf", lambda name: int("no"))
    found = this_machine()
    assert (found.processor, found.memory_bytes) == ("arm", 0)


def test_what_is_not_known_is_empty():
    bare = Machine("1", "2", "3", "4", os.cpu_count() or 1)
    assert (bare.processor, bare.memory_bytes) == ("", 0)
