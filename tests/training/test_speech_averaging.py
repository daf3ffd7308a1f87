"""The mean of networks, given checkpoints of one shape."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from models.training.checkpoint import read_state
from models.training.speech.averaging import main
from models.training.speech.checkpoint import write_checkpoint
from models.training.speech.network import AcousticNetwork


def checkpoint(path: Path, value: float, width: int = 16) -> Path:
    network = AcousticNetwork(width, (1, 1))
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.fill_(value)
    write_checkpoint(path, network)
    return path


def test_given_two_networks_each_weight_is_the_mean(tmp_path: Path) -> None:
    files = [checkpoint(tmp_path / f"{value}.pt", value) for value in (1.0, 4.0)]
    out = tmp_path / "mean.pt"

    result = CliRunner().invoke(main, [str(out), *map(str, files)], catch_exceptions=False)

    assert result.output == f"{out}: the mean of 2 networks\n"
    network = AcousticNetwork(16, (1, 1))
    network.load_state_dict(read_state(out)["weights"])
    assert all((tensor == 2.5).all() for tensor in network.parameters())


def test_given_networks_of_two_shapes_it_names_the_one_that_differs(tmp_path: Path) -> None:
    files = [checkpoint(tmp_path / "a.pt", 1.0), checkpoint(tmp_path / "b.pt", 1.0, width=32)]

    result = CliRunner().invoke(main, [str(tmp_path / "o.pt"), *map(str, files)])

    assert result.exit_code == 1
    assert result.output == f"Error: {files[1]} is of another shape than {files[0]}: leave it out\n"


@pytest.mark.parametrize("content", [b"", b"no checkpoint"])
def test_given_what_is_no_checkpoint_it_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)

    result = CliRunner().invoke(main, [str(tmp_path / "o.pt"), str(path)])

    assert result.exit_code == 1
    assert f"{path} is not a checkpoint" in result.output
