"""An example of a session file, and changes of it."""

import pytest

from workbench.session.errors import SessionError
from workbench.session.overrides import set_value
from workbench.session.reading import parse_session
from workbench.session.schema import Session

EXAMPLE = """\
# What the head says.
version: 1
title: Normalized latent plus c times fixed noise

source:
  checkpoint: cmnist-fives          # a name in the library, or a path
  label: null                       # for class-conditional checkpoints
  images:
    - {dataset: colored-mnist, digit: 5, count: 16, seed: 0}   # fives
    # or  - {path: photos/*.png}    relative to the session file
target:
  checkpoint: cmnist-sevens
  label: null
solver: {name: dpmpp_2m, grid: log, steps: 20, start_noise: 0.0, start_noise_seed: 0, clip: false}
recipe:
  image: []
  latent:
    # first dim it
    - {op: normalize, mode: max}   # dimmed
    # then add noise
    - op: add_noise
      coefficient: [0.01, 0.1, 0.3, 0.7]   # as on the slide
      seed: 0
# The end.
"""


def problem(text: str) -> str:
    with pytest.raises(SessionError) as caught:
        parse_session(text, "s.yaml")
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1)


def with_values(**values: str) -> Session:
    session = parse_session(EXAMPLE)
    for path, value in values.items():
        session = set_value(session, path.replace("__", "."), value)
    return session
