"""The benchmark of language models builds and runs what it times."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.benchmarks.language import build, eager, session


def test_given_a_shape_it_is_exported_and_runs_as_onnx_and_in_pytorch(tmp_path: Path) -> None:
    paths = build(tmp_path, lambda _: None, only=("6 layers",))

    assert list(paths) == ["6 layers fp32", "6 layers int8"]
    runners = [session(name, path, 1) for name, path in paths.items()]
    ids = np.full((2, 5), 1000)
    shapes = [
        [tuple(output.shape) for output in runner.run(ids)] for runner in (*runners, eager(1))
    ]
    assert shapes[0] == shapes[1] == shapes[2]
    assert shapes[0][1][:2] == (2, 5)
