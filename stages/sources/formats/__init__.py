"""What can be told of a recording's soundness from its container, before anything is decoded.

libsndfile is lenient: it plays what is there of a truncated WAV, OGG or MP3 and says nothing.
A command that was cut off in a recording is a wrong test, so each module here walks the
headers of one container and finds out whether the file is whole.
"""
