"""Speech models in Vosk's format: their graphs, grammars and folders."""
