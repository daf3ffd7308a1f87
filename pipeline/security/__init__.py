"""Who may connect from other machines: keys, the list of allowed ones, and the door they pass."""
