"""Names of the checkpoints' modules, until their users import from there."""
# ruff: noqa: F401

from ddib.checkpoints.files import SUFFIX, USER_CHECKPOINTS, ZOO, file_sha256, resolve
from ddib.checkpoints.header import CheckpointFacts, has_facts, read_facts
from ddib.checkpoints.loading import load, load_classifier, load_probe
from ddib.checkpoints.model import Model
from ddib.checkpoints.schedule import Schedule
from ddib.checkpoints.weights import assemble, read_tensors
from ddib.checkpoints.writing import write_checkpoint
