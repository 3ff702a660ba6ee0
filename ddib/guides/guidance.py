"""Guidance: a denoiser led more strongly to a class than it was trained to go.

A new kind of guidance is a function here from an estimate D to another, and what `guided` does
with it. Importing this loads no torch.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddib.checkpoints.model import Classifier
from ddib.errors import InputError
from ddib.schedules.levels import noise, signal
from ddib.solvers.scheme import Denoise

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.checkpoints.header import CheckpointFacts
    from ddib.checkpoints.model import Model
    from ddib.denoising.label import Label


@dataclass(frozen=True)
class Guidance:
    """How strongly D is led to its label, by the network itself and by a classifier.

    scale: w of `classifier_free`; 1 is the conditional network as it is, 0 the unconditional one.
    classifier_scale: s of `by_classifier`; 0 is none.
    """

    scale: float = 1.0
    classifier: Classifier | None = None
    classifier_scale: float = 1.0

    @property
    def evaluations(self) -> int:
        """Of the denoiser's network, for an estimate; the classifier's are not counted."""
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


def evaluations(scale: float) -> int:
    """Of the network, that classifier-free guidance takes for an estimate."""
    return 1 if scale in (0, 1) else 2


def check_guidance(
    facts: "CheckpointFacts",
    label: "Label",
    scale: float = 1.0,
    classifier: "CheckpointFacts | None" = None,
    end: str = "",
) -> "Label":
    """The label that leads a model so guided; None where nothing does.

    Raises InputError for a label that is not there, and where there is nothing to guide by; its
    key is the one at fault, after `end` ("target.").
    """
    if classifier is None or facts.class_conditional:
        told = facts.check_label(label, f"{end}label")
    if scale != 1 and not facts.class_conditional:
        raise InputError(
            f"guidance takes a class-conditional model, and that of {facts.domain} is none; "
            "leave it out, or name a classifier",
            f"{end}guidance",
        )
    if scale != 1 and not facts.learnt_unconditional:
        raise InputError(
            f"the model of {facts.domain} was trained without label dropout (or does not say), so "
            "it has no unconditional estimate; guidance: 1 is the model as it is",
            f"{end}guidance",
        )
    if scale not in (0, 1) and label is None:
        raise InputError("guidance leads to a label; give one", f"{end}label")
    if classifier is None:
        return told
    if (classifier.image_size, classifier.channels) != (facts.image_size, facts.channels):
        raise InputError(
            f"the classifier reads {classifier.shape} and the model makes {facts.shape}",
            f"{end}classifier",
        )
    wanted = facts.wanted_label(label)
    if wanted is None:
        raise InputError("a classifier leads to a label; give one", f"{end}label")
    return classifier.check_label(wanted, f"{end}label") or wanted


def guided(
    model: "Model", label: "Label", guidance: Guidance = PLAIN, clip: bool = False
) -> Denoise:
    """D(z, σ) of a model for a label, guided; `clip` holds the network's own estimate within
    [-1, 1], before a classifier moves it, as the original's `ddim_sample` does.
    """
    told = label if model.facts.class_conditional else None

    def denoise(z: "Tensor", sigma: float) -> "Tensor":
        denoised: Tensor = classifier_free(model, z.float(), sigma, told, guidance.scale)
        return denoised.clamp(-1, 1) if clip else denoised

    classifier, scale = guidance.classifier, guidance.classifier_scale
    if classifier is None or not scale:
        return denoise
    return lambda z, sigma: (
        denoise(z, sigma) + by_classifier(classifier, z.float(), sigma, label, scale)
    )


def classifier_free(
    model: "Model", z: "Tensor", sigma: float, label: "Label", w: float
) -> "Tensor":
    """D = D(z, σ, ∅) + w·(D(z, σ, y) - D(z, σ, ∅)), w > 1 away from the unconditional estimate.

    Ho & Salimans 2022, equation 6, whose w is this one less 1: D is linear in ε. Two calls are as
    fast as one of twice the batch, and leave the conditional estimate the bits it has alone.
    """
    if w == 1:
        return model.denoiser(z, sigma, label)
    unconditional = model.denoiser(z, sigma, None)
    if w == 0:
        return unconditional
    return unconditional + w * (model.denoiser(z, sigma, label) - unconditional)


def by_classifier(
    classifier: Classifier, z: "Tensor", sigma: float, label: "Label", scale: float
) -> "Tensor":
    """What a classifier adds to D: s·(b²/a)·∇ log p(y | z, σ), a = √ᾱ, b = √(1-ᾱ).

    Dhariwal & Nichol 2021, algorithm 2, ε̂ = ε - b·s·∇ log p(y | x_t), in D = (z - bε)/a.
    `label` is the class of all, or of each.
    """
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        state = z.detach().clone().requires_grad_()
        network = classifier.network.to(z.device)
        log_p = network(state, torch.tensor([sigma], device=z.device)).log_softmax(1)
        wanted = torch.tensor(label, device=z.device).expand(len(z))
        gradient = torch.autograd.grad(log_p.gather(1, wanted[:, None]).sum(), state)[0]
    return scale * noise(sigma) ** 2 / signal(sigma) * gradient
