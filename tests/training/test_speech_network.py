"""The acoustic network and its loss, against brute force."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from models.errors import ModelError
from models.metrics import edit_distance
from models.training.speech.batches import collate, group
from models.training.speech.cache import Example
from models.training.speech.conversion import export
from models.training.speech.denominator import denominator, phone_trigram
from models.training.speech.features import output_frames
from models.training.speech.growing import grow
from models.training.speech.loss import selfless_ctc
from models.training.speech.network import AcousticNetwork
from models.training.speech.restoring import restore
from models.training.speech.scoring import collapse, score
from models.vosk.compression import compress_acoustics


def example(frames: int, labels: list[int], seed: int = 0) -> Example:
    features = np.random.default_rng(seed).normal(12, 3, (frames, 40)).astype(np.float16)
    return Example(features, np.array(labels, np.int64))


def by_hand(scores: torch.Tensor, labels: list[int]) -> float:
    """Sum over all ways to place the labels in frames of their own."""
    time = len(scores)
    ways = []
    for places in itertools.combinations(range(time), len(labels)):
        frames = dict(zip(places, labels, strict=True))
        ways.append(sum(float(scores[t, frames.get(t, 0)]) for t in range(time)))
    return -float(torch.logsumexp(torch.tensor(ways, dtype=torch.float64), 0)) if ways else math.inf


@pytest.mark.parametrize("labels", [[], [1], [2, 2], [1, 3, 1], [1, 2, 3, 1, 2]])
def test_given_labels_then_the_loss_sums_over_all_their_places(labels: list[int]) -> None:
    scores = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(1)).log_softmax(-1)
    padded = torch.tensor([[*labels, 3, 3]])
    loss = selfless_ctc(scores, padded, torch.tensor([5]), torch.tensor([len(labels)]))
    assert float(loss) == pytest.approx(by_hand(scores[0], labels), rel=1e-5)


def test_given_utterances_of_several_lengths_then_padding_changes_no_loss() -> None:
    scores = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(2)).log_softmax(-1)
    labels = torch.tensor([[1, 2, 3], [2, 0, 0]])
    losses = selfless_ctc(scores, labels, torch.tensor([6, 4]), torch.tensor([3, 1]))
    assert losses.tolist() == pytest.approx(
        [by_hand(scores[0], [1, 2, 3]), by_hand(scores[1, :4], [2])], rel=1e-5
    )


def test_given_more_labels_than_frames_then_the_loss_is_huge_and_finite() -> None:
    scores = torch.zeros(1, 2, 4).log_softmax(-1)
    loss = selfless_ctc(scores, torch.tensor([[1, 1, 1]]), torch.tensor([2]), torch.tensor([3]))
    assert 1e29 < float(loss) < math.inf


def test_gradients_of_the_loss_are_those_of_brute_force() -> None:
    scores = torch.randn(1, 4, 3, dtype=torch.float64, requires_grad=True)

    def loss(values: torch.Tensor) -> torch.Tensor:
        labels = torch.tensor([[1, 2]])
        normal = values.log_softmax(-1)
        return selfless_ctc(normal, labels, torch.tensor([4]), torch.tensor([2]))

    assert torch.autograd.gradcheck(loss, (scores,))


def probability(trigram: torch.Tensor, labels: tuple[int, ...]) -> float:
    """Of a phone sequence and its end."""
    padded = (0, 0, *labels, 0)
    return math.prod(
        float(trigram[b, a, c]) for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)
    )


def test_given_phones_then_the_trigram_sums_to_1_and_knows_what_follows() -> None:
    trigram = phone_trigram([[1, 2, 1, 2]] * 50 + [[2, 2]], 3)
    assert torch.allclose(trigram.sum(-1), torch.ones(3, 3))
    assert trigram[0, 0, 1] > 0.6 > 0.1 > trigram[0, 0, 2]  # the first phone
    assert trigram[2, 1, 1] > 0.3
    assert trigram[1, 1, 2] > 0.5  # never heard: the bigram tells
    assert (trigram > 0).all()


def test_the_denominator_sums_over_all_phone_sequences() -> None:
    trigram = phone_trigram([[1, 2], [2], [1, 1, 2]], 3).double()
    random = torch.Generator().manual_seed(4)
    scores = torch.randn(2, 5, 3, generator=random, dtype=torch.float64).log_softmax(-1)
    frames = [5, 3]
    sums = denominator(scores, torch.tensor(frames), trigram).exp().tolist()
    for row, count in enumerate(frames):
        sequences = [s for n in range(count + 1) for s in itertools.product([1, 2], repeat=n)]
        total = sum(
            math.exp(-by_hand(scores[row, :count], list(s))) * probability(trigram, s)
            for s in sequences
        )
        assert sums[row] == pytest.approx(total, rel=1e-6)


def test_given_long_speech_then_the_denominator_does_not_vanish() -> None:
    trigram = phone_trigram([[1, 2, 3]], 40)
    scores = torch.full((1, 900, 40), -math.log(40), requires_grad=True)
    total = denominator(scores, torch.tensor([900]), trigram)
    total.sum().backward()
    # Every frame is blank or goes on with some phone.
    least, most = 900 * math.log(1 / 40), 900 * math.log(2 / 40)
    assert least < total.item() < most
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()


def test_given_an_utterance_in_a_batch_then_it_scores_as_alone() -> None:
    network = AcousticNetwork(width=16, dilations=(1, 2)).eval()
    short, long = example(50, [1], 1), example(101, [2, 3], 2)
    together = network(collate([short, long], network.context).features)
    for row, one in enumerate((short, long)):
        alone = network(collate([one], network.context).features)[0]
        frames = output_frames(len(one.features))
        assert alone.shape == (frames, 40)
        assert torch.allclose(together[row, :frames], alone, atol=1e-5)


def test_batches_hold_every_utterance_once_and_keep_to_their_size() -> None:
    examples = [example(n, [n]) for n in range(20, 220)]
    groups = group(examples, 1000, Random(1))
    assert sorted(int(e.labels[0]) for g in groups for e in g) == list(range(20, 220))
    assert all(len(g) * max(len(e.features) for e in g) <= 1000 for g in groups)
    other = group(examples, 1000, Random(2))
    assert [len(g) for g in groups] != [len(g) for g in other]


@pytest.mark.parametrize(
    ("heard", "said", "edits"),
    [([], [], 0), ([1], [], 1), ([], [1, 2], 2), ([1, 2, 3], [1, 3], 1), ([1, 2], [2, 1], 2)],
)
def test_the_phone_error_rate_counts_edits(heard: list[int], said: list[int], edits: int) -> None:
    assert edit_distance(heard, said) == edits


def test_blanks_and_repetitions_are_no_phones() -> None:
    assert collapse([0, 1, 1, 0, 1, 2, 2, 0]) == [1, 1, 2]


def test_given_no_utterances_then_there_is_no_score() -> None:
    assert score(AcousticNetwork(width=16, dilations=(1,)), [], torch.device("cpu")) is None


def test_given_a_smaller_network_then_a_larger_one_begins_with_what_it_says() -> None:
    torch.manual_seed(2)
    small = AcousticNetwork(24, (1, 2)).eval()
    large = AcousticNetwork(40, (1, 2, 1)).eval()
    grow(small.state_dict(), large)
    features = torch.randn(2, 3 * 40 + 1 + 2 * large.context, 40)
    spare = large.context - small.context

    said, wanted = large(features), small(features[:, spare:-spare])

    assert torch.allclose(said, wanted, atol=0.1)
    assert not torch.allclose(said, AcousticNetwork(40, (1, 2, 1)).eval()(features), atol=0.1)
    large.train()(features)[..., 1].sum().backward()
    learnt = large.layers[2].weight.grad
    assert learnt is not None
    assert learnt.abs().sum() > 0, "the new layer learns"


@pytest.mark.parametrize("bits", [32, 16])
@pytest.mark.parametrize("others", [0, 1])
def test_an_exported_network_can_be_trained_on(tmp_path: Path, bits: int, others: int) -> None:
    """Of several the first."""
    torch.manual_seed(3)
    features = 12 + 3 * torch.randn(600, 40)
    network = AcousticNetwork(48, (1, 2))
    network.normalise(features)
    for _ in range(3):
        network.train()(features[None])
    network.eval()
    model = export([network, *[AcousticNetwork(24, (1, 1, 1))] * others], 2.0)
    (tmp_path / "final.mdl").write_bytes(model if bits == 32 else compress_acoustics(model, bits))

    restored = restore(tmp_path / "final.mdl", features)

    assert (restored.width, restored.dilations) == (48, (1, 2))
    tolerance = 1e-3 if bits == 32 else 2e-2
    wanted = network(features[None])
    assert torch.allclose(restored(features[None]), wanted, atol=tolerance)
    restored.dropout = 0.0
    assert torch.allclose(restored.train()(features[None]), wanted, atol=2e-2), (
        "in training, where the statistics are those of the speech, too"
    )


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "final.mdl"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="can't be read back"):
        restore(path, torch.zeros(100, 40))
    with pytest.raises(ModelError, match="No such file"):
        restore(tmp_path / "none.mdl", torch.zeros(100, 40))


def test_given_a_larger_network_then_a_smaller_one_refuses_it() -> None:
    with pytest.raises(ModelError, match="wider"):
        grow(AcousticNetwork(24, (1,)).state_dict(), AcousticNetwork(16, (1,)))
    with pytest.raises(ModelError, match="more layers"):
        grow(AcousticNetwork(24, (1, 1)).state_dict(), AcousticNetwork(24, (1,)))
