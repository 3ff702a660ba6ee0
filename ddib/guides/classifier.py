"""Classifier guidance: a classifier's gradient moves the estimate towards a class."""

from typing import TYPE_CHECKING

from ddib.checkpoints.model import Classifier
from ddib.schedules.levels import noise, signal

if TYPE_CHECKING:
    from torch import Tensor

    from ddib.denoising.label import Label


def by_classifier(
    classifier: Classifier, z: "Tensor", sigma: float, label: "Label", scale: float
) -> "Tensor":
    """Return what a classifier adds to D: s·(b²/a)·∇ log p(y | z, σ), a = √ᾱ, b = √(1-ᾱ).

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
