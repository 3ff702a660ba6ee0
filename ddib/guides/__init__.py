"""What moves the denoised estimate D while the ODE is solved.

Classifier-free and classifier guidance belong to an end (`guidance.py`). The rest are guides, each
a class in a file of this folder or in the user's folder `guides`, registered in `GUIDES` by their
field `guide`. Every module of this folder is imported here, so that its guides are registered.

What a session needs to have them as `recipe.guide`:

- a tuple of members of GUIDES, told apart by the field `guide`, swept as operations are
  (`ddib.operations.sweeps.sweepable`); `origins` and `skipped` are those of every `Registry`;
- a variant's guides, without sweeps, go into the chunk of the first decoding:
  `Chunk("decode", z, solver, label, guidance=…, guides=…, source=…)`, where source are the
  unedited images, row for row with z. `Chunk` holds those that act (`ddib.guides.guide.acting`)
  in its cache key; where none acts, the key and every byte are those of a chunk without guides;
- `carried` and acting guides exclude each other (ValueError): a guided decoding is not the inverse
  of the encoding, so `cycle: exact` and retracing do not hold for it;
- no guide of ours evaluates or differentiates the network: evaluations are those without it.
"""

from typing import Any

from ddib.guides.guide import GUIDES, Guide, LossGuide, State
from ddib.registry import import_modules

__all__ = ["GUIDES", "Guide", "LossGuide", "State"]

import_modules(__name__, __path__)


def __getattr__(name: str) -> Any:
    for guide in GUIDES.values():
        if guide.__name__ == name:
            return guide
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
