"""The metrics of a run: what each measures, how it is averaged, and where and how it is shown.

A new metric is one file in `latents/` or `results/`; importing this package registers them all.
"""

from ddib.registry import import_modules
from workbench.metrics import latents, results

for _members in (latents, results):
    import_modules(_members.__name__, list(_members.__path__))
