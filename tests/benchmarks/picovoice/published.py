"""What Picovoice published: command acceptance over its kitchen noise.

Source: github.com/Picovoice/speech-to-intent-benchmark, version 2.0 (619 recordings; Apache 2.0).
No figure on clean recordings is published.
"""

RATIOS = (6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0)
"""dB."""

KITCHEN: dict[str, tuple[float, ...]] = {
    "Picovoice Rhino": (0.96, 0.97, 0.98, 0.99, 0.99, 0.99, 0.99),
    "Microsoft LUIS": (0.86, 0.89, 0.90, 0.91, 0.92, 0.93, 0.93),
    "IBM Watson": (0.72, 0.84, 0.89, 0.93, 0.95, 0.95, 0.96),
    "Amazon Lex": (0.80, 0.84, 0.85, 0.87, 0.87, 0.87, 0.88),
    "Google Dialogflow": (0.70, 0.78, 0.78, 0.80, 0.81, 0.82, 0.83),
}

SUMMARY = {
    "Picovoice Rhino": 0.976,
    "Microsoft LUIS": 0.899,
    "IBM Watson": 0.868,
    "Amazon Lex": 0.845,
    "Google Dialogflow": 0.776,
}
"""Mean over cafe and kitchen noise."""
