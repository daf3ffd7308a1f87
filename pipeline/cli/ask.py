"""``intentd ask``: a question to documents of one's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from models.errors import ModelError


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--docs",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Text file to look in; may be given several times.",
)
@click.option("--model", default="mobilebert-answers", show_default=True, help="Name or folder.")
@click.option("--threshold", type=float, help="Log-odds that an answer must have.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def ask(
    question: tuple[str, ...],
    docs: tuple[Path, ...],
    model: str,
    threshold: float | None,
    as_json: bool,
) -> None:
    """Look for the answer to QUESTION in text files; needs no running daemon.

    Exit code 1 when no file holds one that the model is sure enough of.
    """
    import msgspec

    from models.catalogue import find
    from models.mobilebert.answering import Answerer
    from stages.answer import best_answer
    from stages.documents import read_documents

    documents = read_documents(docs)
    try:
        folder = find(model)
    except ModelError as error:
        raise ModelError(
            f"{error.message}; a model that answers is trained with `intentd train-language "
            "configs/training/language-answers.yaml`"
        ) from None
    answer = best_answer(Answerer.load(folder), " ".join(question), documents, threshold)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False))
    elif answer is None:
        click.echo("no answer found")
    else:
        click.echo(answer.text)
        click.echo(f"  {answer.document}: … {answer.context} …  ({answer.score:.1f})", err=True)
    if answer is None:
        sys.exit(1)
