"""Trains the acoustic model of a speech model, from recordings with their words.

``manifest``      lines of a training manifest, and what is wrong with them
``transcript``    transcripts -> phones
``split``         which speakers are held out
``audio``         recordings as samples, whole or refused
``features``      log-mel features exactly as Vosk computes them (kaldi-native-fbank)
``rooms``         simulated rooms (image-source method)
``noise``         pieces of noise
``clatter``       noise of a kitchen, generated
``augmentation``  speed, volume, noise, rooms, bandwidth; masks over features
``cache``         features on disk, made once, resumed where making them was broken off
``corpus``        manifests -> features of all copies
``network``       the time-delay network (torch)
``loss``          CTC in which a label takes exactly one frame (torch)
``batches``       batches of features
``scoring``       phone error rate (torch)
``checkpoint``    the state of a run on disk (torch)
``fitting``       the training loop (torch)
``log``           figures as JSON lines, and their plot
``plot``          curves as SVG
``settings``      the configuration file
``conversion``    the network as ``models.vosk.export`` writes it
``growing``       a larger network that begins with a smaller one (torch)
``restoring``     a network out of a ``final.mdl`` (torch)
``averaging``     the mean of networks of one beginning (torch)
``exporting``     checkpoints as a ``final.mdl`` (torch)
``training``      a run from its configuration to a ``final.mdl``
"""
