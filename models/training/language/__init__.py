"""Trains the heads of a language model for one domain, from sentences of the domain itself.

``corpora``        reads free text that people said to assistants, as an antidote
``alignment``      sentences with slots -> words with BIO tags
``augmentation``   what a recogniser and a hesitating speaker do to a sentence
``negatives``      what the model must reject
``network``        the encoder with its heads (torch)
``fitting``        the training loop (torch)
``export``         ONNX and int8 (torch, onnx)
``scopes``         which labels of the corpora belong to a domain
``material``       all texts of a run, in parts that do not overlap
``labelling``      labels.json and the temperatures in it
``evaluation``     scores, through the runtime itself
``card``           the model card
``train_domain``   the command: ``python -m models.training.language.train_domain --help``
"""
