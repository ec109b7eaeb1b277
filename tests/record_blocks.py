"""Records what PyTorch makes of nets with branches, and its Upsample, into tests/recorded/blocks.safetensors; run it again only to add cases.

    python3 tests/record_blocks.py

Of a net: x, dy, y, dx; before.NAME, its state dict before the pass; after.NAME, what of it is not learnt, after the pass; gradient.NAME.
Nets and upsampled images of whole numbers are exact: float and double agree to the bit, which is asserted here.
"""
import copy
import pathlib

import torch
from torch.nn import BatchNorm2d, Conv2d, Identity, MaxPool2d, ReLU, Sequential, Upsample

from safetensors_writer import write

tensors = {}


class Residual(torch.nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


class Concat(Sequential):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)


def reals(*shape):
    return torch.rand(shape) * 2 - 1


def whole(*shape):
    return torch.randint(-1, 2, shape).float()


def run(net, x, dy):
    x = x.clone().requires_grad_()
    y = net(x)
    y.backward(dy)
    return {"y": y, "dx": x.grad, **{f"gradient.{name}": p.grad for name, p in net.named_parameters()}}


def record(name, net, numbers, exact, *shape):
    """One training pass."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(numbers(*parameter.shape))
    x, before, double = numbers(*shape), copy.deepcopy(net.state_dict()), copy.deepcopy(net).double()
    dy = numbers(*copy.deepcopy(net)(x).shape)
    results = run(net, x, dy)
    if exact:
        for key, value in run(double, x.double(), dy.double()).items():
            assert torch.equal(value, results[key].double()), f"{name}: {key} is not exact"
    learnt = dict(net.named_parameters())
    for key, value in (learnt | results).items():
        assert value.abs().max() > 0, f"{name}: {key} is nothing but zeros"
    tensors.update({f"{name}.x": x, f"{name}.dy": dy})
    tensors.update({f"{name}.{key}": value for key, value in results.items()})
    tensors.update({f"{name}.before.{key}": value for key, value in before.items()})
    tensors.update({f"{name}.after.{key}": value for key, value in net.state_dict().items() if key not in learnt})


def basic_block():
    """A block of a ResNet that halves the image, and one that keeps it."""
    def normed(into, out, size, stride=1):
        return [Conv2d(into, out, size, stride, padding=size // 2, bias=False), BatchNorm2d(out)]

    return Sequential(
        Residual(Sequential(*normed(3, 4, 3, 2), ReLU(), *normed(4, 4, 3)), Sequential(*normed(3, 4, 1, 2))), ReLU(),
        Residual(Sequential(*normed(4, 4, 3), ReLU(), *normed(4, 4, 3))), ReLU())


def inception():
    return Sequential(
        Conv2d(2, 3, (3, 2)),
        Concat(
            Sequential(Conv2d(3, 2, 1), ReLU()),
            Sequential(Conv2d(3, 2, 1), ReLU(), Conv2d(2, 3, 3, padding=1), ReLU()),
            Sequential(Conv2d(3, 1, 1), ReLU(), Conv2d(1, 2, 5, padding=2), ReLU()),
            Sequential(MaxPool2d(3, stride=1, padding=1), Conv2d(3, 1, 1), ReLU())),
        Conv2d(8, 2, (1, 2)))


def unet():
    return Sequential(
        Conv2d(2, 3, 3, padding=1), ReLU(),
        Concat(Identity(), Sequential(
            MaxPool2d(2), Conv2d(3, 4, 3, padding=1), ReLU(),
            Concat(Identity(), Sequential(
                MaxPool2d(2), Conv2d(4, 5, 3, padding=1), ReLU(), Upsample(scale_factor=2, mode="bilinear"), Conv2d(5, 4, 3, padding=1), ReLU())),
            Conv2d(8, 4, 3, padding=1), ReLU(), Upsample(scale_factor=2), Conv2d(4, 3, 3, padding=1), ReLU())),
        Conv2d(6, 2, 1))


def upsample(case, factor, mode, numbers, *shape):
    layer = Upsample(scale_factor=factor, mode=mode)
    x = numbers(*shape).requires_grad_()
    y = layer(x)
    dy = numbers(*y.shape)
    y.backward(dy)
    tensors.update({f"upsample.{case}.x": x, f"upsample.{case}.dy": dy, f"upsample.{case}.y": y, f"upsample.{case}.dx": x.grad})


torch.manual_seed(22)
record("basic_block", basic_block(), reals, False, 17, 3, 7, 10)
record("inception", inception(), whole, True, 3, 2, 7, 9)
record("unet", unet(), whole, True, 10, 2, 8, 12)
upsample(0, (2, 3), "nearest", reals, 3, 2, 5, 4)
upsample(1, (4, 1), "nearest", whole, 17, 1, 2, 3)
upsample(2, (2, 4), "bilinear", whole, 3, 2, 5, 4)
upsample(3, (8, 2), "bilinear", whole, 17, 2, 1, 3)
upsample(4, (3, 2), "bilinear", reals, 2, 3, 4, 7)
upsample(5, (1, 5), "bilinear", reals, 17, 1, 3, 2)
write(pathlib.Path(__file__).parent / "recorded" / "blocks.safetensors", tensors)
