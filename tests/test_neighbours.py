"""Tiles make no difference to nearest neighbours."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.tasks.neighbours import neighbours


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 99),
)
def test_they_are_those_of_the_whole_matrix(n, m, k, rows, columns, seed):
    draw = torch.Generator().manual_seed(seed)
    x, y = (
        torch.nn.functional.normalize(torch.randn(count, 6, generator=draw)) for count in (n, m)
    )
    forward, backward = neighbours(x, y, k, (rows, columns))
    for (cosines, found), matrix in ((forward, x @ y.T), (backward, y @ x.T)):
        expected = matrix.topk(min(k, matrix.shape[1]))
        torch.testing.assert_close(cosines, expected.values)
        torch.testing.assert_close(
            matrix.gather(1, found), expected.values
        )  # ties may be in another order


def test_memory_is_a_tile_not_the_matrix():
    x = torch.nn.functional.normalize(torch.randn(3000, 4))
    made = []
    original = torch.Tensor.__matmul__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            torch.Tensor,
            "__matmul__",
            lambda a, b: made.append(len(a) * b.shape[1]) or original(a, b),
        )
        neighbours(x, x, 2, (100, 200))
    assert max(made) == 20_000 and len(made) == 450
