"""intentd under systemd: its unit, its signs of life, its journal."""
