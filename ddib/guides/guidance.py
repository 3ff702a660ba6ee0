"""The guidance of one end: classifier-free, by a classifier, or both.

Importing this loads no torch.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddib.checkpoints.model import Classifier
from ddib.errors import InputError
from ddib.guides.classifier import by_classifier
from ddib.guides.classifier_free import classifier_free, evaluations
from ddib.solvers.scheme import Denoise

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.checkpoints.header import CheckpointFacts
    from ddib.checkpoints.model import Model
    from ddib.denoising.label import Label


@dataclass(frozen=True)
class Guidance:
    """How strongly D moves to its label, by the network itself and by a classifier.

    scale: w of `classifier_free`; 1 is the conditional network as it is, 0 the unconditional one.
    classifier_scale: s of `by_classifier`; 0 is none.
    """

    scale: float = 1.0
    classifier: Classifier | None = None
    classifier_scale: float = 1.0

    @property
    def evaluations(self) -> int:
        """How many evaluations of the network an estimate takes; a classifier's do not count."""
        return evaluations(self.scale)

    @property
    def settings(self) -> dict[str, object]:
        """What an estimate depends on, for a cache's key; empty for a network as it is."""
        found: dict[str, object] = {} if self.scale == 1 else {"guidance": self.scale}
        if self.classifier is not None and self.classifier_scale:
            found |= {
                "classifier": self.classifier.sha256,
                "classifier_scale": self.classifier_scale,
            }
        return found


PLAIN = Guidance()


def check_guidance(
    facts: "CheckpointFacts",
    label: "Label",
    scale: float = 1.0,
    classifier: "CheckpointFacts | None" = None,
    end: str = "",
) -> "Label":
    """Return the label that a model so guided takes; None where it takes none.

    Raises InputError for a label that is not there, and where there is nothing to guide by; its
    key is the one at fault, after `end` ("target.").
    """
    if classifier is None or facts.class_conditional:
        condition = facts.check_label(label, f"{end}label")
    if scale != 1 and not facts.class_conditional:
        raise InputError(
            f"guidance takes a class-conditional model, and that of {facts.domain} is none; "
            "leave it out, or name a classifier",
            f"{end}guidance",
        )
    if scale != 1 and not facts.trained_with_label_dropout:
        raise InputError(
            f"the model of {facts.domain} was trained without label dropout (or does not say), so "
            "it has no unconditional estimate; guidance: 1 is the model as it is",
            f"{end}guidance",
        )
    if scale not in (0, 1) and label is None:
        raise InputError("guidance needs a label to move towards; give one", f"{end}label")
    if classifier is None:
        return condition
    if (classifier.image_size, classifier.channels) != (facts.image_size, facts.channels):
        raise InputError(
            f"the classifier reads {classifier.shape} and the model makes {facts.shape}",
            f"{end}classifier",
        )
    wanted = facts.wanted_label(label)
    if wanted is None:
        raise InputError("a classifier needs a label to move towards; give one", f"{end}label")
    return classifier.check_label(wanted, f"{end}label") or wanted


def guided(
    model: "Model", label: "Label", guidance: Guidance = PLAIN, clip: bool = False
) -> Denoise:
    """Return D(z, σ) of a model for a label, guided; `clip` holds the network's own estimate within
    [-1, 1], before a classifier moves it, as the original's `ddim_sample` does.
    """
    condition = label if model.facts.class_conditional else None

    def denoise(z: "Tensor", sigma: float) -> "Tensor":
        denoised: Tensor = classifier_free(model, z.float(), sigma, condition, guidance.scale)
        return denoised.clamp(-1, 1) if clip else denoised

    classifier, scale = guidance.classifier, guidance.classifier_scale
    if classifier is None or not scale:
        return denoise
    return lambda z, sigma: (
        denoise(z, sigma) + by_classifier(classifier, z.float(), sigma, label, scale)
    )
