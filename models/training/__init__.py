"""How the shipped models are made. Nothing here is needed to run the daemon.

The modules that import torch, transformers or onnx need the extra ``train``.
"""
