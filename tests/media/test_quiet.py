import logging
import warnings

import pytest

from mien.media.quiet import QuietDecoders


def warn_from(module):
    warnings.warn_explicit("odd", UserWarning, "file.py", 1, module=module)


def test_only_the_decoders_are_quiet():
    with QuietDecoders():
        warn_from("PIL.TiffImagePlugin")
        with pytest.raises(UserWarning, match="odd"):
            warn_from("somebody.else")
    with pytest.raises(UserWarning, match="odd"):
        warn_from("PIL.TiffImagePlugin")


def test_filters_return_when_the_last_one_leaves():
    before, quiet, handlers = list(warnings.filters), QuietDecoders(), list(logging.getLogger("PIL").handlers)
    quiet.__enter__()
    quiet.__enter__()
    quiet.__exit__(None, None, None)
    warn_from("PIL.PngImagePlugin")
    quiet.__exit__(None, None, None)
    assert warnings.filters == before
    assert logging.getLogger("PIL").handlers == handlers
    with quiet:  # and it can be used again
        warn_from("PIL.PngImagePlugin")


def test_an_error_inside_passes_through():
    quiet = QuietDecoders()
    with pytest.raises(ZeroDivisionError), quiet:
        raise ZeroDivisionError
    with pytest.raises(UserWarning, match="odd"):
        warn_from("PIL.PngImagePlugin")
