import numpy as np
import pytest

from mien.evaluate.measures.comparisons import everybody


@pytest.fixture
def population(rng):
    """Draw people of a population: comparisons of three photographs of each; `blur` spoils them."""

    def draw(people, *, blur=0.45, alike=0.0):
        centres = rng.normal(size=(people, 16)) * (1 - alike)
        centres[:, 0] += 3 * alike
        vectors = centres.repeat(3, 0) + blur * rng.normal(size=(3 * people, 16))
        return everybody(vectors, np.repeat(np.arange(people), 3), "cosine")

    return draw


@pytest.fixture
def all_found():
    return lambda compared: np.ones(len(compared.person), bool)
