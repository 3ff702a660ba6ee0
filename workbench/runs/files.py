"""The names of the files in a run directory."""

MANIFEST = "manifest.json"
NOTES = "notes.json"  # the user's, beside what the run wrote
SESSION = "session.yaml"
SHEET = "sheet.png"
FILMSTRIP = "filmstrip.png"  # of interpolations
CURVES = "curves.png"  # of sweeps
TRADE_OFF = "trade-off.png"
LATENTS = "latents.safetensors"
LATENT_SHARDS = "latents"  # a folder of files like that, for long runs
POINTS = "points.safetensors"  # of domains of points: the source's and the results'
IMAGES = "images"
