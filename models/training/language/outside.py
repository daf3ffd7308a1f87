"""What people say to assistants that is probably none of a domain's business, shipped as text.

``outside.LANGUAGE.tsv`` has the label that a text had in its corpus, a tab, and the text. Made by
``python -m models.training.language.outside --help`` from the training parts of CLINC150 (Larson et
al. 2019, CC BY 3.0) and HWU64 (Liu et al. 2019, CC BY 4.0); no test part of either is in it.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from random import Random
from typing import NamedTuple

import click

from models.errors import ModelError
from models.training.language.corpora import read_utterances

NOISE = (
    "[unk]", "the", "a", "huh", "uh", "um", "hmm", "oh", "hi", "yeah", "no", "yes", "okay", "and",
    "the the", "uh huh", "oh no", "the [unk]", "[unk] the", "[unk] [unk]", "hey", "so", "well",
    "you know", "i think", "i don't know", "what", "what was that", "it is", "and then", "to the",
    "of the", "in the", "one", "two", "now", "to", "i", "you", "he said", "ah", "eh", "mm",
)  # fmt: skip
"""What recognisers make of breath, clatter and talk in another room."""

_HEADER = (
    "# Requests from the training parts of CLINC150 (Larson et al. 2019, CC BY 3.0) and HWU64\n"
    "# (Liu et al. 2019, CC BY 4.0), in lower case and without punctuation; label, tab, text.\n"
)


class Outside(NamedTuple):
    """A text of a corpus."""

    label: str
    """Corpus and label: ``clinc150/timer``."""

    text: str


def read_outside(language: str) -> tuple[Outside, ...]:
    """The shipped texts of a language; none where there are none. Raises ModelError."""
    path = Path(__file__).with_name(f"outside.{language.lower().split('-')[0]}.tsv")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    rows = [line.partition("\t") for line in lines if line and not line.startswith("#")]
    return tuple(Outside(label, text) for label, _, text in rows)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--corpora", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--each", default=20, help="Texts of each label; out-of-scope labels give all.")
@click.option("--longest", default=14, help="Words in the longest text.")
@click.option("--seed", default=0)
def main(corpora: Path, out: Path, each: int, longest: int, seed: int) -> None:
    """Choose some texts of each label out of what the module `corpora` wrote."""
    groups: dict[str, set[str]] = defaultdict(set)
    for row in read_utterances(corpora):
        fits = row.split == "train" and 1 < len(row.text.split()) <= longest
        if fits and row.label.startswith(("clinc150/", "hwu64/")):
            groups[row.label].add(row.text)
    random = Random(seed)
    with out.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for label in sorted(groups):
            texts = sorted(groups[label])
            count = len(texts) if label.endswith("/oos") else each
            # HWU64's own labels are as many as half of CLINC150's, and broader.
            for text in sorted(random.sample(texts, min(count, len(texts)))):
                file.write(f"{label}\t{text}\n")


if __name__ == "__main__":
    main()
