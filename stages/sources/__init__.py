"""Where audio comes from: microphones and recordings."""
