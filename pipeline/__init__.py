"""The pipeline: moves messages between stages over ZeroMQ and knows nothing of speech."""
