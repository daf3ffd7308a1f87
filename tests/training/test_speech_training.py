"""A training run: from a manifest to a final.mdl, whatever happens in between."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from speech_material import write_configuration, write_corpus

from models.errors import ConfigurationError, ModelError
from models.training import checkpoint
from models.training.checkpoint import read_state
from models.training.speech import cache
from models.training.speech.corpus import Corpus
from models.training.speech.settings import read_settings
from models.training.speech.training import choose_device, train
from models.vosk.nnet3 import read_affines

RUN = (
    "import sys; from pathlib import Path; from models.training.speech.settings import *;"
    "from models.training.speech.training import train; train(read_settings(Path(sys.argv[1])))"
)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "speech").mkdir()
    return write_corpus(tmp_path / "speech")


def log_of(folder: Path) -> list[dict[str, Any]]:
    return _records(folder / "run")


def _records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    weights = read_state(folder / "run" / "checkpoint.pt")["weights"]
    assert isinstance(weights, dict)
    return weights


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_given_speech_then_phones_are_learnt_and_everything_is_written(
    tmp_path: Path, manifest: Path
) -> None:
    configuration = write_configuration(tmp_path, manifest, epochs=40, learning_rate=0.02)
    target = train(read_settings(configuration))
    assert target == tmp_path / "run" / "final.mdl"
    assert "out.affine" in read_affines(target.read_bytes())
    rates = [r["phone_error_rate"] for r in log_of(tmp_path) if "phone_error_rate" in r]
    assert rates[-1] < 0.1
    assert "phone_error_rate" in (tmp_path / "run" / "plot.svg").read_text()


def test_given_a_share_of_mutual_information_then_phones_are_learnt_too(tmp_path: Path) -> None:
    (tmp_path / "speech").mkdir()
    manifest = write_corpus(tmp_path / "speech", 24)
    configuration = write_configuration(
        tmp_path, manifest, epochs=20, denominator=0.5, batch_frames=1500, learning_rate=0.02
    )
    train(read_settings(configuration))
    losses = [record["loss"] for record in log_of(tmp_path) if "loss" in record]
    assert losses[-1] < losses[0] - 0.5


def test_given_a_finished_run_then_starting_it_again_changes_nothing(
    tmp_path: Path, manifest: Path
) -> None:
    settings = read_settings(write_configuration(tmp_path, manifest, epochs=1))
    first = train(settings).read_bytes()
    before = weights_of(tmp_path)
    assert train(settings).read_bytes() == first
    assert same(before, weights_of(tmp_path))


def test_given_bad_lines_among_good_ones_then_the_run_names_them_and_goes_on(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "speech"
    folder.mkdir()
    (folder / "broken.wav").write_bytes(b"RIFF and nothing else")
    manifest = write_corpus(
        folder,
        40,
        "broken.wav\ttones\tspeaker1\tAA IY",
        "missing.wav\ttones\tspeaker1\tAA IY",
        "0.wav\ttones\tspeaker1\t" + "AA " * 400,
    )
    train(read_settings(write_configuration(tmp_path, manifest, epochs=1)))
    notes = [record["note"] for record in log_of(tmp_path) if "note" in record]
    assert any("missing.wav" in note and "line 43" in note for note in notes)
    assert any("broken.wav: damaged recording" in note for note in notes)
    assert any("0.wav: too short for its transcript" in note for note in notes)
    assert next(r["left_out"] for r in log_of(tmp_path) if "left_out" in r) == 3


def test_given_a_run_killed_again_and_again_then_it_ends_as_one_never_killed(
    tmp_path: Path, manifest: Path
) -> None:
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
        # A checkpoint after every step, so that some of the kills hit the writing of one.
        write_configuration(folder, manifest, epochs=12, checkpoint_minutes=1e-9)
    whole, killed = folders
    train(read_settings(whole / "speech.yaml"))
    kills = 0
    for grace in (0.0, 0.11, 0.23):
        process = subprocess.Popen([sys.executable, "-c", RUN, str(killed / "speech.yaml")])
        before = _step(killed)
        while process.poll() is None and _step(killed) <= before:
            time.sleep(0.005)
        time.sleep(grace)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills > 0
    train(read_settings(killed / "speech.yaml"))
    assert same(weights_of(whole), weights_of(killed))
    steps = [record["step"] for record in log_of(killed) if "loss" in record]
    assert steps == sorted(set(steps))


def _step(folder: Path) -> int:
    path = folder / "run" / "checkpoint.pt"
    return int(read_state(path)["progress"]["step"]) if path.exists() else -1


def test_given_features_broken_off_then_whole_shards_are_kept(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SHARD", 10)
    settings = read_settings(write_configuration(tmp_path, manifest))
    Corpus.read(settings).make(lambda _: None)
    shards = sorted((tmp_path / "cache").glob("*.npz"))
    untouched, cut, lost = shards[:3]
    content = [path.read_bytes() for path in shards]
    time_made = untouched.stat().st_mtime_ns
    cut.write_bytes(cut.read_bytes()[:1000])
    lost.unlink()
    Corpus.read(settings).make(lambda _: None)
    assert [path.read_bytes() for path in shards] == content
    assert untouched.stat().st_mtime_ns == time_made


def test_given_a_manifest_twice_then_each_is_changed_and_counted_in_its_own_way(
    tmp_path: Path, manifest: Path
) -> None:
    path = write_configuration(tmp_path, manifest)
    content = yaml.safe_load(path.read_text())
    same = {"speeds": [1.0], "noise": 0, "room": 0, "bandwidth": 0, "babble": 0}
    slow = {**same, "speeds": [0.5]}
    content["speech"] = [
        {"manifest": str(manifest), "augmentation": same},
        {"manifest": str(manifest), "augmentation": slow, "weight": 2},
    ]
    path.write_text(yaml.safe_dump(content))
    corpus = Corpus.read(read_settings(path))
    corpus.make(lambda _: None)
    examples = corpus.examples(0)
    lengths = sorted(len(example.features) for example in examples)
    third = len(lengths) // 3
    assert len(lengths) == 3 * third
    assert sum(lengths[third:]) == pytest.approx(2 * 2 * sum(lengths[:third]), rel=0.05)
    held_out = [utterance.audio for utterance in corpus.held_out]
    assert len(held_out) == len(set(held_out)) > 0


def test_given_features_damaged_in_the_middle_of_a_run_then_it_goes_on_without_them(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "SHARD", 10)
    settings = read_settings(write_configuration(tmp_path, manifest, epochs=2))
    Corpus.read(settings).make(lambda _: None)
    shard = sorted((tmp_path / "cache").glob("training-*.npz"))[0]
    content = bytearray(shard.read_bytes())
    content[1000] ^= 0xFF  # in the features: only reading all of them finds it
    shard.write_bytes(content)
    train(settings)
    notes = [record["note"] for record in log_of(tmp_path) if "note" in record]
    assert any(shard.name in note and "damaged features" in note for note in notes)
    assert not shard.exists()
    assert read_state(tmp_path / "run" / "checkpoint.pt")["progress"]["finished"]


def test_given_another_seed_then_other_features_are_made(tmp_path: Path, manifest: Path) -> None:
    path = write_configuration(tmp_path, manifest)
    Corpus.read(read_settings(path)).make(lambda _: None)
    first = set((tmp_path / "cache").glob("training-*"))
    path.write_text(path.read_text() + "seed: 9\n")
    Corpus.read(read_settings(path)).make(lambda _: None)
    assert len(set((tmp_path / "cache").glob("training-*"))) == 2 * len(first)


def test_given_a_full_disk_then_the_old_checkpoint_stays_and_the_run_goes_on(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_configuration(tmp_path, manifest, epochs=2, checkpoint_minutes=1e-9)
    settings = read_settings(path)
    writes = 0

    def fsync(_: int) -> None:
        nonlocal writes
        writes += 1
        if writes == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    Corpus.read(settings).make(lambda _: None)
    monkeypatch.setattr(checkpoint.os, "fsync", fsync)
    train(settings)
    failed = [r for r in log_of(tmp_path) if "checkpoint_failed" in r]
    assert [record["checkpoint_failed"] for record in failed] == ["No space left on device"]
    assert read_state(tmp_path / "run" / "checkpoint.pt")["progress"]["finished"]
    assert not list((tmp_path / "run").glob("*.part"))


def test_given_a_full_disk_while_features_are_made_then_the_error_says_so(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache.os, "fsync", fsync)
    with pytest.raises(ModelError, match=r"can't be written: No space left on device; free some"):
        Corpus.read(read_settings(write_configuration(tmp_path, manifest))).make(lambda _: None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a checkpoint"),
        (b"PK\x03\x04 cut", "not a checkpoint"),
        (b"x" * 99, "not a check"),
    ],
)
def test_given_a_damaged_checkpoint_then_it_is_named(
    tmp_path: Path, manifest: Path, content: bytes, message: str
) -> None:
    settings = read_settings(write_configuration(tmp_path, manifest))
    settings.out.mkdir()
    (settings.out / "checkpoint.pt").write_bytes(content)
    with pytest.raises(ModelError, match=message):
        train(settings)


def test_given_a_checkpoint_of_another_shape_then_it_is_refused(
    tmp_path: Path, manifest: Path
) -> None:
    path = write_configuration(tmp_path, manifest, epochs=1)
    train(read_settings(path))
    path.write_text(path.read_text().replace("width: 16", "width: 24"))
    with pytest.raises(ModelError, match=r"has width 16 and .* the configuration width 24"):
        train(read_settings(path))


def test_given_a_device_that_is_not_there_then_the_error_says_so() -> None:
    with pytest.raises(ConfigurationError, match=r"training\.device: torch has no device 'warp'"):
        choose_device("warp")


@pytest.mark.parametrize("begin", ["checkpoint.pt", "final.mdl"])
def test_given_a_smaller_network_to_begin_with_then_a_larger_one_goes_on_with_it(
    tmp_path: Path, manifest: Path, begin: str
) -> None:
    configuration = write_configuration(tmp_path, manifest, epochs=20, learning_rate=0.02)
    train(read_settings(configuration))
    first = (tmp_path / "run").rename(tmp_path / "first")
    learnt = min(loss["loss"] for loss in _records(first) if "loss" in loss)

    configuration = write_configuration(tmp_path, manifest, epochs=1, learning_rate=0.001)
    values = yaml.safe_load(configuration.read_text())
    values["network"] = {"width": 24, "dilations": [1, 1]}
    values["initial"] = f"first/{begin}"
    values["augmentation"] |= {"fresh_noise": 0.3, "snr": [20, 30]}
    values["clatter_minutes"] = 0.5
    configuration.write_text(yaml.safe_dump(values))
    train(read_settings(configuration))
    assert _records(tmp_path / "run")[-1]["held_out_loss"] < learnt + 1.5

    values["network"] = {"width": 24, "dilations": [2, 1]}
    values["out"] = "other"
    configuration.write_text(yaml.safe_dump(values))
    with pytest.raises(ModelError, match=rf"first/{begin} has the dilations \[1\]"):
        train(read_settings(configuration))
