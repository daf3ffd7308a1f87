"""Train the model that guesses how new words are spoken."""
