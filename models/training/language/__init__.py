"""Trains language models: ``intentd train-language``, and the older trainer of one domain.

What all tasks share:

``settings``       the configuration file
``starting``       what every run begins with
``encoders``       the shipped base, one from scratch, or anybody's of the BERT family
``network``        an encoder with heads for intents and slots
``loop``           the training loop: seeded, resumable, ends early
``export``         ONNX and int8
``finishing``      exported, compared, made small, calibrated, scored
``measures``       scores of logits, by the runtime's own decoding
``run_card``       the model card
``training``       one run from its configuration to a model folder

Tasks:

``distillation``, ``distilling``, ``base``    an encoder learns from a larger one
``text_task``                                 intents and slots, classes, entities
``answer_data``, ``answering``                answers to questions about a text

Texts:

``examples``       labelled texts in files
``public_data``    public corpora as such files
``spoken``         written English as it is spoken
``changes``        other names, misspellings
``mishearings``, ``measure_mishearings``      what the recogniser hears in place of what was said
``speech_shape``   texts as they are said and heard
``alignment``      sentences with slots -> words with BIO tags

The trainer of one domain (``train_domain``):

``corpora``        reads free text that people said to assistants, as an antidote
``augmentation``   what a recogniser and a hesitating speaker do to a sentence
``confusions``     words that sound much alike
``paraphrase``     other ways to say a sentence
``negatives``      what the model must reject
``fitting``        its training loop
``scopes``         which labels of the corpora belong to a domain
``material``       all texts of a run, in parts that do not overlap
``labelling``      labels.json and the temperatures in it
``evaluation``     scores, through the runtime itself
``card``           the model card
"""
