"""Records what PyTorch's losses compute into tests/recorded/losses.safetensors; run it again only to add cases.

    python3 tests/record_losses.py

Every input is in the file too, so anyone can check it with any PyTorch. Names: cross_entropy.0.logits, .labels, .weight, .smoothing, .ignore_index,
.loss, .gradient; bce.0.logits, .targets, .pos_weight, .loss, .gradient; mse.0.outputs, .targets, .loss, .gradient. Options that are not there were not given.
"""
import pathlib

import torch
import torch.nn.functional as F

from safetensors_writer import write

tensors = {}


def reals(*shape, scale=1.0):
    return (torch.rand(shape) * 2 - 1) * scale


def record(name, loss, inputs, outputs):
    """A loss of outputs, the inputs' first, and its gradient."""
    outputs.requires_grad_()
    value = loss(outputs)
    value.backward()
    tensors.update({f"{name}.{key}": tensor for key, tensor in inputs.items() if tensor is not None})
    tensors.update({f"{name}.loss": value.reshape(1), f"{name}.gradient": outputs.grad})


def cross_entropy(case, n, classes, weighted=False, smoothing=None, ignored=(), ignore_index=None, scale=3.0):
    """Labels at the places `ignored` are left out; smoothing is a number that float32 has."""
    logits, labels = reals(n, classes, scale=scale), torch.randint(classes, (n,))
    weight = torch.rand(classes) * 2 + 0.1 if weighted else None
    for place in ignored:
        labels[place] = -100 if ignore_index is None else ignore_index
    record(
        f"cross_entropy.{case}",
        lambda z: F.cross_entropy(
            z, labels, weight, ignore_index=-100 if ignore_index is None else ignore_index, label_smoothing=0.0 if smoothing is None else smoothing),
        {
            "logits": logits, "labels": labels, "weight": weight, "smoothing": None if smoothing is None else torch.tensor([smoothing]),
            "ignore_index": None if ignore_index is None else torch.tensor([ignore_index]),
        }, logits)


def bce(case, *shape, pos_weight=0, soft=False, scale=4.0):
    logits, targets = reals(*shape, scale=scale), torch.rand(shape)
    if not soft:
        targets = targets.round()
    weight = torch.rand(pos_weight) * 3 + 0.1 if pos_weight else None
    record(
        f"bce.{case}", lambda x: F.binary_cross_entropy_with_logits(x, targets, pos_weight=weight),
        {"logits": logits, "targets": targets, "pos_weight": weight}, logits)


def mse(case, *shape, scale=1.0):
    outputs, targets = reals(*shape, scale=scale), reals(*shape)
    record(f"mse.{case}", lambda y: F.mse_loss(y, targets), {"outputs": outputs, "targets": targets}, outputs)


torch.manual_seed(11)
cross_entropy(0, 5, 3)
cross_entropy(1, 17, 10, weighted=True)
cross_entropy(2, 16, 7, ignored=(0, 3, 15))
cross_entropy(3, 33, 4, smoothing=0.125)
cross_entropy(4, 1, 2, weighted=True, smoothing=0.5)
cross_entropy(5, 19, 5, weighted=True, ignored=(1, 17, 18))
cross_entropy(6, 18, 6, smoothing=0.25, ignored=(2, 16))
cross_entropy(7, 37, 9, weighted=True, smoothing=0.125, ignored=(0, 4, 31, 36), scale=20.0)
cross_entropy(8, 20, 3, weighted=True, smoothing=0.25, ignored=(5, 6, 19), ignore_index=1)     # every other 1 is left out too
cross_entropy(9, 4, 3, ignored=range(4))                                                       # a mean of nothing: NaN, gradient 0
cross_entropy(10, 4, 3, weighted=True, smoothing=0.125, ignored=range(4))
cross_entropy(11, 15, 2, smoothing=1.0)
bce(0, 7)
bce(1, 5, 3, soft=True)
bce(2, 33, 4, pos_weight=4)
bce(3, 17, 5, pos_weight=1, soft=True)
bce(4, 2, 1, 5, 3)
bce(5, 40, scale=60.0)
bce(6, 6, 19, pos_weight=19, soft=True, scale=60.0)
mse(0, 9)
mse(1, 5, 7)
mse(2, 2, 3, 5, 4)
mse(3, 33, 1, scale=1000.0)
write(pathlib.Path(__file__).parent / "recorded" / "losses.safetensors", tensors)
