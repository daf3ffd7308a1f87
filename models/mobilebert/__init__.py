"""A language model: one encoder as ONNX, its tokenizer, and the heads that sit on it.

A model is a folder::

    model.onnx       inputs ``input_ids`` and ``attention_mask``, int64 [batch, tokens]; one float
                     output per head: intents [batch, labels], tags [batch, tokens, labels]
    tokenizer.json   Hugging Face ``tokenizers`` file that puts [CLS] and [SEP] around a text
    labels.json      what the outputs mean
    README.md        the model card

``labels.json``::

    {"format": 1,
     "name": "mobilebert-home",           lower case, digits, ``.``, ``_`` and ``-``
     "version": "1",                      the id is ``name@version``
     "language": "en",
     "max_tokens": 64,                    longest input in word pieces, [CLS] and [SEP] included
     "model": "model.onnx",               optional; file name of the network
     "heads": [                           at most one of each kind, at least one
       {"kind": "intent", "output": "intent_logits", "labels": ["HassTurnOn", ..., "<none>"],
        "temperature": 1.0,               optional; logits are divided by it
        "out_of_scope": "<none>",         optional; the label of what the model was not made for
        "threshold": 0.6},                optional; confidence from which an intent is accepted
       {"kind": "slots", "output": "slot_logits", "labels": ["O", "B-name", "I-name", ...],
        "temperature": 1.0,               optional
        "transitions": {"<start>": {"O": 40, "B-name": 2}, "O": {...}},   optional; counts
        "transition_weight": 0.2}],       optional; how much the counts weigh in decoding
     "intent_slots": {"HassTurnOn": ["name", "area"]}}   optional; slots that an intent can have

A model with an intent head alone is a text classifier, one with a slots head alone an entity
tagger. Further outputs of the network are left alone. The other kinds of heads::

    {"kind": "topics", "output": "topic_logits", "labels": [...], "temperature": 1.0}
                                         any number of labels may be right
    {"kind": "answer", "output": "start_logits", "end_output": "end_logits",
     "no_answer": false, "threshold": 0.0}            where in a document an answer stands
    {"kind": "states", "output": "states", "size": 512}
    {"kind": "embedding", "output": "embedding", "size": 384}    both: a base, see ``Encoder``

Several models can share one base. Their folders then hold no network and no tokenizer, but
``"base": "mobilebert-base"`` in ``labels.json`` (a folder beside theirs, or an installed model)
and the heads in ``heads.npz``; see ``models.mobilebert.small_heads``.
"""

from models.mobilebert.encoder import Encoded, EncodedTexts, Encoder
from models.mobilebert.heads import ScoredIntent, TaggedSpan, TaggedWord
from models.mobilebert.model import LanguageModel, Reading

__all__ = [
    "Encoded",
    "EncodedTexts",
    "Encoder",
    "LanguageModel",
    "Reading",
    "ScoredIntent",
    "TaggedSpan",
    "TaggedWord",
]
