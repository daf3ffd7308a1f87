"""``intentd train-language``, given a configuration, writes a model that the runtime loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import yaml
from click.testing import CliRunner
from language_material import (
    count_pieces,
    joint_config,
    joint_rows,
    save_pretrained,
    small_shape,
    small_teacher,
    squad,
    write_config,
    write_rows,
)

from models.errors import ConfigurationError, ModelError
from models.mobilebert import Encoder, LanguageModel
from models.mobilebert.answering import Answerer
from models.mobilebert.labels import TopicsHead, read_labels
from models.mobilebert.network import Network
from models.training.checkpoint import read_state
from models.training.language.encoders import GOOGLE, count_parameters, new_encoder
from models.training.language.settings import read_settings
from models.training.language.training import train
from pipeline.cli.train_language import train_language


def run(config: Path) -> Path:
    return train(read_settings(config), config, lambda _: None)


def test_given_labelled_texts_it_learns_them_and_writes_model_scores_and_card(
    tmp_path: Path,
) -> None:
    config = joint_config(tmp_path, epochs=60, learning_rate=4e-3, dropout=0.0, substitute=0.2)

    result = CliRunner().invoke(train_language, [str(config)], catch_exceptions=False)

    assert result.exit_code == 0, result.output
    model = LanguageModel.load(tmp_path / "run" / "model")
    reading = model.understand("turn on the light in the cellar")
    assert reading.intents[0].name == "LightOn"
    assert [(slot.name, slot.start) for slot in reading.slots] == [("room", 25)]
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert set(scores["int8"]["written"]) == {"accuracy", "slot F1", "sentence"}
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert all(f"## {part}" in card for part in ("Data", "Making", "Scores"))


def test_given_a_teacher_of_the_task_it_learns_from_it_alone(tmp_path: Path) -> None:
    (tmp_path / "teacher").mkdir()
    learned = joint_config(tmp_path / "teacher", epochs=60, learning_rate=4e-3, dropout=0.0)
    teacher = run(learned)
    config = joint_config(
        tmp_path,
        epochs=60,
        learning_rate=4e-3,
        dropout=0.0,
        seed=1,
        teacher=str(teacher),
        teacher_weight=1.0,
    )

    model = LanguageModel.load(run(config))

    reading = model.understand("turn on the light in the cellar")
    assert reading.intents[0].name == "LightOn"
    assert [(slot.name, slot.start) for slot in reading.slots] == [("room", 25)]


def test_given_a_teacher_of_other_labels_it_refuses(tmp_path: Path) -> None:
    (tmp_path / "teacher").mkdir()
    teacher = run(joint_config(tmp_path / "teacher", epochs=1))
    labels = json.loads((teacher / "labels.json").read_text().replace("LightOn", "Other"))
    (teacher / "labels.json").write_text(json.dumps(labels))

    with pytest.raises(ModelError, match=r'knows no "LightOn": train it on the same texts'):
        run(joint_config(tmp_path, teacher=str(teacher)))


def test_given_a_csv_with_several_labels_it_writes_a_model_of_topics(tmp_path: Path) -> None:
    lines = [
        "text,label",
        "the team won,sport",
        "shares fell,money",
        "club sells shares,sport|money",
    ]
    (tmp_path / "news.csv").write_text("\n".join(lines))
    config = write_config(
        tmp_path, task="classify", several=True, train=["news.csv"], development=["news.csv"]
    )

    head = read_labels(run(config)).head(TopicsHead)

    assert head is not None
    assert head.labels == ("money", "sport")


def test_given_texts_out_of_scope_it_learns_to_tell_them_by_energy(tmp_path: Path) -> None:
    rows = [{"text": row["text"], "intent": row["intent"]} for row in joint_rows()]
    rows += [{"text": text, "intent": "oos"} for text in ("who are you", "seven apples fell")]
    write_rows(tmp_path / "t.ndjson", rows)
    config = write_config(
        tmp_path,
        task="classify",
        out_of_scope="oos",
        train=["t.ndjson"],
        development=["t.ndjson"],
        epochs=60,
        learning_rate=4e-3,
        dropout=0.0,
    )

    model = LanguageModel.load(run(config))

    assert model.intents == ("LightOn", "Play")
    assert model.understand("seven apples fell").rejected > 0.5
    assert model.understand("play yesterday").intents[0].confidence > 0.5


def test_given_conll_it_writes_a_tagger(tmp_path: Path) -> None:
    (tmp_path / "t.conll").write_text(
        "anna\tB-person\nsings\tO\n\nin\tO\nnew\tI-place\nyork\tI-place\n"
    )
    config = write_config(tmp_path, task="tag", train=["t.conll"], development=["t.conll"])

    model = LanguageModel.load(run(config))

    assert model.slots == ("person", "place")
    assert model.intents == ()


def test_given_questions_it_writes_a_model_that_points_into_a_document(tmp_path: Path) -> None:
    squad(tmp_path)
    config = write_config(
        tmp_path,
        task="qa",
        train=["squad.json"],
        development=["squad.json"],
        epochs=50,
        learning_rate=4e-3,
        dropout=0.0,
    )

    answerer = Answerer.load(run(config))

    document = "The pool opens at nine. Breakfast is served in the garden."
    found = answerer.best("When does the pool open?", document)
    assert found is not None
    assert found.text == document[found.start : found.end] == "nine"
    assert answerer.best("", document) is None
    assert answerer.best("when?", "") is None


def test_given_a_teacher_it_makes_a_base_that_can_be_trained_on(tmp_path: Path) -> None:
    texts = [row["text"] for row in joint_rows()]
    (tmp_path / "texts.txt").write_text("\n".join(texts * 3))
    config = write_config(
        tmp_path,
        task="distill",
        teacher=str(small_teacher(tmp_path / "teacher")),
        texts=["texts.txt"],
        layers={0: 1},
    )

    folder = run(config)

    encoder = Encoder.load(folder)
    assert (encoder.size, encoder.vector_size) == (32, 24)
    (tmp_path / "joint").mkdir()
    tuned = run(joint_config(tmp_path / "joint", base=str(folder)))
    assert LanguageModel.load(tuned).intents == ("LightOn", "Play")
    # A smaller one can learn from it in its turn, and its sentence vector with it.
    (tmp_path / "next").mkdir()
    (tmp_path / "next" / "texts.txt").write_text("\n".join(texts))
    smaller = write_config(
        tmp_path / "next", task="distill", teacher=str(folder), texts=["texts.txt"], epochs=1
    )
    assert Encoder.load(run(smaller)).vector_size == 24


def test_given_another_seed_the_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    config = joint_config(tmp_path, epochs=1)

    result = CliRunner().invoke(train_language, [str(config), "--seed", "7"])

    assert result.exit_code == 0, result.output
    assert LanguageModel.load(tmp_path / "run-seed7" / "model").intents == ("LightOn", "Play")
    assert "--seed 7" in (tmp_path / "run-seed7" / "model" / "README.md").read_text()


def test_given_a_base_that_answers_already_it_is_exported_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=count_pieces(tmp_path / "squad-model"),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    network = transformers.BertForQuestionAnswering(config).eval()
    folder = save_pretrained(network, tmp_path / "squad-model")
    squad(tmp_path)

    made = run(
        write_config(tmp_path, task="qa", base=str(folder), epochs=0, development=["squad.json"])
    )

    ids = torch.tensor([[101, 2043, 102, 1996, 2304, 102]])
    types = torch.tensor([[0, 0, 0, 1, 1, 1]])
    with torch.no_grad():
        expected = network(ids, torch.ones_like(ids), types).start_logits[0].numpy()
    full = Network.load(made.parent / "fp32").run_ids(ids[0].numpy(), types[0].numpy())
    assert full["start_logits"] == pytest.approx(expected, abs=1e-4)


def test_given_a_base_that_never_answered_and_nothing_to_learn_from_it_says_so(
    tmp_path: Path,
) -> None:
    squad(tmp_path)

    with pytest.raises(ModelError, match="does not answer questions yet"):
        run(write_config(tmp_path, task="qa", epochs=0, development=["squad.json"]))


@pytest.mark.parametrize("family", ["bert", "distilbert", "mobilebert"])
def test_given_a_folder_of_hugging_face_it_is_the_base(tmp_path: Path, family: str) -> None:
    folder = tmp_path / "base"
    torch.manual_seed(0)
    if family == "bert":
        small_teacher(folder)
    elif family == "distilbert":
        small = {
            "vocab_size": count_pieces(folder),
            "dim": 24,
            "hidden_dim": 32,
            "n_heads": 2,
            "n_layers": 1,
        }
        config = transformers.DistilBertConfig(max_position_embeddings=64, **small)
        save_pretrained(transformers.DistilBertModel(config), folder)
    else:
        config = small_shape(
            vocab_size=count_pieces(folder),
            num_feedforward_networks=4,
            normalization_type="no_norm",
        )
        save_pretrained(transformers.MobileBertModel(config), folder)

    model = LanguageModel.load(run(joint_config(tmp_path, base=str(folder))))

    assert model.slots == ("room", "song")


def test_the_published_shape_has_the_published_number_of_parameters() -> None:
    count = count_parameters(new_encoder(GOOGLE, 30522))

    # The paper counts 25.3 million; Google's own checkpoint, which has this shape, 24.6.
    assert count == pytest.approx(25.3e6, rel=0.03)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(read_state(folder / "run" / "checkpoint.pt")["weights"])


def test_given_an_interrupted_run_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    run(joint_config(whole, epochs=3))

    class StopError(Exception):
        pass

    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if line.startswith("epoch 2:"):
            raise StopError

    config = joint_config(broken, epochs=3)
    with pytest.raises(StopError):
        train(read_settings(config), config, stop)
    train(read_settings(config), config, told.append)

    assert any("goes on from" in line for line in told)
    expected, found = weights(whole), weights(broken)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_given_no_progress_it_ends_early(tmp_path: Path) -> None:
    config = joint_config(tmp_path, epochs=30, patience=2, learning_rate=1e-9)

    run(config)

    progress = read_state(tmp_path / "run" / "checkpoint.pt")["progress"]
    assert len(progress["scores"]) == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "play it", "intent": "Sing", "slots": []}], 'the label "Sing", which no text'),
        (
            [{"text": "play it", "intent": "Play", "slots": [{"name": "x", "start": 5, "end": 7}]}],
            'the slot "x", which no text',
        ),
        (
            [
                {
                    "text": "play it",
                    "intent": "Play",
                    "slots": [{"name": "song", "start": 4, "end": 6}],
                }
            ],
            "line 1: slot",
        ),
        ([{"intent": "Play"}], "line 1 is not as expected"),
        ([], "holds no texts"),
    ],
)
def test_given_data_that_does_not_fit_it_names_the_file_and_what_is_wrong(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    config = joint_config(tmp_path, development=["dev.ndjson"])
    write_rows(tmp_path / "dev.ndjson", rows)

    with pytest.raises(ModelError, match=message) as caught:
        run(config)
    assert str(tmp_path / "dev.ndjson") in caught.value.message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"base": "./nowhere"}, "there is no such folder"),
        ({"train": ["none.ndjson"]}, "none.ndjson cannot be read"),
        ({"train": ["x.txt"]}, "give a file that ends in"),
    ],
)
def test_given_what_is_not_there_it_names_it(
    tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        run(joint_config(tmp_path, **keys))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"task": "sing"}, "sing"),
        ({"colour": "red"}, "colour"),
        ({"epochs": 0}, "epochs"),
        ({"train": []}, "train"),
    ],
)
def test_given_a_bad_configuration_it_names_the_key(
    tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_settings(joint_config(tmp_path, **keys))


def test_given_a_damaged_checkpoint_it_says_so(tmp_path: Path) -> None:
    config = joint_config(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"PK\x03\x04cut")

    with pytest.raises(ModelError, match="is not a checkpoint, or damaged: delete it"):
        run(config)


def test_given_a_teacher_with_other_word_pieces_it_refuses(tmp_path: Path) -> None:
    folder = small_teacher(tmp_path / "teacher")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["the"], vocabulary["of"] = vocabulary["of"], vocabulary["the"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (tmp_path / "texts.txt").write_text("one\ntwo\n")
    config = write_config(tmp_path, task="distill", teacher=str(folder), texts=["texts.txt"])

    with pytest.raises(ModelError, match="other word pieces"):
        run(config)


def test_the_shipped_configurations_are_well_formed() -> None:
    folder = Path(__file__).resolve().parents[2] / "configs" / "training"
    for path in folder.glob("language-*.yaml"):
        assert yaml.safe_load(path.read_text())["name"] == read_settings(path).name
