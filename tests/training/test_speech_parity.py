"""What Vosk computes from an exported network is what torch computes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
import vosk
from click.testing import CliRunner

from models.training.speech.batches import collate
from models.training.speech.cache import Example
from models.training.speech.checkpoint import write_checkpoint
from models.training.speech.conversion import acoustics_of
from models.training.speech.exporting import main
from models.training.speech.features import cepstra_of_log_mel, log_mel
from models.training.speech.network import AcousticNetwork
from models.vosk.export import PHONES, export_acoustics, phone_set
from models.vosk.fst import WeightedAcceptor, WeightedArc
from models.vosk.nnet3 import read_affines
from models.vosk.phones import SILENCE

RATE = 16_000
CONFIGURATION = (
    "--min-active=1\n--max-active=1000\n--beam=1000\n--lattice-beam=100\n--acoustic-scale=1.0\n"
    "--frame-subsampling-factor=3\n--endpoint.silence-phones=1\n"
    + "".join(f"--endpoint.rule{n}.min-trailing-silence=1000000\n" for n in (1, 2, 3, 4))
)
WEIGHTS = Path(__file__).resolve().parents[2] / "models" / "weights" / "vosk-en"


@pytest.fixture(scope="module")
def network() -> AcousticNetwork:
    """A network with random weights and statistics, as those of speech."""
    torch.manual_seed(4)
    network = AcousticNetwork(width=24, dilations=(1, 2))
    network.normalise(torch.randn(200, 40) * 3 + 12)
    for norm in (network.first_norm, *network.norms):
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
        norm.weight.data.uniform_(0.5, 1.5)
        norm.bias.data.normal_()
    return network.eval()


def speech() -> np.ndarray:
    rng = np.random.default_rng(6)
    envelope = np.repeat(rng.uniform(0.01, 0.5, 40), RATE // 20)
    return np.rint(rng.normal(size=len(envelope)) * envelope * 8000).astype("<i2")


def transition(output: int) -> int:
    phones = phone_set()
    return phones.forward(f"{PHONES[output - 1]}_B" if output else SILENCE)


def score_of_path(folder: Path, model: bytes, pcm: bytes, outputs: list[int]) -> float:
    """Vosk's log-likelihood of exactly these outputs, fed in chunks as live speech is."""
    graph = folder / "graph"
    for name in ("am", "conf", "graph"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "am" / "final.mdl").write_bytes(model)
    (folder / "conf" / "mfcc.conf").write_bytes((WEIGHTS / "conf" / "mfcc.conf").read_bytes())
    (folder / "conf" / "model.conf").write_text(CONFIGURATION)
    path = WeightedAcceptor([[] for _ in range(len(outputs) + 1)], {len(outputs): 0.0})
    for frame, output in enumerate(outputs):
        path.arcs[frame].append(WeightedArc(transition(output), 0.0, frame + 1))
    path.write(graph / "HCLG.fst")
    words = {transition(output) for output in range(len(PHONES) + 1)}
    lines = "".join(f"w{number} {number}\n" for number in sorted(words))
    (graph / "words.txt").write_text(f"<eps> 0\n{lines}")
    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(str(folder)), RATE)
    recogniser.SetMaxAlternatives(1)
    for start in range(0, len(pcm), 6400):
        recogniser.AcceptWaveform(pcm[start : start + 6400])
    return float(json.loads(recogniser.FinalResult())["alternatives"][0]["confidence"])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("garbage", [False, True])
def test_given_any_path_then_vosk_scores_it_as_torch_does(
    tmp_path: Path, network: AcousticNetwork, seed: int, garbage: bool
) -> None:
    pcm = speech()
    features = log_mel(pcm.astype(np.float32) / 32_768)
    batch = collate([Example(features, np.array([1]))], network.context)  # type: ignore[arg-type]
    with torch.no_grad():
        scores = network(batch.features)[0]
    rng = random.Random(seed)
    outputs = [rng.randrange(40) if seed else 0 for _ in range(len(scores))]
    expected = sum(float(scores[t, output]) for t, output in enumerate(outputs))
    model = export_acoustics(acoustics_of(network), garbage=garbage)
    found = score_of_path(tmp_path, model, pcm.tobytes(), outputs)
    assert found / len(scores) == pytest.approx(expected / len(scores), abs=1e-4)


def test_given_networks_of_two_shapes_then_vosk_hears_the_mean_of_their_scores(
    tmp_path: Path, network: AcousticNetwork
) -> None:
    torch.manual_seed(5)
    other = AcousticNetwork(24, (1, 2, 1)).eval()
    pcm = speech()
    example = Example(log_mel(pcm.astype(np.float32) / 32_768), np.array([1]))  # type: ignore[arg-type]
    with torch.no_grad():
        one, two = (
            member(collate([example], member.context).features)[0] for member in (network, other)
        )
    scores = ((one + two) / 2).log_softmax(-1)
    outputs = [random.Random(7).randrange(40) for _ in range(len(scores))]
    expected = sum(float(scores[t, output]) for t, output in enumerate(outputs))
    for member, name in ((network, "one"), (other, "two")):
        write_checkpoint(tmp_path / f"{name}.pt", member)
    target = tmp_path / "mean.mdl"
    files = [str(tmp_path / f"{name}.pt") for name in ("one", "two")]

    CliRunner().invoke(main, [str(target), *files], catch_exceptions=False)

    found = score_of_path(tmp_path, target.read_bytes(), pcm.tobytes(), outputs)
    assert found / len(scores) == pytest.approx(expected / len(scores), abs=1e-4)


def test_given_a_bonus_then_it_is_taken_from_each_blank(
    tmp_path: Path, network: AcousticNetwork
) -> None:
    pcm = speech()
    frames = (len(log_mel(pcm.astype(np.float32))) + 2) // 3
    outputs = [3, *[0] * (frames - 1)]
    plain, changed = (
        score_of_path(
            tmp_path, export_acoustics(acoustics_of(network), bonus), pcm.tobytes(), outputs
        )
        for bonus in (0.0, 2.5)
    )
    assert plain - changed == pytest.approx(2.5 * (frames - 1), rel=1e-4)


def test_log_mel_energies_become_the_cepstra_of_kaldi() -> None:
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.MfccOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = options.num_ceps = 40
    options.mel_opts.low_freq, options.mel_opts.high_freq = 20, -400
    options.use_energy = False
    samples = speech().astype(np.float32)
    mfcc = knf.OnlineMfcc(options)
    mfcc.accept_waveform(RATE, samples.tolist())
    mfcc.input_finished()
    expected = np.stack([mfcc.get_frame(n) for n in range(mfcc.num_frames_ready)])
    found = log_mel(samples / 32_768) @ cepstra_of_log_mel().T
    assert np.abs(found - expected).max() < 2e-4


def test_given_fewer_samples_than_a_frame_then_there_are_no_features() -> None:
    assert log_mel(np.zeros(399, np.float32)).shape == (0, 40)
    assert log_mel(np.zeros(400, np.float32)).shape == (1, 40)


def test_folded_layers_are_those_that_are_read_back(network: AcousticNetwork) -> None:
    acoustics = acoustics_of(network)
    found = read_affines(export_acoustics(acoustics))
    for name, affine in (
        ("idct", acoustics.input),
        ("l0.affine", acoustics.first),
        ("l1.affine", acoustics.layers[0][0]),
        ("l2.affine", acoustics.layers[1][0]),
        ("out.affine", acoustics.output),
    ):
        assert np.array_equal(found[name].weights, affine.weights.astype(np.float32))
        assert np.array_equal(found[name].bias, affine.bias.astype(np.float32))
